/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compares the users of services, to find workers that share their user with no program.
 */
#include <config.h>
#include "conf_cores.h"

#include <stdlib.h>

struct runner {                         /* of programs */
	uid_t       uid;
	const char *service;
};

static bool runs_programs(const struct conf_service *svc)
{
	return HANDLER_RUNS_PROGRAMS(svc->handler.kind);
}

static int by_uid(const void *one, const void *other)
{
	const struct runner *a = one, *b = other;

	return (a->uid > b->uid) - (a->uid < b->uid);
}

/* Sorted; the caller frees them. */
static struct runner *collect_runners(const struct conf *conf, size_t *n)
{
	struct runner *all = calloc(conf->n_services + 1, sizeof *all);

	if (!all)
		abort();
	*n = 0;
	for (size_t i = 0; i < conf->n_services; i++)
		if (runs_programs(conf->services[i]))
			all[(*n)++] = (struct runner){ conf->services[i]->identity.uid, conf->services[i]->name };
	qsort(all, *n, sizeof *all, by_uid);
	return all;
}

static void allow(struct conf_loader *ld, struct conf_service *svc, const struct runner *all, size_t n)
{
	const struct runner wanted = { .uid = svc->identity.uid };
	const struct runner *found = bsearch(&wanted, all, n, sizeof *all, by_uid);

	svc->may_dump = !found;
	/* Where droverd is not root and has not changed its user, the kernel lets all be traced anyway. */
	if (found && wanted.uid != (uid_t)CONF_KEEP)
		conf_errors_warn(&ld->errors, svc->place,
		                 "service %s: rlimits.core has no effect, since programs"
		                 " of service %s have the same user and could read the workers' memory",
		                 svc->name, found->service);
}

void conf_cores_allow(struct conf_loader *ld)
{
	const struct conf *conf = ld->conf;
	size_t n;
	struct runner *all = collect_runners(conf, &n);

	for (size_t i = 0; i < conf->n_services; i++) {
		struct conf_service *svc = conf->services[i];

		if (!runs_programs(svc) && svc->rlimits.core.given && svc->rlimits.core.value > 0)
			allow(ld, svc, all, n);
	}
	free(all);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services, checked as a whole. A complaint goes to the setting that is wrong, which may be
 * one in `defaults`. The handler has a module of its own.
 */
#include <config.h>
#include "conf_check.h"

#include <errno.h>
#include <unistd.h>

#include "conf_access.h"
#include "conf_handler.h"
#include "conf_limits.h"
#include "conf_path.h"
#include "conf_tls.h"
#include "units.h"

static void check_directories(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_service *svc = d->service;
	struct conf_path_verdict v;

	if (svc->chroot) {
		v = conf_path_judge_directory(NULL, svc->chroot);
		/* The worker enters it as root, which sees no more than we do. */
		if (v.unseen && geteuid() == 0)
			v.wrong = v.unseen;
		conf_draft_tell(ld, conf_draft_origin(d, "chroot"), NULL, v, "is", svc->chroot);
		if (v.wrong)
			return;
	}
	conf_draft_tell(ld, conf_draft_origin(d, "directory"), svc->chroot,
	             conf_path_judge_directory(svc->chroot, svc->directory), "is", svc->directory);
}

static void check_cpus(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_service *svc = d->service;
	const long n = sysconf(_SC_NPROCESSORS_CONF);
	bool known;

	if (!svc->cpus)
		return;
	known = units_parse_cpus(svc->cpus, &svc->cpu_set) == 0;
	if (!known && errno == EINVAL) {
		conf_source_complain(ld, conf_draft_origin(d, "cpus"), "is malformed (as in \"0-3,6\")");
		return;
	}
	for (size_t i = (size_t)n; i < CPU_SETSIZE; i++)
		known = known && !CPU_ISSET(i, &svc->cpu_set);
	if (!known)
		conf_source_complain(ld, conf_draft_origin(d, "cpus"), "is \"%s\", but this machine has CPUs"
		                     " 0 to %ld", svc->cpus, n - 1);
}

static void check_restart(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_restart *r = &d->service->restart;
	char min[UNITS_TEXT_MAX], max[UNITS_TEXT_MAX];

	if (r->delay_min > r->delay_max)
		conf_source_complain(ld, conf_draft_origin(d, "restart"),
		                     "has a delay_min of %s beyond its delay_max of %s",
		                     units_format_duration(r->delay_min, min),
		                     units_format_duration(r->delay_max, max));
}

static void check_poison(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_poison *p = &d->service->poison;
	char block[UNITS_TEXT_MAX], max[UNITS_TEXT_MAX];

	if (p->on && p->block > p->block_max)
		conf_source_complain(ld, conf_draft_origin(d, "poison"),
		                     "has a block of %s beyond its block_max of %s",
		                     units_format_duration(p->block, block),
		                     units_format_duration(p->block_max, max));
}

void conf_check_service(struct conf_loader *ld, struct conf_draft *d)
{
	check_directories(ld, d);
	conf_handler_check(ld, d);
	check_cpus(ld, d);
	check_restart(ld, d);
	check_poison(ld, d);
	conf_access_check(ld, d);
	conf_limits_check(ld, d);
	conf_tls_check(ld, d);
}

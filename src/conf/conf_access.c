/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Collects what `access` allows and denies. The decision about a client is made in a worker.
 */
#include <config.h>
#include "conf_access.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "conf_prefixes.h"

static bool says_something(const struct conf_access *a)
{
	return a->allow[0] || a->deny[0] || a->allow_file || a->deny_file;
}

/* ---- clients without addresses ------------------------------------------ */

/* Whether nothing names the addresses of its clients. */
static bool hides_addresses(const struct conf_listen *l)
{
	return l->kind == LISTEN_UNIX && l->proxy == PROXY_OFF;
}

/* How many listeners are so; the first one of them in *first. */
static size_t count_hiding(const struct conf_service *svc, const struct conf_listen **first)
{
	size_t n = 0;

	for (size_t i = svc->n_listen; i-- > 0;)
		if (hides_addresses(&svc->listen[i])) {
			*first = &svc->listen[i];
			n++;
		}
	return n;
}

static void clear_access(struct conf_access *a)
{
	a->allow[0] = a->deny[0] = NULL;
	a->allow_file = a->deny_file = NULL;
}

/* A list that came from `defaults` must not be lost for listeners where it has a meaning. */
static bool fits_listeners(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_service *svc = d->service;
	const struct conf_listen *first = NULL;
	const size_t n = count_hiding(svc, &first);

	if (n == 0)
		return true;
	if (n == svc->n_listen && !conf_source_member(d->own, "access"))
		clear_access(&svc->access);
	else
		conf_source_complain(ld, conf_draft_origin(d, "access"), "means nothing for clients of %s,"
		                     " which have no address (give that listener a service of its own)",
		                     first->text);
	return false;
}

/* ---- lists -------------------------------------------------------------- */

/* Only a daemon needs to read it; conf_privileges_judge complains then. */
static bool is_unreadable(struct conf_loader *ld, struct conf_access *a, const config_setting_t *setting,
                          const char *path)
{
	if (geteuid() == 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 || errno != EACCES)
		return false;
	a->unread = path;
	conf_source_warn(ld, setting, "names %s, which could not be read (%s)", path, strerror(EACCES));
	return true;
}

static void take_file(struct conf_loader *ld, struct conf_access *a, struct conf_prefixes *p,
                      const config_setting_t *setting, const char *path, enum prefix_verdict verdict)
{
	if (path && !is_unreadable(ld, a, setting, path))
		conf_prefixes_add_file(ld, p, setting, path, verdict);
}

/* The entries are sorted: those of one prefix stand together. */
static void warn_of_contradictions(struct conf_loader *ld, const struct conf_draft *d,
                                   const struct conf_prefixes *p)
{
	const struct prefix_entry *first = NULL;
	char prefix[CIDR_TEXT_MAX];
	size_t more = 0;

	for (size_t i = 1; i < p->n; i++) {
		const struct prefix_entry *e = &p->entries[i - 1];

		if (e->verdict == p->entries[i].verdict || !cidr_equal(&e->cidr, &p->entries[i].cidr))
			continue;
		more += first != NULL;
		first = first ? first : e;
	}
	if (first && more)
		conf_source_warn(ld, conf_draft_origin(d, "access"), "allows and denies %s, and %zu more"
		                 " prefixes (they are denied)",
		                 cidr_format(&first->cidr, prefix, sizeof prefix), more);
	else if (first)
		conf_source_warn(ld, conf_draft_origin(d, "access"), "allows and denies %s (it is denied)",
		                 cidr_format(&first->cidr, prefix, sizeof prefix));
}

void conf_access_check(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_access *a = &d->service->access;
	struct conf_prefixes p = { 0 };

	if (!says_something(a) || !fits_listeners(ld, d))
		return;
	conf_prefixes_add_list(ld, &p, conf_draft_origin(d, "access.allow"), a->allow, PREFIX_ALLOW);
	take_file(ld, a, &p, conf_draft_origin(d, "access.allow_file"), a->allow_file, PREFIX_ALLOW);
	a->n_allow = p.n;
	conf_prefixes_add_list(ld, &p, conf_draft_origin(d, "access.deny"), a->deny, PREFIX_DENY);
	take_file(ld, a, &p, conf_draft_origin(d, "access.deny_file"), a->deny_file, PREFIX_DENY);
	a->n_deny = p.n - a->n_allow;
	a->refuses_others = a->allow[0] || a->allow_file;
	a->set = conf_prefixes_build(ld, &p);
	warn_of_contradictions(ld, d, &p);
	conf_prefixes_free(&p);
}

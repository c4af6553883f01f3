/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Has a row for each capability: what needs it, and what does not work without it. The table
 * in droverd(8) says the same. A user namespace can lack users in the same way.
 */
#include <config.h>
#include "conf_capabilities.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capabilities.h"
#include "user_namespace.h"

static bool has_another_user(const struct conf_service *s)
{
	return s->identity.uid != (uid_t)CONF_KEEP && s->identity.uid != 0;
}

static bool has_another_group(const struct conf_service *s)
{
	return has_another_user(s) || (s->identity.gid != (gid_t)CONF_KEEP && s->identity.gid != 0);
}

static bool has_a_chroot(const struct conf_service *s)
{
	return s->chroot;
}

static bool is_nicer_to_itself(const struct conf_service *s)
{
	return s->has_nice && s->nice < getpriority(PRIO_PROCESS, 0);
}

static bool is_beyond(__rlimit_resource_t resource, const struct conf_rlimit *wanted)
{
	struct rlimit now;

	return wanted->given && getrlimit(resource, &now) == 0 && wanted->value > now.rlim_max;
}

static bool is_beyond_a_limit(const struct conf_service *s)
{
	const struct conf_rlimits *r = &s->rlimits;

	return is_beyond(RLIMIT_NOFILE, &r->nofile) || is_beyond(RLIMIT_NPROC, &r->nproc) ||
	       is_beyond(RLIMIT_CORE, &r->core) || is_beyond(RLIMIT_AS, &r->as) ||
	       is_beyond(RLIMIT_CPU, &r->cpu);
}

static bool gives_a_socket_away(const struct conf_service *s)
{
	for (size_t i = 0; i < s->n_listen; i++) {
		const struct conf_listen *l = &s->listen[i];

		if (l->kind == LISTEN_UNIX && ((l->owner != (uid_t)-1 && l->owner != 0) ||
		                               (l->group != (gid_t)-1 && l->group != 0)))
			return true;
	}
	return false;
}

static const struct {
	int         capability;
	const char *name;
	bool      (*is_needed)(const struct conf_service *s);
	const char *without;
} rows[] = {
	{ CAP_KILL, "CAP_KILL", has_another_user,
	  "its workers can be told to end, but not be killed when they hang or do not obey" },
	{ CAP_SETUID, "CAP_SETUID", has_another_user, "its workers cannot become its user" },
	{ CAP_SETGID, "CAP_SETGID", has_another_group, "its workers cannot take its groups" },
	{ CAP_SYS_CHROOT, "CAP_SYS_CHROOT", has_a_chroot, "its workers cannot enter chroot" },
	{ CAP_SYS_NICE, "CAP_SYS_NICE", is_nicer_to_itself, "its workers cannot have that nice" },
	{ CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", is_beyond_a_limit,
	  "rlimits cannot be above the hard limits of droverd" },
	{ CAP_CHOWN, "CAP_CHOWN", gives_a_socket_away, "a unix socket cannot get its owner or group" },
};

/* The first service that this concerns, with how many more there are. */
static void warn_of(struct conf_errors *r, const struct conf *conf,
                    bool (*concerns)(const struct conf_service *s), const char *text)
{
	const struct conf_service *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < conf->n_services; i++)
		if (concerns(conf->services[i])) {
			first = first ? first : conf->services[i];
			n++;
		}
	if (n == 1)
		conf_errors_warn(r, first->place, "service %s: %s", first->name, text);
	else if (n > 1)
		conf_errors_warn(r, first->place, "service %s and %zu more: %s", first->name, n - 1, text);
}

static void warn_of_capability(struct conf_errors *r, const struct conf *conf, size_t row)
{
	char text[256];

	snprintf(text, sizeof text, "without the capability %s %s", rows[row].name, rows[row].without);
	warn_of(r, conf, rows[row].is_needed, text);
}

static bool has_no_number(const struct conf_service *s)
{
	return (has_another_user(s) && !user_namespace_has_user(s->identity.uid)) ||
	       (has_another_group(s) && s->identity.gid != (gid_t)CONF_KEEP &&
	        !user_namespace_has_group(s->identity.gid));
}

static bool sets_groups(const struct conf_service *s)
{
	return has_another_group(s) && !has_no_number(s);
}

void conf_capabilities_warn(struct conf_errors *r, const struct conf *conf)
{
	if (geteuid() != 0)
		return;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!capabilities_have(rows[i].capability))
			warn_of_capability(r, conf, i);
	warn_of(r, conf, has_no_number, "this user namespace does not have its user or its group,"
	        " and its workers cannot start");
	if (!user_namespace_lets_set_groups())
		warn_of(r, conf, sets_groups, "this user namespace denies setgroups(2),"
		        " and its workers cannot start");
}

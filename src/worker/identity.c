/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Has the worker run as the user that the service names, in its root directory, without the
 * capabilities that it does not need. conf_privileges.c has checked that this is allowed.
 */
#include <config.h>
#include "identity.h"

#include <sys/prctl.h>
#include <unistd.h>

#include "privileges.h"

static bool stays_root(const struct worker *w)
{
	const uid_t uid = w->service->identity.uid;

	return uid == 0 || (uid == (uid_t)CONF_KEEP && geteuid() == 0);
}

/* A program gets capabilities from the bounding set if root runs it, or if set-user-ID has an effect. */
static bool needs_no_capabilities(const struct worker *w)
{
	return !worker_runs_programs(w) || (w->service->no_new_privs && !stays_root(w));
}

int identity_take(const struct worker *w, const char **what)
{
	const struct conf_service *s = w->service;
	const struct privileges p = {
		.uid = s->identity.uid, .gid = s->identity.gid,
		.groups = s->identity.groups, .n_groups = s->identity.n_groups,
		.chroot = s->chroot, .directory = s->directory, .no_new_privs = s->no_new_privs,
		.no_capabilities = needs_no_capabilities(w),
	};

	if (privileges_take(&p, what) == -1)
		return -1;
	/*
	 * Changing the user has switched core dumps off; rlimits.core asks for them again. They
	 * stay off if programs run as that user: ptrace(2) would allow these to read and write the
	 * memory of a worker that can be dumped.
	 */
	if (s->may_dump)
		prctl(PR_SET_DUMPABLE, 1);
	return 0;
}

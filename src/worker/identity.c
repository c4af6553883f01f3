/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the worker the user that the service names, in its root directory, without the
 * capabilities that it does not need. Whether that is allowed was checked by conf_privileges.c.
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

/* Programs get some from the bounding set where they are root's, or set-user-ID counts. */
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
	 * Changing the user has switched core dumps off; a limit for them asks for them. Not
	 * where programs have that user: of a worker that can be dumped, they could read and
	 * write the memory, as ptrace(2) allows.
	 */
	if (s->may_dump)
		prctl(PR_SET_DUMPABLE, 1);
	return 0;
}

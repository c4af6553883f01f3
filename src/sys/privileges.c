/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changes user, groups, root directory and capabilities: credentials(7), capabilities(7).
 */
#include <config.h>
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "capabilities.h"
#include "user_namespace.h"

#define OVERFLOW_ID 65534               /* nobody, where there is no such name: user_namespaces(7) */

static int take_groups(const struct privileges *p)
{
	if (p->gid == (gid_t)-1)
		return 0;
	/* An ordinary user may name the identity it has, but cannot set groups. */
	if (setgroups(p->n_groups, p->groups) == -1 &&
	    (errno != EPERM || p->gid != getegid()))
		return -1;
	return setresgid(p->gid, p->gid, p->gid);
}

static int take_user(const struct privileges *p)
{
	return p->uid == (uid_t)-1 ? 0 : setresuid(p->uid, p->uid, p->uid);
}

/* Before we lose CAP_SETPCAP; an ordinary user, or root in a container, may lack it: the set stays. */
static int empty_bounds(const struct privileges *p)
{
	if (!p->no_capabilities || capabilities_empty_bounds() == 0 || errno == EPERM)
		return 0;
	return -1;
}

int privileges_take(const struct privileges *p, const char **what)
{
	*what = "chroot";
	if (p->chroot && (chroot(p->chroot) == -1 || chdir("/") == -1))
		return -1;
	*what = "empty the capability bounding set";
	if (empty_bounds(p) == -1)
		return -1;
	*what = "set groups";
	if (take_groups(p) == -1)
		return -1;
	*what = "set user";
	if (take_user(p) == -1)
		return -1;
	*what = "drop capabilities";
	if (capabilities_drop() == -1)  /* we may have had some without being root */
		return -1;
	*what = "change directory";
	if (chdir(p->directory) == -1)
		return -1;
	*what = "set no_new_privs";
	if (p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return 0;
}

static int give_up(const char **what)
{
	*what = "give up privileges";
	return capabilities_drop_all() == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -1;
}

static bool has_number(const struct privileges *p)
{
	return user_namespace_has_user(p->uid) && user_namespace_has_group(p->gid) &&
	       user_namespace_lets_set_groups();
}

static int become(const char *name, const char **what)
{
	struct privileges p = { .uid = OVERFLOW_ID, .gid = OVERFLOW_ID, .directory = "/",
	                        .no_new_privs = true, .no_capabilities = true };
	const struct passwd *user = getpwnam(name);

	if (!user)
		user = getpwnam("nobody");
	if (user && user->pw_uid != 0) {
		p.uid = user->pw_uid;
		p.gid = user->pw_gid;
	}
	return has_number(&p) ? privileges_take(&p, what) : give_up(what);
}

/* A container may have a root that cannot change its user, or no other user. */
int privileges_leave_root(const char *user, const char **what)
{
	if (geteuid() == 0 && capabilities_have(CAP_SETUID) && capabilities_have(CAP_SETGID))
		return become(user, what);
	return give_up(what);
}

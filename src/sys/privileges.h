/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes the identity of a service, for good: its user and groups, its root and working directory,
 * and no capabilities that this user does not have.
 */
#ifndef DROVER_SYS_PRIVILEGES_H
#define DROVER_SYS_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct privileges {
	uid_t        uid;               /* -1: stays */
	gid_t        gid;               /* -1: stays */
	const gid_t *groups;            /* supplementary, set together with a gid */
	size_t       n_groups;
	const char  *chroot;            /* NULL: none */
	const char  *directory;         /* the working directory, inside chroot */
	bool         no_new_privs;
	bool         no_capabilities;   /* nor can programs that it executes get any */
};

/*
 * Takes all of it, in the order that works: chroot while we still may, groups
 * before the user, and the working directory as the new user. Afterwards an
 * ordinary user has no capabilities, and no user has ambient or inheritable ones.
 * The bounding set is emptied if that is wanted, as far as CAP_SETPCAP is there: a
 * process that lacks it keeps the set, without an error. On failure returns
 * -1 with errno, and *what (static) names the step; only some of it
 * may have been taken then, and the process should end.
 */
int privileges_take(const struct privileges *p, const char **what);

/*
 * Leaves root, if this process is root and may change its user, for a process of drover itself that
 * needs no privilege: becomes `user`, or nobody if there is no such user. Where our user namespace
 * does not have that user, it stays what it is. In any case it loses all capabilities, and
 * no_new_privs is set. It reads the database of users. 0, or -1 with errno, and
 * *what (static) names the step.
 */
int privileges_leave_root(const char *user, const char **what);

#endif

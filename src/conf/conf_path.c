/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks at files as a process in a chroot will see them.
 */
#include <config.h>
#include "conf_path.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

static int open_root(const char *root)
{
	return open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* As stat(2), inside root. */
static int stat_inside(const char *root, const char *path, struct stat *st)
{
	int dir, fd, rc;

	if (!root)
		return stat(path, st);
	dir = open_root(root);
	if (dir == -1)
		return -1;
	fd = fd_open_inside(dir, path, O_PATH);
	rc = fd == -1 ? -1 : fstat(fd, st);
	fd_drop(fd);
	fd_drop(dir);
	return rc;
}

/* Not allowed to look, or a sandbox without openat2: no reason to complain. */
static bool is_hidden(int err)
{
	return err == EACCES || err == EPERM || err == ENOSYS;
}

static struct conf_path_verdict not_found(int err)
{
	if (is_hidden(err))
		return (struct conf_path_verdict){ .unseen = strerror(err), .error = err };
	return (struct conf_path_verdict){ .wrong = strerror(err), .error = err };
}

struct conf_path_verdict conf_path_judge_program(const char *root, const char *path)
{
	struct conf_path_verdict v = { 0 };
	struct stat st;

	if (stat_inside(root, path, &st) == -1)
		return not_found(errno);
	if (!S_ISREG(st.st_mode))
		v.wrong = "not a regular file";
	else if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		v.wrong = "not executable";
	return v;
}

struct conf_path_verdict conf_path_judge_directory(const char *root, const char *path)
{
	struct conf_path_verdict v = { 0 };
	struct stat st;

	if (stat_inside(root, path, &st) == -1)
		return not_found(errno);
	if (!S_ISDIR(st.st_mode))
		v.wrong = "not a directory";
	return v;
}

/* ---- with the eyes of another user -------------------------------------- */

struct ourselves {
	uid_t uid;
	gid_t gid;
	gid_t groups[NGROUPS_MAX];
	int   n_groups;                 /* -1: nothing was changed */
};

/* Effective ids only, so that there is a way back. False: we may not. */
static bool become(const struct conf_identity *id, struct ourselves *before)
{
	before->uid = geteuid();
	before->gid = getegid();
	before->n_groups = getgroups(NGROUPS_MAX, before->groups);
	if (before->n_groups == -1)
		return false;
	if (setgroups(id->n_groups, id->groups) == -1) {
		before->n_groups = -1;
		return false;
	}
	return setegid(id->gid) == 0 && seteuid(id->uid) == 0;
}

static void become_ourselves(const struct ourselves *before)
{
	if (before->n_groups == -1)
		return;
	if (seteuid(before->uid) == -1 || setegid(before->gid) == -1 ||
	    setgroups((size_t)before->n_groups, before->groups) == -1)
		abort();        /* never go on as another user */
}

/* Without a root (dir -1) not by openat2(2), which an old sandbox refuses. */
static bool is_refused(int dir, const char *path)
{
	const int fd = fd_open_inside(dir, path, O_PATH);
	const bool refused = fd == -1 ? errno == EACCES :
		faccessat(fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) == -1 && errno == EACCES;

	fd_drop(fd);
	return refused;
}

const char *conf_path_judge_access(const char *root, const char *path,
                                   const struct conf_identity *id)
{
	struct ourselves before = { .n_groups = -1 };
	bool refused = false;
	int dir = -1;

	if (id->uid == (uid_t)CONF_KEEP)
		return NULL;
	if (root && (dir = open_root(root)) == -1)
		return NULL;            /* has been complained of */
	/* Root in a sandbox may be without the capability to pass any folder. */
	if (id->uid == 0 || become(id, &before))
		refused = is_refused(dir, path);
	become_ourselves(&before);
	fd_drop(dir);
	return refused ? "permission denied" : NULL;
}

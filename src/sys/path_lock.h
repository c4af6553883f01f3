/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The right to make a file at a path, held by one process at a time: a lock file
 * beside it, PATH.drover-lock, which is there for as long as that takes. One that
 * was left behind by a process that died is used and removed by the next.
 */
#ifndef DROVER_SYS_PATH_LOCK_H
#define DROVER_SYS_PATH_LOCK_H

#include <limits.h>

struct path_lock {
	int  fd;                        /* -1: not held */
	char name[PATH_MAX];
};

/*
 * Takes the lock, without waiting. 0, or -1 with errno: EADDRINUSE if another process has it,
 * EEXIST if its name belongs to something that is not a regular file. Where the file system knows no locks,
 * all get it.
 */
int path_lock_take(struct path_lock *l, const char *path);

/* Gives it back and removes the lock file. One that is not held is fine. Keeps errno. */
void path_lock_drop(struct path_lock *l);

#endif

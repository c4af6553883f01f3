/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gives one process at a time the right to make a file at a path. The lock is a file
 * beside it, PATH.drover-lock, which exists only while the lock is held. One that was
 * left behind by a process that died is used and removed by the next process.
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
 * EEXIST if something that is not a regular file has its name. On a file system without locks,
 * every process gets it.
 */
int path_lock_take(struct path_lock *l, const char *path);

/* Gives it back and removes the lock file. One that is not held is fine. Keeps errno. */
void path_lock_drop(struct path_lock *l);

#endif

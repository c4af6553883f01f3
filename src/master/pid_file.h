/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pid file. It is complete, or it is not there.
 */
#ifndef DROVER_MASTER_PID_FILE_H
#define DROVER_MASTER_PID_FILE_H

#include <errno.h>

/* An errno of pid_file_write alone: no call that it makes gives this one. */
#define PID_FILE_EXPOSED EBADE

/*
 * Writes our pid under a temporary name and renames it. The directory must belong to root or
 * to ourselves, and without the sticky bit only root's group and ours may write to it: another
 * user could make us overwrite a file, or have an init script kill a process.
 * 0, or -1 with errno: PID_FILE_EXPOSED if the directory is not like that, EISDIR or EEXIST if
 * there is something that is not a file, a link or a FIFO, which stays.
 */
int pid_file_write(const char *path);

/* What an errno of pid_file_write means, in words. */
const char *pid_file_error(int error);

/* Removes it, if it is still ours; never waits, whatever is there. NULL is fine. */
void pid_file_remove(const char *path);

#endif

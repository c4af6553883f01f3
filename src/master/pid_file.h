/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes and removes the pid file. A reader finds it complete, or does not find it.
 */
#ifndef DROVER_MASTER_PID_FILE_H
#define DROVER_MASTER_PID_FILE_H

#include <errno.h>

/* An errno of pid_file_write: no system call that it makes sets this one. */
#define PID_FILE_EXPOSED EBADE

/*
 * Writes our pid under a temporary name and renames it. The directory must belong to root or to our
 * user, and unless it has the sticky bit, only root's group and ours may write to it: otherwise
 * another user could make us overwrite a file, or have an init script kill a process.
 * 0, or -1 with errno: PID_FILE_EXPOSED if the directory does not meet that, EISDIR or EEXIST if
 * something other than a file, a link or a FIFO is at the path, where it stays.
 */
int pid_file_write(const char *path);

/* What an errno of pid_file_write means, in words. */
const char *pid_file_error(int error);

/* Removes the file if it still holds our pid. Never waits, whatever is at the path. NULL is fine. */
void pid_file_remove(const char *path);

#endif

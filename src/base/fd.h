/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * File descriptors: closing them without losing errno, and their flags.
 */
#ifndef DROVER_BASE_FD_H
#define DROVER_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a call on a non-blocking descriptor that failed with this error may succeed later. */
bool fd_not_yet(int error);

/* The same for accept(2): also ECONNABORTED, for a client that has gone again. */
bool fd_not_yet_accepted(int error);

/*
 * As open(2), with O_CLOEXEC, inside the directory root: absolute paths, symbolic links and
 * ".." are confined to it (openat2(2), which an old sandbox refuses: ENOSYS or EPERM). root -1:
 * the root of this process. -1 with errno.
 */
int fd_open_inside(int root, const char *path, int flags);

/*
 * A pipe, a socket or /dev/null: a process that has it can neither change what others wrote there
 * nor type anything.
 */
bool fd_only_takes_bytes(int fd);

/* Closes fd if it is open (not -1), keeps errno, returns -1. */
int fd_drop(int fd);

/* Closes *fd if it is open and sets it to -1; keeps errno. */
void fd_close(int *fd);

/* Writes all len bytes to a file. 0, or -1 with errno. */
int fd_write_all(int fd, const char *bytes, size_t len);

/* Clears O_NONBLOCK of the open file description. 0, or -1 with errno. */
int fd_set_blocking(int fd);

/* O_NONBLOCK and close-on-exec for a descriptor that we were given. 0, or -1 with errno. */
int fd_adopt(int fd);

/* Sets whether fd is closed when a program is executed. 0, or -1 with errno. */
int fd_set_cloexec(int fd, bool cloexec);

/*
 * Closes all descriptors but 0, 1, 2 and the n in keep, which it sorts; -1 in keep is
 * fine. 0, or -1 with errno: then some may still be open.
 */
int fd_keep_only(int *keep, size_t n);

/* Marks all descriptors from first up close-on-exec, also those not opened by us. 0, or -1 with errno. */
int fd_cloexec_from(int first);

#endif

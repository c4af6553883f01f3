/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a child that has left the terminal looks like from inside.
 */
#ifndef DROVER_TESTS_DETACHED_H
#define DROVER_TESTS_DETACHED_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Device 1, 3: null(4). */
static inline int is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* NULL if nothing is missing. */
static inline const char *what_is_not_detached(void)
{
	return getsid(0) != getpid() ? "a session of its own" :
	       !is_null(STDIN_FILENO) ? "standard input" :
	       !is_null(STDOUT_FILENO) ? "standard output" : NULL;
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * setsid, and /dev/null for standard input and output.
 */
#include <config.h>
#include "detach.h"

#include <fcntl.h>
#include <unistd.h>

#include "fd.h"

/* A session leader without a terminal acquires the first one it opens, unless it uses O_NOCTTY. */
static int leave_input_and_output(void)
{
	const int null = open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1)
		return fd_drop(null);
	if (null > STDERR_FILENO)
		fd_drop(null);
	return 0;
}

int detach_from_terminal(void)
{
	return setsid() == -1 ? -1 : leave_input_and_output();
}

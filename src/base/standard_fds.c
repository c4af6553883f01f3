/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens /dev/null as descriptors 0, 1 and 2.
 */
#include <config.h>
#include "standard_fds.h"

#include <fcntl.h>
#include <unistd.h>

#include "fd.h"

/* open(2) takes the lowest number that is free. */
void standard_fds_ensure(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd != -1 && fd <= STDERR_FILENO);
	fd_drop(fd);
}

/* A session leader without a terminal acquires the first one it opens, unless it uses O_NOCTTY. */
int standard_fds_leave_in_out(void)
{
	const int null = open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1)
		return fd_drop(null);
	if (null > STDERR_FILENO)
		fd_drop(null);
	return 0;
}

void standard_fds_leave_err(void)
{
	dup2(STDIN_FILENO, STDERR_FILENO);
}

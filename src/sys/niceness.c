/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls setpriority(2), and writes the value for the session to /proc/self/autogroup.
 */
#include <config.h>
#include "niceness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fd.h"

/* Best effort: not every kernel has such groups, and an ordinary user may set it ten times a second. */
static void set_of_session(int nice)
{
	const int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	char text[16];
	const int len = snprintf(text, sizeof text, "%d", nice);

	if (fd != -1)
		(void)!write(fd, text, (size_t)len);
	fd_drop(fd);
}

int niceness_set(int nice)
{
	if (setpriority(PRIO_PROCESS, 0, nice) == -1)
		return -1;
	set_of_session(nice);
	return 0;
}

int niceness_raise_to(int nice)
{
	int now;

	errno = 0;
	now = getpriority(PRIO_PROCESS, 0);
	if (now == -1 && errno != 0)
		return -1;
	return now >= nice ? 0 : niceness_set(nice);
}

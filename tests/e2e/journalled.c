/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a droverd whose journal is the socket that TEST_JOURNAL names: the real one belongs to
 * the machine.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int __real_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);

static int is_journal(const struct sockaddr *to)
{
	const struct sockaddr_un *un = (const void *)to;

	return to->sa_family == AF_UNIX && strcmp(un->sun_path, "/run/systemd/journal/socket") == 0;
}

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	const char *path = getenv("TEST_JOURNAL");
	struct sockaddr_un ours = { .sun_family = AF_UNIX };

	if (!path || !is_journal(to))
		return __real_connect(fd, to, len);
	snprintf(ours.sun_path, sizeof ours.sun_path, "%s", path);
	return __real_connect(fd, (const struct sockaddr *)&ours, sizeof ours);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens the two pipes, or the terminal, between a worker and a process of a filter. It does not
 * know what is written to them.
 */
#include <config.h>
#include "filter_channel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "fd.h"

static int set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK);
}

static int open_pipes(struct filter_channel *c)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) == -1)
		return -1;
	c->in = to[0];
	c->to = to[1];
	if (pipe2(from, O_CLOEXEC) == -1)
		return -1;
	c->from = from[0];
	c->out = from[1];
	return set_nonblocking(c->to) == -1 ? -1 : set_nonblocking(c->from);
}

/* A terminal that changes no byte, and is the controlling terminal of no process. */
static int open_terminal(struct filter_channel *c)
{
	struct termios t;

	c->from = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (c->from == -1 || unlockpt(c->from) == -1)
		return -1;
	c->to = fcntl(c->from, F_DUPFD_CLOEXEC, 0);
	/* Not by its name: our root directory may have no /dev/pts. */
	c->in = c->out = ioctl(c->from, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->to == -1 || c->in == -1 || tcgetattr(c->in, &t) == -1)
		return -1;
	cfmakeraw(&t);
	return tcsetattr(c->in, TCSANOW, &t);
}

int filter_channel_open(struct filter_channel *c, bool pty)
{
	*c = (struct filter_channel){ -1, -1, -1, -1 };
	if ((pty ? open_terminal(c) : open_pipes(c)) == 0)
		return 0;
	filter_channel_close_theirs(c);
	fd_close(&c->from);
	fd_close(&c->to);
	return -1;
}

void filter_channel_close_theirs(struct filter_channel *c)
{
	if (c->out != c->in)
		fd_drop(c->out);
	c->out = -1;
	fd_close(&c->in);
}

size_t filter_channel_unread(int to, bool pty)
{
	int n = 0;

	/* For a terminal that cannot be found out. */
	return pty || ioctl(to, FIONREAD, &n) == -1 ? 0 : (size_t)n;
}

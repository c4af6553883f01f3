/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stream over a plain socket: each function is one system call, or none.
 */
#include <config.h>
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "fd.h"
#include "list.h"

/*
 * Edge-triggered events save the kernel a look at the socket in each turn. An edge is reported
 * once: stream_has_more knows when there may be more.
 */
#define BY_EDGE (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET)

static const struct {
	uint32_t by_edge, by_level;
} interests[] = {
	[STREAM_NOTHING]       = { 0,                  0 },
	[STREAM_NEXT_BYTES]    = { BY_EDGE,            EPOLLIN },
	/* By edge, the same as STREAM_NEXT_BYTES: so a request costs no epoll_ctl(2). */
	[STREAM_NO_BYTES]      = { BY_EDGE,            EPOLLHUP },
	[STREAM_BYTES]         = { EPOLLIN,            EPOLLIN },
	[STREAM_MORE_BYTES]    = { BY_EDGE,            BY_EDGE },
	[STREAM_ROOM]          = { EPOLLOUT,           EPOLLOUT },
	[STREAM_BYTES_OR_ROOM] = { EPOLLIN | EPOLLOUT, EPOLLIN | EPOLLOUT },
	/* epoll(7) reports a socket that is hung up whatever it is watched for. */
	[STREAM_GONE]          = { EPOLLET,            EPOLLET },
};

static uint32_t interest(const struct stream *s, enum stream_wait wait)
{
	return s->by_edge ? interests[wait].by_edge : interests[wait].by_level;
}

static void on_ready(struct watch *w, uint32_t events)
{
	struct stream *s = container_of(w, struct stream, watch);

	s->ready(s, events);
}

void stream_open(struct stream *s, int fd, int family, bool only_ours,
                 void (*ready)(struct stream *s, uint32_t events))
{
	*s = (struct stream){
		.watch = { .fd = fd, .ready = on_ready },
		/*
		 * From a unix socket, a read also stops where descriptors were sent with the bytes:
		 * a short read does not prove that there is no more.
		 */
		.by_edge = family != AF_UNIX,
		.only_ours = only_ours,
		.ready = ready,
	};
}

/* Before its close. */
static void unwatch(struct stream *s, struct loop *l)
{
	if (s->only_ours)
		loop_unwatch_by_close(&s->watch);
	else
		loop_unwatch(l, &s->watch);
}

void stream_close(struct stream *s, struct loop *l)
{
	unwatch(s, l);
	fd_close(&s->watch.fd);
}

void stream_retire(struct stream *s, struct loop *l, void (*reclaim)(struct watch *w))
{
	unwatch(s, l);
	loop_reclaim(l, &s->watch, reclaim);
	fd_close(&s->watch.fd);
}

void stream_hang_up(struct stream *s, struct loop *l, char *scratch, size_t size)
{
	if (!stream_is_open(s))
		return;
	unwatch(s, l);
	shutdown(s->watch.fd, SHUT_RDWR);
	while (recv(s->watch.fd, scratch, size, 0) > 0)
		;
	fd_close(&s->watch.fd);
}

int stream_watch(struct stream *s, struct loop *l, enum stream_wait wait)
{
	return loop_rewatch(l, &s->watch, interest(s, wait));
}

int stream_watch_anew(struct stream *s, struct loop *l, enum stream_wait wait)
{
	return s->watch.events == interest(s, wait) ? loop_rearm(l, &s->watch) : stream_watch(s, l, wait);
}

ssize_t stream_receive(struct stream *s, char *bytes, size_t size)
{
	return recv(s->watch.fd, bytes, size, 0);
}

ssize_t stream_peek(const struct stream *s, char *bytes, size_t size)
{
	return recv(s->watch.fd, bytes, size, MSG_PEEK | MSG_DONTWAIT);
}

int stream_skip(struct stream *s, char *scratch, size_t len)
{
	while (len > 0) {
		const ssize_t n = recv(s->watch.fd, scratch, len, MSG_DONTWAIT);

		if (n <= 0) {
			errno = n == 0 ? ECONNRESET : errno;
			return -1;
		}
		len -= (size_t)n;
	}
	return 0;
}

/*
 * There may be more if the buffer was filled, if the end of the stream came together with the
 * bytes, or if one of them is urgent, because recv(2) stops before that one. What is watched by
 * level is reported again anyway.
 */
bool stream_has_more(const struct stream *s, size_t got, size_t size, uint32_t events)
{
	return s->by_edge && (got == size || events & (EPOLLPRI | STREAM_AT_END));
}

ssize_t stream_send(struct stream *s, const char *bytes, size_t len)
{
	return send(s->watch.fd, bytes, len, MSG_NOSIGNAL);
}

ssize_t stream_splice_in(struct stream *s, int pipe, size_t max)
{
	return splice(s->watch.fd, NULL, pipe, NULL, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

ssize_t stream_splice_out(struct stream *s, int pipe, size_t len)
{
	return splice(pipe, NULL, s->watch.fd, NULL, len, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

int stream_end(struct stream *s)
{
	return shutdown(s->watch.fd, SHUT_WR);
}

int64_t stream_untaken(const struct stream *s)
{
	int bytes = 0;

	return stream_is_open(s) && ioctl(s->watch.fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

void stream_reset_on_close(struct stream *s)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

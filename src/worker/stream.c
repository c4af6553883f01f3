/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With a plain socket each function is one system call, or none. With TLS, what the user waits
 * for and what the socket is watched for differ: OpenSSL may hold bytes of which the socket does
 * not tell, and to receive it may have to send first, and the other way round.
 */
#include <config.h>
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdlib.h>
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

struct stream_tls {
	struct tls_link *link;
	struct stream   *stream;
	struct loop     *loop;          /* lent */
	enum stream_wait wait;          /* what the user waits for */
	struct deferred  unread;        /* tells of what the link has and the socket does not tell of */
};

static uint32_t plain_interest(const struct stream *s, enum stream_wait wait)
{
	return s->by_edge ? interests[wait].by_edge : interests[wait].by_level;
}

/* ---- events with TLS ---------------------------------------------------- */

static bool wants_bytes(enum stream_wait wait)
{
	return wait == STREAM_NEXT_BYTES || wait == STREAM_BYTES || wait == STREAM_MORE_BYTES ||
	       wait == STREAM_BYTES_OR_ROOM;
}

static bool wants_room(enum stream_wait wait)
{
	return wait == STREAM_ROOM || wait == STREAM_BYTES_OR_ROOM;
}

static uint32_t tls_interest(const struct stream *s, enum stream_wait wait)
{
	const struct tls_link *l = s->tls->link;
	uint32_t events = plain_interest(s, wait);

	if (wants_bytes(wait) && tls_link_receives_after_room(l))
		events = (events & ~(uint32_t)EPOLLIN) | EPOLLOUT;
	if (wants_room(wait) && tls_link_sends_after_bytes(l))
		events = (wait == STREAM_ROOM ? 0 : events) | EPOLLIN;
	if (tls_link_is_at_end(l))      /* the socket would report it in each turn */
		events &= ~(uint32_t)(EPOLLIN | EPOLLRDHUP);
	return tls_link_is_ending(l) ? events | EPOLLOUT : events;
}

/* After each call of the link. If it fails, which takes a lack of memory, the time-outs are left. */
static int rewatch_tls(struct stream *s)
{
	struct stream_tls *t = s->tls;

	if (wants_bytes(t->wait) && tls_link_has_unread(t->link))
		loop_defer(t->loop, &t->unread);
	return loop_rewatch(t->loop, &s->watch, tls_interest(s, t->wait));
}

static void on_unread(struct deferred *d)
{
	struct stream_tls *t = container_of(d, struct stream_tls, unread);

	if (wants_bytes(t->wait) && tls_link_has_unread(t->link))
		t->stream->ready(t->stream, EPOLLIN);
}

/* What events of the socket mean for the stream. */
static uint32_t events_of_stream(const struct stream_tls *t, uint32_t events)
{
	const uint32_t in = tls_link_receives_after_room(t->link) ? EPOLLOUT : EPOLLIN;
	const uint32_t out = tls_link_sends_after_bytes(t->link) ? EPOLLIN : EPOLLOUT;

	return (events & ~(uint32_t)(EPOLLIN | EPOLLOUT)) |
	       (events & in ? EPOLLIN : 0) |
	       (events & out && wants_room(t->wait) ? EPOLLOUT : 0);
}

static void on_tls_ready(struct stream *s, uint32_t events)
{
	struct stream_tls *t = s->tls;
	const uint32_t meaning = events_of_stream(t, events);

	tls_link_stir(t->link, events & (EPOLLPRI | STREAM_AT_END));
	if (tls_link_is_ending(t->link)) {
		tls_link_end(t->link);
		rewatch_tls(s);
	}
	/* After the client's last byte, only our end was waited for: that the user sees by receiving. */
	if (meaning != 0 || (tls_link_is_at_end(t->link) && wants_bytes(t->wait)))
		s->ready(s, meaning);
}

static void on_ready(struct watch *w, uint32_t events)
{
	struct stream *s = container_of(w, struct stream, watch);

	if (s->tls)
		on_tls_ready(s, events);
	else
		s->ready(s, events);
}

/* ---- begin and end ------------------------------------------------------ */

void stream_open(struct stream *s, int fd, int family, void (*ready)(struct stream *s, uint32_t events))
{
	*s = (struct stream){
		.watch = { .fd = fd, .ready = on_ready },
		/*
		 * From a unix socket, a read also stops where descriptors were sent with the bytes:
		 * a short read does not prove that there is no more.
		 */
		.by_edge = family != AF_UNIX,
		.ready = ready,
	};
}

int stream_start_tls(struct stream *s, struct loop *l, struct tls_context *context)
{
	struct stream_tls *t = calloc(1, sizeof *t);

	if (!t)
		return -1;
	*t = (struct stream_tls){ .stream = s, .loop = l, .unread.call = on_unread,
	                          .wait = STREAM_MORE_BYTES,
	                          .link = tls_link_new(context, s->watch.fd) };
	if (!t->link) {
		free(t);
		return -1;
	}
	s->tls = t;
	return 0;
}

enum tls_progress stream_handshake(struct stream *s)
{
	const enum tls_progress p = tls_link_handshake(s->tls->link);

	rewatch_tls(s);
	return p;
}

const struct tls_link *stream_tls(const struct stream *s)
{
	return s->tls ? s->tls->link : NULL;
}

static void drop_tls(struct stream *s)
{
	struct stream_tls *t = s->tls;

	if (!t)
		return;
	loop_undefer(&t->unread);
	tls_link_free(t->link);
	free(t);
	s->tls = NULL;
}

/* Before its close. */
static void unwatch(struct stream *s, struct loop *l)
{
	drop_tls(s);
	loop_unwatch(l, &s->watch);
}

void stream_close(struct stream *s, struct loop *l)
{
	unwatch(s, l);
	fd_close(&s->watch.fd);
}

void stream_retire(struct stream *s, struct loop *l, void (*reclaim)(struct watch *w))
{
	drop_tls(s);
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
	if (!s->tls)
		return loop_rewatch(l, &s->watch, plain_interest(s, wait));
	s->tls->wait = wait;
	return rewatch_tls(s);
}

int stream_watch_anew(struct stream *s, struct loop *l, enum stream_wait wait)
{
	const uint32_t before = s->watch.events;

	if (stream_watch(s, l, wait) == -1)
		return -1;
	return s->watch.events == before && before != 0 ? loop_rearm(l, &s->watch) : 0;
}

/* ---- bytes -------------------------------------------------------------- */

static ssize_t receive_tls(struct stream *s, char *bytes, size_t size)
{
	const ssize_t n = tls_link_receive(s->tls->link, bytes, size);
	const int error = errno;

	rewatch_tls(s);
	errno = error;
	return n;
}

ssize_t stream_receive(struct stream *s, char *bytes, size_t size)
{
	if (s->tls)
		return receive_tls(s, bytes, size);
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
 * level is reported again anyway, and so is what TLS has.
 */
bool stream_has_more(const struct stream *s, size_t got, size_t size, uint32_t events)
{
	return s->by_edge && ((got == size && !s->tls) || events & (EPOLLPRI | STREAM_AT_END));
}

static ssize_t send_tls(struct stream *s, const char *bytes, size_t len)
{
	const ssize_t n = tls_link_send(s->tls->link, bytes, len);
	const int error = errno;

	rewatch_tls(s);
	errno = error;
	return n;
}

ssize_t stream_send(struct stream *s, const char *bytes, size_t len)
{
	if (s->tls)
		return send_tls(s, bytes, len);
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

static int end_tls(struct stream *s)
{
	const int result = tls_link_end(s->tls->link);

	if (result == -1 && !tls_link_is_ending(s->tls->link))
		return -1;
	rewatch_tls(s);
	return 0;
}

int stream_end(struct stream *s)
{
	return s->tls ? end_tls(s) : shutdown(s->watch.fd, SHUT_WR);
}

int stream_break_off(struct stream *s)
{
	return s->tls ? tls_link_break_off(s->tls->link) : shutdown(s->watch.fd, SHUT_WR);
}

bool stream_is_ending(const struct stream *s)
{
	return s->tls && tls_link_is_ending(s->tls->link);
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

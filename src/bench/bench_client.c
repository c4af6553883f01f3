/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drives connections, step by step. The usual exchange takes one send, one turn of epoll and one
 * recv, because on a machine with few processors the client takes its processor time from the
 * server.
 */
#include <config.h>
#include "bench_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fd.h"

#define AT_END   (EPOLLRDHUP | EPOLLHUP | EPOLLERR)
#define READABLE (EPOLLIN | AT_END)

/* A client that streams sends and receives this often before the others have their turn. */
#define STREAM_GOES 4

static enum bench_news step_closed(struct bench_lane *l, struct bench_client *c, uint32_t events);
static enum bench_news step_connect(struct bench_lane *l, struct bench_client *c, uint32_t events);
static enum bench_news step_quiet(struct bench_lane *l, struct bench_client *c, uint32_t events);
static enum bench_news step_talk(struct bench_lane *l, struct bench_client *c, uint32_t events);
static enum bench_news step_stream(struct bench_lane *l, struct bench_client *c, uint32_t events);

static enum bench_news (*const steps[])(struct bench_lane *, struct bench_client *, uint32_t) = {
	[BENCH_CLIENT_CLOSED] = step_closed,
	[BENCH_CLIENT_CONNECTING] = step_connect,
	[BENCH_CLIENT_QUIET] = step_quiet,
	[BENCH_CLIENT_TALKING] = step_talk,
	[BENCH_CLIENT_STREAMING] = step_stream,
};

/* ---- the end ------------------------------------------------------------ */

void bench_client_close(struct bench_client *c)
{
	fd_close(&c->fd);
	c->state = BENCH_CLIENT_CLOSED;
}

enum bench_news bench_client_fail(struct bench_client *c, enum failure why)
{
	c->failure = why;
	bench_client_close(c);
	return BENCH_NEWS_FAILED;
}

static enum bench_news fail_with(struct bench_client *c, int error)
{
	c->error = error;
	return bench_client_fail(c, failure_of_errno(error));
}

static enum bench_news fail_by(struct bench_client *c, enum answer_verdict verdict)
{
	return bench_client_fail(c, verdict == ANSWER_TOO_LONG ? FAILURE_TOO_LONG :
	                            verdict == ANSWER_BROKEN ? FAILURE_BAD_FRAME :
	                                                       FAILURE_WRONG_ANSWER);
}

/* An event that was reported before the connection was closed. */
static enum bench_news step_closed(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	(void)l, (void)c, (void)events;
	return BENCH_NEWS_NONE;
}

/* ---- opening ------------------------------------------------------------ */

static bool is_unix(const struct bench_lane *l)
{
	return l->plan->to.u.sa.sa_family == AF_UNIX;
}

static int make_socket(struct bench_lane *l)
{
	const int on = 1;
	int fd = socket(l->plan->to.u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1 || is_unix(l))
		return fd;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == -1 ||
	    bench_origin_bind(&l->origin, l->plan, fd) == -1)
		return fd_drop(fd);
	return fd;
}

static enum bench_news on_opened(struct bench_lane *l, struct bench_client *c)
{
	const ssize_t n = bench_origin_announce(&l->origin, l->plan, c->fd);

	if (n == -1)
		return fail_with(c, errno);
	l->bytes_sent += (uint64_t)n;
	c->state = BENCH_CLIENT_QUIET;
	c->was_open = true;
	return BENCH_NEWS_OPENED;
}

/* Watches all events, edge-triggered, so that a connection needs only this call of epoll_ctl. */
static int watch(const struct bench_lane *l, struct bench_client *c)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c };

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev);
}

enum bench_news bench_client_open(struct bench_lane *l, struct bench_client *c)
{
	bool done;

	c->was_open = false;
	c->fd = make_socket(l);
	if (c->fd == -1)
		return fail_with(c, errno);
	done = connect(c->fd, &l->plan->to.u.sa, l->plan->to.len) == 0;
	if (!done && errno == EAGAIN && is_unix(l)) {
		bench_client_close(c);
		return BENCH_NEWS_FULL;
	}
	if ((!done && errno != EINPROGRESS) || watch(l, c) == -1)
		return fail_with(c, errno);
	c->state = BENCH_CLIENT_CONNECTING;
	return done ? on_opened(l, c) : BENCH_NEWS_NONE;
}

static enum bench_news step_connect(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (events & (EPOLLERR | EPOLLHUP))
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error)
		return fail_with(c, error);
	return events & EPOLLOUT ? on_opened(l, c) : BENCH_NEWS_NONE;
}

/* ---- exchanges ---------------------------------------------------------- */

/* The server has closed, or sent bytes that were not requested. That it can be written to means nothing. */
static enum bench_news step_quiet(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	ssize_t n;

	if (!(events & READABLE))
		return BENCH_NEWS_NONE;
	n = recv(c->fd, l->scratch, sizeof l->scratch, 0);
	if (n == -1)
		return errno == EAGAIN ? BENCH_NEWS_NONE : fail_with(c, errno);
	l->bytes_received += (uint64_t)n;
	return bench_client_fail(c, n > 0 ? FAILURE_UNASKED : FAILURE_EARLY_END);
}

static bool all_is_sent(const struct bench_lane *l, const struct bench_client *c)
{
	return c->sent == l->plan->message.len;
}

/* Sends as much as there is room for. */
static enum bench_news send_request(struct bench_lane *l, struct bench_client *c)
{
	const struct bench_plan *p = l->plan;
	ssize_t n = 0;

	if (p->message.len)
		n = send(c->fd, c->request + c->sent, p->message.len - c->sent, MSG_NOSIGNAL);
	if (n == -1)
		return errno == EAGAIN ? BENCH_NEWS_NONE : fail_with(c, errno);
	c->sent += (size_t)n;
	l->bytes_sent += (uint64_t)n;
	if (!all_is_sent(l, c) || (p->answer.kind != ANSWER_EOF && p->answer.kind != ANSWER_NONE))
		return BENCH_NEWS_NONE;
	if (p->answer.kind == ANSWER_EOF)
		return shutdown(c->fd, SHUT_WR) == -1 ? fail_with(c, errno) : BENCH_NEWS_NONE;
	c->state = BENCH_CLIENT_QUIET;
	return BENCH_NEWS_ANSWERED;
}

static enum bench_news judge_answer(struct bench_lane *l, struct bench_client *c, size_t n)
{
	const struct answer_rule *rule = &l->plan->answer;
	enum answer_verdict verdict;
	size_t used;

	if (rule->kind == ANSWER_NONE)
		return bench_client_fail(c, FAILURE_UNASKED);
	verdict = answer_take(rule, &c->answer, c->request, l->plan->message.len, l->scratch, n, &used);
	if (verdict == ANSWER_MORE)
		return BENCH_NEWS_NONE;
	if (verdict != ANSWER_COMPLETE)
		return fail_by(c, verdict);
	if (used < n)
		return bench_client_fail(c, FAILURE_UNASKED);
	/* A server that has answered before it read the whole request will not read the rest. */
	if (!all_is_sent(l, c))
		return bench_client_fail(c, FAILURE_UNASKED);
	c->state = BENCH_CLIENT_QUIET;
	return BENCH_NEWS_ANSWERED;
}

static enum bench_news server_ended(struct bench_lane *l, struct bench_client *c)
{
	if (!all_is_sent(l, c) ||
	    answer_end(&l->plan->answer, &c->answer, l->plan->message.len) != ANSWER_COMPLETE)
		return bench_client_fail(c, FAILURE_EARLY_END);
	bench_client_close(c);
	return BENCH_NEWS_ANSWERED;
}

/*
 * Reads until the answer is complete or there is nothing more to read. A short read has taken all
 * there was, and what comes later causes another edge. There are two exceptions: the end may have
 * come with the bytes, and a read from a unix socket may also stop elsewhere.
 */
static enum bench_news receive_answer(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	enum bench_news news;
	ssize_t n;

	do {
		n = recv(c->fd, l->scratch, sizeof l->scratch, 0);
		if (n == 0)
			return server_ended(l, c);
		if (n == -1)
			return errno == EAGAIN ? BENCH_NEWS_NONE : fail_with(c, errno);
		l->bytes_received += (uint64_t)n;
		news = judge_answer(l, c, (size_t)n);
	} while (news == BENCH_NEWS_NONE &&
	         (n == (ssize_t)sizeof l->scratch || events & AT_END || is_unix(l)));
	return news;
}

static enum bench_news step_talk(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	if (!all_is_sent(l, c) && events & EPOLLOUT) {
		const enum bench_news news = send_request(l, c);

		if (news != BENCH_NEWS_NONE)
			return news;
	}
	return events & READABLE ? receive_answer(l, c, events) : BENCH_NEWS_NONE;
}

enum bench_news bench_client_talk(struct bench_lane *l, struct bench_client *c)
{
	c->state = BENCH_CLIENT_TALKING;
	c->request = message_next(&l->plan->message, &l->message_turn);
	c->sent = 0;
	c->answer = (struct answer){ 0 };
	return send_request(l, c);
}

/* ---- streams ------------------------------------------------------------ */

/* Finds an offset of the message, which is repeated without end. Returns what lies there in one piece. */
static size_t piece_at(const struct message *m, uint64_t offset, const char **at)
{
	const size_t in = (size_t)(offset % m->len);

	*at = m->bytes + in;
	return m->len - in;
}

/* True if more can be sent. */
static bool stream_out(struct bench_lane *l, struct bench_client *c, int *error)
{
	const char *at;
	const size_t len = piece_at(&l->plan->message, c->streamed_out, &at);
	const ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);

	if (n == -1) {
		*error = errno == EAGAIN ? 0 : errno;
		return false;
	}
	c->streamed_out += (uint64_t)n;
	l->bytes_sent += (uint64_t)n;
	return (size_t)n == len;
}

static bool stream_is_right(const struct bench_lane *l, const struct bench_client *c, size_t n)
{
	const char *want, *got = l->scratch;
	uint64_t offset = c->streamed_in;

	if (n > c->streamed_out - c->streamed_in)
		return false;
	while (n > 0) {
		size_t len = piece_at(&l->plan->message, offset, &want);

		len = len < n ? len : n;
		if (memcmp(got, want, len) != 0)
			return false;
		got += len;
		offset += len;
		n -= len;
	}
	return true;
}

/* True if there may be more to receive. *failed is set if the connection was closed as failed. */
static bool stream_in(struct bench_lane *l, struct bench_client *c, bool *failed)
{
	const ssize_t n = recv(c->fd, l->scratch, sizeof l->scratch, 0);

	if (n == -1 && errno == EAGAIN)
		return false;
	*failed = true;
	if (n == -1)
		fail_with(c, errno);
	else if (n == 0)
		bench_client_fail(c, FAILURE_EARLY_END);
	else if (l->plan->stream == BENCH_STREAM_SEND)
		bench_client_fail(c, FAILURE_UNASKED);
	else if (l->plan->answer.echo && !stream_is_right(l, c, (size_t)n))
		bench_client_fail(c, FAILURE_WRONG_ANSWER);
	else
		*failed = false;
	if (*failed)
		return false;
	c->streamed_in += (uint64_t)n;
	l->bytes_received += (uint64_t)n;
	return true;
}

static enum bench_news step_stream(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	const uint64_t before = c->streamed_in + c->streamed_out;
	bool can_send = l->plan->stream != BENCH_STREAM_RECEIVE && events & EPOLLOUT;
	bool can_receive = events & READABLE, failed = false;
	int error = 0;

	for (int i = 0; i < STREAM_GOES && (can_send || can_receive); i++) {
		can_send = can_send && stream_out(l, c, &error);
		if (error)
			return fail_with(c, error);
		can_receive = can_receive && stream_in(l, c, &failed);
		if (failed)
			return BENCH_NEWS_FAILED;
	}
	if (c->streamed_in + c->streamed_out == before)
		return BENCH_NEWS_NONE;
	return can_send || can_receive ? BENCH_NEWS_MORE : BENCH_NEWS_MOVED;
}

enum bench_news bench_client_stream(struct bench_lane *l, struct bench_client *c)
{
	if (c->state != BENCH_CLIENT_STREAMING)
		c->streamed_in = c->streamed_out = 0;
	c->state = BENCH_CLIENT_STREAMING;
	return step_stream(l, c, EPOLLIN | EPOLLOUT);
}

enum bench_news bench_client_step(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	return steps[c->state](l, c, events);
}

bool bench_client_has_more(enum bench_client_state from, uint32_t events)
{
	return events & (from == BENCH_CLIENT_CONNECTING ? READABLE : AT_END);
}

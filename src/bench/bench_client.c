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
#include <sys/epoll.h>
#include <sys/socket.h>

#include "clock.h"
#include "fd.h"

#define AT_END   (EPOLLRDHUP | EPOLLHUP | EPOLLERR)
#define READABLE (EPOLLIN | AT_END)

/* A client that streams sends and receives this often before the others have their turn. */
#define STREAM_GOES 4

static enum bench_news step_closed(struct bench_lane *l, struct bench_client *c, uint32_t events);
static enum bench_news step_connect(struct bench_lane *l, struct bench_client *c, uint32_t events);
static enum bench_news step_handshake(struct bench_lane *l, struct bench_client *c, uint32_t events);
static enum bench_news step_quiet(struct bench_lane *l, struct bench_client *c, uint32_t events);
static enum bench_news step_talk(struct bench_lane *l, struct bench_client *c, uint32_t events);
static enum bench_news step_stream(struct bench_lane *l, struct bench_client *c, uint32_t events);

static enum bench_news (*const steps[])(struct bench_lane *, struct bench_client *, uint32_t) = {
	[BENCH_CLIENT_CLOSED] = step_closed,
	[BENCH_CLIENT_CONNECTING] = step_connect,
	[BENCH_CLIENT_HANDSHAKING] = step_handshake,
	[BENCH_CLIENT_QUIET] = step_quiet,
	[BENCH_CLIENT_TALKING] = step_talk,
	[BENCH_CLIENT_STREAMING] = step_stream,
};

/* ---- the end ------------------------------------------------------------ */

static void close_socket(struct bench_client *c, bool orderly)
{
	if (c->tls)
		bench_tls_stream_close(c->tls, orderly);
	c->tls = NULL;
	fd_close(&c->fd);
	c->state = BENCH_CLIENT_CLOSED;
}

void bench_client_close(struct bench_client *c)
{
	close_socket(c, true);
}

enum bench_news bench_client_fail(struct bench_client *c, enum failure why)
{
	c->failure = why;
	c->reason = NULL;
	close_socket(c, false);
	return BENCH_NEWS_FAILED;
}

static enum bench_news fail_with(struct bench_client *c, int error)
{
	c->error = error;
	return bench_client_fail(c, failure_of_errno(error));
}

/* After a call that moves bytes has failed: by the error of the socket, or of TLS. */
static enum bench_news fail_to_move(struct bench_client *c)
{
	const int error = errno;
	struct bench_tls_fault fault;

	if (!c->tls || error != EPROTO)
		return fail_with(c, error);
	fault = bench_tls_stream_fault(c->tls);
	bench_client_fail(c, fault.kind);
	c->reason = fault.reason;
	return BENCH_NEWS_FAILED;
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

/* ---- plain or by TLS ---------------------------------------------------- */

static ssize_t receive(struct bench_lane *l, struct bench_client *c)
{
	return c->tls ? bench_tls_stream_receive(c->tls, l->scratch, sizeof l->scratch)
	              : recv(c->fd, l->scratch, sizeof l->scratch, 0);
}

static ssize_t send_bytes(struct bench_client *c, const char *bytes, size_t len)
{
	return c->tls ? bench_tls_stream_send(c->tls, bytes, len) : send(c->fd, bytes, len, MSG_NOSIGNAL);
}

/* Ends our direction. Only TLS may have to do it later (EAGAIN). */
static int end_sending(struct bench_client *c)
{
	return c->tls ? bench_tls_stream_end(c->tls) : shutdown(c->fd, SHUT_WR);
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

static enum bench_news on_opened(struct bench_client *c)
{
	c->state = BENCH_CLIENT_QUIET;
	c->was_open = true;
	return BENCH_NEWS_OPENED;
}

static enum bench_news step_handshake(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	(void)l, (void)events;
	if (bench_tls_stream_handshake(c->tls) == 1)
		return on_opened(c);
	return errno == EAGAIN ? BENCH_NEWS_NONE : fail_to_move(c);
}

/* The PROXY header is sent before TLS begins. */
static enum bench_news on_connected(struct bench_lane *l, struct bench_client *c)
{
	const ssize_t n = bench_origin_announce(&l->origin, l->plan, c->fd);

	if (n == -1)
		return fail_with(c, errno);
	l->bytes_sent += (uint64_t)n;
	if (!l->tls)
		return on_opened(c);
	c->handshake_ns = clock_ns();
	c->tls = bench_tls_stream_open(l->tls, c->fd);
	if (!c->tls)
		return fail_with(c, errno);
	c->state = BENCH_CLIENT_HANDSHAKING;
	return step_handshake(l, c, 0);
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
	return done ? on_connected(l, c) : BENCH_NEWS_NONE;
}

static enum bench_news step_connect(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (events & (EPOLLERR | EPOLLHUP))
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error)
		return fail_with(c, error);
	return events & EPOLLOUT ? on_connected(l, c) : BENCH_NEWS_NONE;
}

/* ---- exchanges ---------------------------------------------------------- */

/* The server has closed, or sent bytes that were not requested. That it can be written to means nothing. */
static enum bench_news step_quiet(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	ssize_t n;

	if (!(events & READABLE))
		return BENCH_NEWS_NONE;
	n = receive(l, c);
	if (n == -1)
		return errno == EAGAIN ? BENCH_NEWS_NONE : fail_to_move(c);
	l->bytes_received += (uint64_t)n;
	return bench_client_fail(c, n > 0 ? FAILURE_UNASKED : FAILURE_EARLY_END);
}

static bool all_is_sent(const struct bench_lane *l, const struct bench_client *c)
{
	return c->sent == l->plan->message.len;
}

/* After the whole request: the end of our direction, if that is what the server waits for. */
static enum bench_news end_request(struct bench_client *c)
{
	c->to_end = true;
	if (end_sending(c) == -1)
		return errno == EAGAIN ? BENCH_NEWS_NONE : fail_to_move(c);
	c->to_end = false;
	return BENCH_NEWS_NONE;
}

/* Sends as much as there is room for. */
static enum bench_news send_request(struct bench_lane *l, struct bench_client *c)
{
	const struct bench_plan *p = l->plan;
	ssize_t n = 0;

	if (!all_is_sent(l, c))
		n = send_bytes(c, c->request + c->sent, p->message.len - c->sent);
	if (n == -1)
		return errno == EAGAIN ? BENCH_NEWS_NONE : fail_to_move(c);
	c->sent += (size_t)n;
	l->bytes_sent += (uint64_t)n;
	if (!all_is_sent(l, c) || (p->answer.kind != ANSWER_EOF && p->answer.kind != ANSWER_NONE))
		return BENCH_NEWS_NONE;
	if (p->answer.kind == ANSWER_EOF)
		return end_request(c);
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
	if (c->tls && bench_tls_stream_was_cut(c->tls))
		return bench_client_fail(c, FAILURE_NO_CLOSE_NOTIFY);
	bench_client_close(c);
	return BENCH_NEWS_ANSWERED;
}

/*
 * Reads until the answer is complete or there is nothing more to read. A short read has taken all
 * there was, and what comes later causes another edge. There are exceptions: the end may have
 * come with the bytes, and a read from a unix socket or of TLS may also stop elsewhere.
 */
static enum bench_news receive_answer(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	enum bench_news news;
	ssize_t n;

	do {
		n = receive(l, c);
		if (n == 0)
			return server_ended(l, c);
		if (n == -1)
			return errno == EAGAIN ? BENCH_NEWS_NONE : fail_to_move(c);
		l->bytes_received += (uint64_t)n;
		news = judge_answer(l, c, (size_t)n);
	} while (news == BENCH_NEWS_NONE &&
	         (n == (ssize_t)sizeof l->scratch || events & AT_END || is_unix(l) || c->tls));
	return news;
}

static enum bench_news step_talk(struct bench_lane *l, struct bench_client *c, uint32_t events)
{
	if ((!all_is_sent(l, c) || c->to_end) && events & EPOLLOUT) {
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
	c->to_end = false;
	c->answer = (struct answer){ 0 };
	return send_request(l, c);
}

/* ---- streams ------------------------------------------------------------ */

/* True if more can be sent. *failed is set if the connection was closed as failed. */
static bool stream_out(struct bench_lane *l, struct bench_client *c, bool *failed)
{
	const char *at;
	const size_t len = message_piece(&l->plan->message, c->streamed_out, &at);
	const ssize_t n = send_bytes(c, at, len);

	if (n == -1) {
		*failed = errno != EAGAIN;
		if (*failed)
			fail_to_move(c);
		return false;
	}
	c->streamed_out += (uint64_t)n;
	l->bytes_sent += (uint64_t)n;
	return (size_t)n == len;
}

static bool stream_is_right(const struct bench_lane *l, const struct bench_client *c, size_t n)
{
	return n <= c->streamed_out - c->streamed_in &&
	       message_is_at(&l->plan->message, c->streamed_in, l->scratch, n);
}

/* True if there may be more to receive. *failed as above. */
static bool stream_in(struct bench_lane *l, struct bench_client *c, bool *failed)
{
	const ssize_t n = receive(l, c);

	if (n == -1 && errno == EAGAIN)
		return false;
	*failed = true;
	if (n == -1)
		fail_to_move(c);
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

	for (int i = 0; i < STREAM_GOES && (can_send || can_receive); i++) {
		can_send = can_send && stream_out(l, c, &failed);
		can_receive = !failed && can_receive && stream_in(l, c, &failed);
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
	/* TLS may have to read before it can write, and the other way round. */
	if (c->tls && events & (EPOLLIN | EPOLLOUT))
		events |= EPOLLIN | EPOLLOUT;
	return steps[c->state](l, c, events);
}

bool bench_client_has_more(enum bench_client_state from, uint32_t events)
{
	const bool opens = from == BENCH_CLIENT_CONNECTING || from == BENCH_CLIENT_HANDSHAKING;

	return events & (opens ? READABLE : AT_END);
}

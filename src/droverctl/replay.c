/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends, shuts down its side, and receives until the other side has ended the connection too, or is
 * silent for a while. It receives while it sends: a server may answer before it has read everything.
 */
#include <config.h>
#include "replay.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "crash.h"
#include "fd.h"
#include "json_value.h"
#include "memory.h"
#include "patience.h"
#include "show.h"
#include "target.h"
#include "text.h"
#include "value.h"

#define ANSWER_KEPT  4096               /* bytes of the answer that are printed */
#define ANSWER_LIMIT (1 << 20)          /* after that many, nothing more is received */
#define LINE_ROOM    (4 * ANSWER_KEPT + 1)

enum replay_end { END_NOT_YET, END_CLOSED, END_RESET, END_SILENT, END_TOO_LONG };

static const struct {
	const char *word, *phrase;
} ends[] = {
	[END_CLOSED]   = { "closed",   "the end of the connection" },
	[END_RESET]    = { "reset",    "a reset of the connection" },
	[END_SILENT]   = { "silent",   "nothing more in time; the connection was still open" },
	[END_TOO_LONG] = { "too-long", "still more, which was not received" },
};

struct replay {
	int             fd;
	const char     *bytes;
	size_t          len, sent;
	bool            refused;        /* the other side takes nothing more */
	char            answer[ANSWER_KEPT];
	size_t          kept, received;
	enum replay_end end;
};

/* ---- the exchange ------------------------------------------------------- */

/* What has come before a reset can still be received. */
static void send_more(struct replay *r)
{
	const ssize_t n = send(r->fd, r->bytes + r->sent, r->len - r->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n == -1)
		r->refused = !fd_not_yet(errno);
	else
		r->sent += (size_t)n;
	if (r->sent == r->len)
		shutdown(r->fd, SHUT_WR);
}

static void receive_more(struct replay *r)
{
	char buf[ANSWER_KEPT];
	const ssize_t n = recv(r->fd, buf, sizeof buf, MSG_DONTWAIT);
	const size_t room = sizeof r->answer - r->kept;
	size_t keep;

	if (n == -1) {
		r->end = fd_not_yet(errno) ? END_NOT_YET : END_RESET;
		return;
	}
	keep = (size_t)n < room ? (size_t)n : room;
	memcpy(r->answer + r->kept, buf, keep);
	r->kept += keep;
	r->received += (size_t)n;
	if (n == 0)
		r->end = r->refused ? END_RESET : END_CLOSED;
	else if (r->received >= ANSWER_LIMIT)
		r->end = END_TOO_LONG;
}

static void exchange(struct replay *r)
{
	while (r->end == END_NOT_YET) {
		const bool sends = r->sent < r->len && !r->refused;
		struct pollfd p = { .fd = r->fd, .events = (short)(POLLIN | (sends ? POLLOUT : 0)) };
		const int n = poll(&p, 1, patience_ms(PATIENCE_REPLAY));

		if (n == 0)
			r->end = END_SILENT;
		if (n > 0 && p.revents & (POLLIN | POLLHUP | POLLERR))
			receive_more(r);
		if (n > 0 && sends && p.revents & POLLOUT)
			send_more(r);
	}
}

/* A connected socket; -1 with errno. */
static int connect_to(const struct address *to)
{
	struct pollfd p = { .fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	                    .events = POLLOUT };
	socklen_t len = sizeof errno;
	int error = 0;

	if (p.fd == -1 || connect(p.fd, &to->u.sa, to->len) == 0)
		return p.fd;
	if (errno != EINPROGRESS)
		return fd_drop(p.fd);
	if (poll(&p, 1, patience_ms(PATIENCE_REPLAY)) != 1)
		error = ETIMEDOUT;
	else if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error == 0)
		return p.fd;
	errno = error;
	return fd_drop(p.fd);
}

/* ---- the result --------------------------------------------------------- */

/* One line of the answer on each line, with its newline as it came: escaped. */
static void print_answer(const struct replay *r, FILE *out)
{
	char line[LINE_ROOM];
	size_t at = 0;

	while (at < r->kept) {
		const char *newline = memchr(r->answer + at, '\n', r->kept - at);
		const size_t len = newline ? (size_t)(newline + 1 - r->answer) - at : r->kept - at;
		struct text t = text_in(line, sizeof line);

		text_add_safe(&t, r->answer + at, len);
		fprintf(out, "  %s\n", line);
		at += len;
	}
	if (r->received > r->kept)
		fprintf(out, "  (and %zu bytes more)\n", r->received - r->kept);
}

static void print_result(const struct replay *r, const char *to, FILE *out)
{
	fprintf(out, "sent %zu of %zu bytes to %s\nreceived %zu bytes, then %s\n", r->sent, r->len, to,
	        r->received, ends[r->end].phrase);
	print_answer(r, out);
}

static void print_json(const struct replay *r, FILE *out)
{
	json_t *result = json_pack("{s:I, s:I, s:I, s:s, s:o}", "captured", (json_int_t)r->len,
	                           "sent", (json_int_t)r->sent, "received", (json_int_t)r->received,
	                           "end", ends[r->end].word, "answer", json_value_hex(r->answer, r->kept));

	if (!result)
		memory_lacks();
	show_json(result, isatty(STDOUT_FILENO), out);
	json_decref(result);
}

/* ---- the report --------------------------------------------------------- */

/* False after an error was printed: what is left of the client's bytes does not begin at the beginning. */
static bool is_whole(const json_t *report, size_t n)
{
	const double all = value_number_at(report, "connection.bytes_in");

	if (n == 0)
		fputs("droverctl: the report has no captured bytes (crash_capture was 0, or the worker"
		      " was at work for no connection that had sent any)\n", stderr);
	else if (all > (double)n)
		fprintf(stderr, "droverctl: the report has only the last %zu of %.0f bytes that the client"
		        " had sent: a replay would begin in the middle (a larger crash_capture keeps"
		        " more)\n", n, all);
	else
		return true;
	return false;
}

static int replay_bytes(const char *bytes, size_t len, const char *to, bool json, FILE *out)
{
	struct replay r = { .bytes = bytes, .len = len };
	char complaint[TARGET_COMPLAINT_MAX];
	struct address address;
	const enum target_outcome outcome = target_find(to, &address, complaint);

	if (outcome != TARGET_FOUND) {
		fprintf(stderr, "droverctl: --replay: %s\n", complaint);
		return outcome == TARGET_WRONG ? EX_USAGE : EX_UNAVAILABLE;
	}
	r.fd = connect_to(&address);
	if (r.fd == -1) {
		fprintf(stderr, "droverctl: --replay: connect to %s: %s\n", to, strerror(errno));
		return EX_UNAVAILABLE;
	}
	exchange(&r);
	fd_close(&r.fd);
	if (json)
		print_json(&r, out);
	else
		print_result(&r, to, out);
	return r.end == END_SILENT && r.sent < r.len ? EXIT_FAILURE : EX_OK;
}

int replay_crash(const json_t *report, const char *to, bool json, FILE *out)
{
	size_t len;
	char *bytes = crash_input(report, &len);
	int status = EXIT_FAILURE;

	if (!bytes) {
		fputs("droverctl: drover's answer to crashes is not understood\n", stderr);
		return EX_SOFTWARE;
	}
	if (is_whole(report, len))
		status = replay_bytes(bytes, len, to, json, out);
	free(bytes);
	return status;
}

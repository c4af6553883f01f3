/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes from a client of the control socket, in pieces: each line of them gets exactly one
 * answer, which is one JSON object; a line that is too long gets the last one. The first byte says
 * how large the pieces are. "hold" is a command whose answer comes later; the answer of any other
 * request is what was understood of it.
 */
#include <config.h>

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control_client.h"
#include "fuzz.h"
#include "log.h"

#define INPUT_MAX   8192                /* fits into a socket */
#define PIECES_MAX  64                  /* the last one is all that is left */
#define ANSWERS_MAX ((size_t)4 << 20)   /* all that so many lines could get */

static struct {
	struct loop            loop;
	struct control_client *client;  /* NULL: it is closed */
	int                    other_end;
	struct timer           end_of_turn;
	size_t                 n_lines; /* that were given to us */
	bool                   is_held;
	size_t                 n_answers;
	size_t                 len;     /* of answers */
	char                   answers[ANSWERS_MAX];
} t;

/* ---- the owner of the client -------------------------------------------- */

static json_t *echo_of(const struct control_request *r)
{
	json_t *object = json_pack("{s:s, s:b}", "command", r->command, "now", (int)r->now);

	for (int key = 0; key < CONTROL_KEYS; key++)
		if (r->given & CONTROL_HAS(key))
			json_object_set_new(object, control_key_name((enum control_key)key), json_true());
	assert(object);
	assert(!(r->given & CONTROL_HAS(CONTROL_KEY_SERVICE)) == !r->service);
	assert(!(r->given & CONTROL_HAS(CONTROL_KEY_TO)) == !r->to);
	assert(!(r->given & CONTROL_HAS(CONTROL_KEY_CONNECTION)) == !r->connection);
	assert(!(r->given & CONTROL_HAS(CONTROL_KEY_CRASH)) == !r->crash);
	return object;
}

static void on_line(void *arg, struct control_client *c, const char *line, size_t len)
{
	struct control_request r;
	char why[256] = "";

	(void)arg;
	assert(c == t.client && !t.is_held && len < CONTROL_LINE_MAX && !memchr(line, '\n', len));
	t.n_lines++;
	if (!control_request_parse(&r, line, len, why, sizeof why)) {
		assert(why[0] != '\0' && !r.root);
		control_client_refuse(c, CONTROL_BAD_REQUEST, "%s", why);
		return;
	}
	if (strcmp(r.command, "hold") == 0) {
		t.is_held = true;
		control_client_hold(c, CLIENT_WAITING);
	} else {
		control_client_answer(c, echo_of(&r));
	}
	control_request_free(&r);
}

static void on_closed(void *arg, struct control_client *c)
{
	(void)arg;
	assert(c == t.client);
	t.client = NULL;
}

/* ---- turns of the loop -------------------------------------------------- */

static void stop(struct timer *timer)
{
	(void)timer;
	loop_stop(&t.loop);
}

static bool can_read(void)
{
	struct pollfd p = { .fd = t.client->watch.fd, .events = POLLIN };

	return !t.is_held && poll(&p, 1, 0) == 1;
}

static void hear(void)
{
	ssize_t n;

	while ((n = recv(t.other_end, t.answers + t.len, sizeof t.answers - t.len, MSG_DONTWAIT)) > 0)
		t.len += (size_t)n;
	assert(t.len < sizeof t.answers);
}

/* Turns until there is nothing more to read at both ends. */
static void turn(void)
{
	do {
		loop_timer(&t.loop, &t.end_of_turn, 0);
		assert(loop_run(&t.loop) == 0);
		hear();
	} while (t.client && can_read());
}

static void release(void)
{
	t.is_held = false;
	if (t.client)
		control_client_answer(t.client, json_true());
	turn();
}

/* ---- the other end ------------------------------------------------------ */

/* False when the server has closed the connection. */
static bool say(const char *bytes, size_t len)
{
	const bool ok = send(t.other_end, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;

	turn();
	while (t.is_held)
		release();
	return ok && t.client;
}

static void say_in_pieces(const char *bytes, size_t len, size_t piece)
{
	size_t at = 0;

	for (int n = 1; at < len; n++) {
		const size_t next = len - at < piece || n == PIECES_MAX ? len - at : piece;

		if (!say(bytes + at, next))
			return;
		at += next;
	}
}

static void check_answers(void)
{
	const char *at = t.answers, *const end = t.answers + t.len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		json_t *answer;

		assert(newline);
		answer = json_loadb(at, (size_t)(newline - at), JSON_REJECT_DUPLICATES, NULL);
		assert(json_is_object(answer) && json_is_boolean(json_object_get(answer, "ok")));
		json_decref(answer);
		t.n_answers++;
		at = newline + 1;
	}
}

/* How many lines are complete and short enough, up to the first that is not. */
static size_t count_lines(const char *bytes, size_t len, bool *is_too_long)
{
	size_t n = 0, begin = 0;

	for (size_t i = 0; i < len && i - begin < CONTROL_LINE_MAX; i++)
		if (bytes[i] == '\n') {
			n++;
			begin = i + 1;
		}
	*is_too_long = len - begin >= CONTROL_LINE_MAX;
	return n;
}

static void run(const char *bytes, size_t len, size_t piece)
{
	static const struct control_client_owner owner = { .line = on_line, .closed = on_closed };
	int ends[2];
	bool is_too_long;

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	t.client = control_client_new(&t.loop, ends[0], &owner);
	assert(t.client);
	t.other_end = ends[1];
	say_in_pieces(bytes, len, piece);
	shutdown(t.other_end, SHUT_WR);
	turn();
	assert(!t.client);              /* it is closed when the other end is */
	close(t.other_end);
	check_answers();
	assert(t.n_lines == count_lines(bytes, len, &is_too_long));
	assert(t.n_answers == t.n_lines + is_too_long);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { INPUT_MAX, 1, 7, 100, 4095, 4096, 5000 };

	if (size < 1 || size > INPUT_MAX)
		return 0;
	memset(&t, 0, offsetof(typeof(t), answers));
	log_use(NULL, LOG_LEVEL_ERROR);
	t.end_of_turn.fire = stop;
	if (loop_init(&t.loop) == -1)
		abort();
	run((const char *)data + 1, size - 1, pieces[data[0] % (sizeof pieces / sizeof *pieces)]);
	loop_fini(&t.loop);
	return 0;
}

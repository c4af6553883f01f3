/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request is under way at a time. An answer with another number belongs to a request that was
 * given up, and is thrown away; it shows that the key process works again.
 */
#include <config.h>
#include "key_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "log.h"

#define AWAIT_MS 5000                   /* until it is asked again whether it is there */

static void note_late(struct key_client *c)
{
	if (!c->late)
		log_warn("the key process has not answered within %d ms; TLS handshakes fail until it"
		         " answers again", KEY_CLIENT_LIMIT_MS);
	c->late = true;
}

static void note_answer(struct key_client *c)
{
	if (c->late)
		log_info("the key process answers again");
	c->late = false;
}

/* 1 if there was one; 0 if there is none yet; -1 with errno. Garbage is thrown away. */
static int receive(struct key_client *c, struct key_answer *a)
{
	ssize_t n;

	do {
		n = read(c->channel.answers, a, sizeof *a);
	} while (n > 0 && !key_answer_is_whole(a, (size_t)n));
	if (n > 0) {
		note_answer(c);
		return 1;
	}
	if (n == 0)
		errno = EPIPE;
	return n == -1 && fd_not_yet(errno) ? 0 : -1;
}

/* Answers to requests that were given up. 0, or -1 with errno. */
static int drop_old_answers(struct key_client *c, struct key_answer *a)
{
	int got;

	do {
		got = receive(c, a);
	} while (got == 1);
	return got;
}

/* The answer to the last request. 0, or -1 with errno. ECANCELED: stop_fd, unless it is -1, has something. */
static int wait_for_answer(struct key_client *c, struct key_answer *a, int64_t limit_ms, int stop_fd)
{
	const int64_t until_ms = clock_ms() + limit_ms;
	struct pollfd fds[] = { { .fd = c->channel.answers, .events = POLLIN },
	                        { .fd = stop_fd, .events = POLLIN } };

	for (;;) {
		const int64_t left_ms = until_ms - clock_ms();
		int got;

		if (poll(fds, 2, left_ms > 0 ? (int)left_ms : 0) == -1 && errno != EINTR)
			return -1;
		got = receive(c, a);
		if (got == -1 || (got == 1 && a->number == c->number))
			return got == 1 ? 0 : -1;
		if (got == 0 && (left_ms <= 0 || fds[1].revents)) {
			errno = left_ms <= 0 ? ETIMEDOUT : ECANCELED;
			return -1;
		}
	}
}

static int ask_once(struct key_client *c, const struct key_request *r, struct key_answer *a,
                    int64_t limit_ms, int stop_fd)
{
	return write(c->channel.requests, r, key_request_size(r)) == -1
	       ? -1 : wait_for_answer(c, a, limit_ms, stop_fd);
}

/*
 * A key process that was killed may have taken the request with it, and the next one knows nothing of
 * it: so it is asked again when half of the time is over.
 */
static int ask(struct key_client *c, const struct key_request *r, struct key_answer *a)
{
	const int64_t half_ms = KEY_CLIENT_LIMIT_MS / 2;
	int result = ask_once(c, r, a, c->late ? KEY_CLIENT_LATE_MS : half_ms, -1);

	if (result == -1 && errno == ETIMEDOUT && !c->late)
		result = ask_once(c, r, a, half_ms, -1);
	if (result == -1 && errno == ETIMEDOUT) {
		note_late(c);
		errno = ETIMEDOUT;
	}
	return result;
}

static int judge(const struct key_answer *a)
{
	switch ((enum key_status)a->status) {
	case KEY_SIGNED:
		return 0;
	case KEY_UNKNOWN:
		errno = ENOKEY;
		return -1;
	case KEY_REFUSED:
		errno = EINVAL;
		return -1;
	case KEY_FAILED:
	case KEY_STATUSES:
		break;
	}
	errno = EIO;
	return -1;
}

int key_client_sign(struct key_client *c, size_t index, enum key_scheme scheme, enum key_digest digest,
                    const uint8_t *data, size_t len, struct key_answer *answer)
{
	struct key_request r = { .magic = KEY_MAGIC, .key = (uint32_t)index, .scheme = (uint16_t)scheme,
	                         .digest = (uint16_t)digest, .len = (uint32_t)len };

	if (len > KEY_DATA_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	memcpy(r.data, data, len);
	if (c->late && drop_old_answers(c, answer) == -1)
		return -1;
	r.number = ++c->number;
	return ask(c, &r, answer) == -1 ? -1 : judge(answer);
}

/* A request for a key that nobody has is answered at once, but may be lost, as others may: see ask(). */
bool key_client_await(struct key_client *c, int64_t limit_ms, int stop_fd)
{
	const struct key_request r = { .magic = KEY_MAGIC, .number = ++c->number, .key = UINT32_MAX,
	                               .scheme = KEY_EDDSA, .digest = KEY_NO_DIGEST };
	int64_t left_ms = limit_ms;
	struct key_answer a;
	int result;

	do {
		result = ask_once(c, &r, &a, left_ms < AWAIT_MS ? left_ms : AWAIT_MS, stop_fd);
		left_ms -= AWAIT_MS;
	} while (result == -1 && errno == ETIMEDOUT && left_ms > 0);
	c->late = result == -1;
	return !c->late;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks messages between a worker and the key process, and opens the pipes for them.
 */
#include <config.h>
#include "key_wire.h"

#include <fcntl.h>
#include <unistd.h>

#include "fd.h"

#define REQUEST_HEAD offsetof(struct key_request, data)
#define ANSWER_HEAD  offsetof(struct key_answer, data)

static const struct {
	const char *name;
	uint32_t    len;                /* bytes of a digest */
} digests[KEY_DIGESTS] = {
	[KEY_NO_DIGEST] = { NULL, 0 },
	[KEY_SHA224] = { "SHA2-224", 28 }, [KEY_SHA256] = { "SHA2-256", 32 },
	[KEY_SHA384] = { "SHA2-384", 48 }, [KEY_SHA512] = { "SHA2-512", 64 },
};

const char *key_digest_name(enum key_digest digest)
{
	return (unsigned)digest < KEY_DIGESTS ? digests[digest].name : NULL;
}

bool key_request_is_whole(const struct key_request *r, size_t n)
{
	if (n < REQUEST_HEAD || r->magic != KEY_MAGIC || r->len > KEY_DATA_MAX ||
	    n != REQUEST_HEAD + r->len || r->scheme >= KEY_SCHEMES || r->digest >= KEY_DIGESTS)
		return false;
	if (r->scheme == KEY_EDDSA)
		return r->digest == KEY_NO_DIGEST;
	return r->digest != KEY_NO_DIGEST && r->len == digests[r->digest].len;
}

bool key_answer_is_whole(const struct key_answer *a, size_t n)
{
	return n >= ANSWER_HEAD && a->magic == KEY_MAGIC && a->status < KEY_STATUSES &&
	       a->len <= KEY_SIGNATURE_MAX && n == ANSWER_HEAD + a->len &&
	       (a->status == KEY_SIGNED) == (a->len > 0);
}

size_t key_request_size(const struct key_request *r)
{
	return REQUEST_HEAD + r->len;
}

size_t key_answer_size(const struct key_answer *a)
{
	return ANSWER_HEAD + a->len;
}

int key_channel_open(struct key_channel *holder, struct key_channel *worker)
{
	int requests[2], answers[2];

	*holder = *worker = (struct key_channel){ -1, -1 };
	if (pipe2(requests, O_DIRECT | O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	if (pipe2(answers, O_DIRECT | O_CLOEXEC | O_NONBLOCK) == -1) {
		fd_close(&requests[0]);
		return fd_drop(requests[1]);
	}
	*holder = (struct key_channel){ .requests = requests[0], .answers = answers[1] };
	*worker = (struct key_channel){ .requests = requests[1], .answers = answers[0] };
	return 0;
}

void key_channel_close(struct key_channel *c)
{
	fd_close(&c->requests);
	fd_close(&c->answers);
}

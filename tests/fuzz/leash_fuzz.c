/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as messages on a leash, over the pipe of a worker and over a socket: each message is
 * understood or malformed, as its length says, and leaves the next one alone. A message begins
 * with a byte that holds its length.
 */
#include <config.h>

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "leash.h"

#define MESSAGES_MAX 8
#define DRAIN_LEN    16                 /* bytes that each version sends: word, has_fd, removed */

static void check(enum leash_result result, const struct leash_message *m, const uint8_t *bytes, size_t len)
{
	uint32_t word = 0;
	uint64_t removed;

	assert(result == (len < DRAIN_LEN ? LEASH_MALFORMED : LEASH_OK));
	if (result == LEASH_MALFORMED) {
		assert(m->number == len);
		return;
	}
	memcpy(&word, bytes, sizeof word);
	memcpy(&removed, bytes + 8, sizeof removed);
	assert(m->word == (enum leash_word)word && m->removed == removed);
	assert(leash_word_name(m->word)[0] != '\0');
	for (int i = 0; i < LEASH_FDS; i++)
		assert(m->fds[i] == -1);        /* none was sent, whatever the message says */
}

static void say(const struct leash *master, const struct leash *worker, const uint8_t *bytes, size_t len)
{
	struct leash_message m = { 0 };

	assert(write(worker->words, bytes, len) == (ssize_t)len);
	check(leash_hear(master, &m), &m, bytes, len);
	assert(leash_hear(master, &m) == LEASH_EMPTY);

	m = (struct leash_message){ 0 };
	assert(send(master->orders, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
	check(leash_obey(worker, &m), &m, bytes, len);
	assert(leash_obey(worker, &m) == LEASH_EMPTY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leash master, worker, closed;
	struct leash_message m;
	size_t at = 0;

	if (leash_open(&master, &worker) == -1)
		abort();
	for (int n = 0; n < MESSAGES_MAX && at < size; n++) {
		const size_t left = size - at - 1, len = data[at] < left ? data[at] : left;

		if (len > 0)
			say(&master, &worker, data + at + 1, len);
		at += 1 + len;
	}
	closed = worker;
	leash_close(&closed);
	assert(leash_hear(&master, &m) == LEASH_CLOSED);
	leash_close(&master);
	return 0;
}

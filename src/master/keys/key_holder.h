/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key process of a generation, as the master sees it: it is started before the workers,
 * connected with each of them, and replaced when it dies or hangs. key_process.c knows what it
 * does. The master never reads a private key. It keeps the ends of the pipes that the key process
 * reads and writes, so that the next one goes on with what is in them, and no worker notices.
 */
#ifndef DROVER_MASTER_KEYS_KEY_HOLDER_H
#define DROVER_MASTER_KEYS_KEY_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf.h"
#include "key_wire.h"
#include "leash.h"
#include "loop.h"
#include "notify.h"

struct key_holder_owner {
	struct loop       *loop;
	struct notify     *events;
	const struct conf *conf;        /* lent as long as the key holder is there */
	unsigned int       generation;
	bool               detached;
	void             (*forget)(void *arg);          /* in the child: the memory of the master */
	void             (*changed)(void *arg);         /* it is ready, or has failed */
	void              *arg;
};

struct key_holder;

/* Whether a service of that configuration has its private keys in a key process. */
bool key_holder_is_needed(const struct conf *conf);

/* It does not run. NULL with errno. */
struct key_holder *key_holder_new(const struct key_holder_owner *owner);

/* Forks, if it does not run. 0, or -1 with errno. */
int key_holder_start(struct key_holder *h);

/*
 * For a worker that is about to be forked, of that service (by index in conf) and in that place of
 * its pool: *worker is the worker's ends, which the caller closes in the master. 0, or -1 with errno.
 */
int key_holder_connect(struct key_holder *h, size_t service, size_t place, struct key_channel *worker);

/* That worker has ended, or could not be forked. NULL is fine. */
void key_holder_disconnect(struct key_holder *h, size_t service, size_t place);

/* True once it has read all keys. It stays true when another one takes its place. NULL: true. */
bool key_holder_is_ready(const struct key_holder *h);

/* Why it could not be started; NULL: it could, or may still. h may be NULL. */
const char *key_holder_failure(const struct key_holder *h);

/* What it is, for the program that comes next; the leash is lent. pid 0: it does not run. */
struct key_holder_past {
	pid_t        pid;
	struct leash leash;             /* then -1, -1 */
};
struct key_holder_past key_holder_past(const struct key_holder *h);

/*
 * It runs already, forked by the program before, and is our child. It serves the workers of that
 * program until they have drained, and is not replaced. Takes the leash.
 */
void key_holder_adopt(struct key_holder *h, const struct key_holder_past *past);

/* If pid is it, takes note of its end, replaces it, and returns true. NULL is fine. */
bool key_holder_reaped(struct key_holder *h, pid_t pid, int status);

/* In a worker: unmaps what is shared with the key process. NULL is fine. */
void key_holder_forget(struct key_holder *h);

/* Ends the process at once: it has nothing to lose. Sets *hp to NULL; NULL is fine. */
void key_holder_free(struct key_holder **hp);

#endif

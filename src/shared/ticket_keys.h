/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys that tickets of TLS sessions are encrypted with: three generations of them, in memory
 * that the master and all workers of a service share, so that a client can resume its session at
 * any worker. Each service has keys of its own: a ticket of one is nothing to another. The master
 * makes the keys and replaces them; a worker only reads. This module does not encrypt.
 *
 * There are no locks, and a reader does not wait: it keeps what it has read until there is more.
 */
#ifndef DROVER_SHARED_TICKET_KEYS_H
#define DROVER_SHARED_TICKET_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICKET_KEYS_VERSION 1           /* of the memory's layout */
#define TICKET_KEYS_MAX     3           /* generations */
#define TICKET_KEYS_MS      (INT64_C(12) * 60 * 60 * 1000)      /* for which one encrypts */

struct ticket_key {
	uint8_t  name[16];              /* which one it is: a ticket begins with it */
	uint8_t  cipher[32];            /* AES-CBC, */
	uint8_t  mac[32];               /* and HMAC with SHA-256; */
	uint64_t len;                   /* 16 or 32: how many bytes of these two are used */
};

struct ticket_keys;

/* Makes the memory, with the first key in it; shared with children forked later. NULL with errno. */
struct ticket_keys *ticket_keys_new(int64_t now_ms);

/*
 * Maps memory that an earlier program made, of this version; its keys go on. Takes fd. On failure
 * returns NULL with errno, and fd is still the caller's.
 */
struct ticket_keys *ticket_keys_adopt(int fd);

/* Unmaps *tp and sets it to NULL; NULL is fine. */
void ticket_keys_free(struct ticket_keys **tp);

/* The memfd, lent; its size is sealed. -1 after ticket_keys_enter. */
int ticket_keys_fd(const struct ticket_keys *t);

/* In a worker, for good: closes the descriptor, and makes the memory read-only. 0, or -1 with errno. */
int ticket_keys_enter(struct ticket_keys *t);

/* ---- the master --------------------------------------------------------- */

/* When the next key is due (CLOCK_MONOTONIC); at once if a program has ended while it wrote. */
int64_t ticket_keys_due_ms(const struct ticket_keys *t);

/* Puts a new key before the others, and drops the oldest if there are too many. 0, or -1 with errno. */
int ticket_keys_rotate(struct ticket_keys *t, int64_t now_ms);

/* Takes the keys of another memory, for another state of the same service. */
void ticket_keys_copy(struct ticket_keys *to, const struct ticket_keys *from);

/* ---- workers ------------------------------------------------------------ */

/*
 * The keys, the newest first, which encrypts, in keys, and their number in *n. Does nothing and
 * returns false if they are those of *turn (0 at first), or are just being written.
 */
bool ticket_keys_read(const struct ticket_keys *t, uint64_t *turn,
                      struct ticket_key keys[static TICKET_KEYS_MAX], size_t *n);

#endif

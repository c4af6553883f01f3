/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data: keys and values in LMDB, each with the time at which it expires. All processes that open a
 * folder see the same. A function that fails sets `error`: what was changed is then to be given up.
 */
#ifndef KV_STORE_H
#define KV_STORE_H

#include <lmdb.h>

#include "resp.h"

#define STORE_MAP_SIZE_MIN (1024 * 1024)
#define STORE_KEY_MAX      507          /* of the 511 bytes that LMDB has for a key, 4 are ours */

struct store {
	MDB_env *env;
	MDB_dbi  dbi;
	MDB_txn *reader, *writer;       /* writer: NULL if nothing is being changed */
	bool     reading;               /* the reader sees a state of the data now */
	int      error;                 /* of LMDB, or errno; 0: none */
};

struct entry {
	struct slice value;             /* lent until something is changed, or store_end_read */
	int64_t      expires_ms;        /* of CLOCK_REALTIME; 0: never */
};

/* flags: of mdb_env_open. After a fork, not before. False with `error`. */
bool store_open(struct store *s, const char *path, size_t map_size, unsigned flags);
void store_close(struct store *s);
const char *store_why(int error);       /* for the client */

/* Between these, only this process sees what it changes; after the commit, all do. */
bool store_begin(struct store *s);      /* unless it has begun */
bool store_commit(struct store *s);
void store_abort(struct store *s);      /* forgets the error as well */
void store_end_read(struct store *s);   /* reads begin by themselves, and see one state until this is called */

int64_t store_now_ms(void);
bool store_get(struct store *s, struct slice key, struct entry *e);     /* whether there is such a key */
bool store_put(struct store *s, struct slice key, struct slice value, int64_t expires_ms);
bool store_del(struct store *s, struct slice key);                      /* whether there was */
void store_clear(struct store *s);
size_t store_count(struct store *s);    /* with those that have expired and were not removed */

/*
 * Visits `count` keys or a few more, from a position on (0: the beginning), and returns the next (0: none).
 * A key that is there all the time is visited once. After store_begin, it also removes what has expired.
 */
uint32_t store_visit(struct store *s, uint32_t from, size_t count,
                     void (*visit)(void *arg, struct slice key), void *arg);

#endif

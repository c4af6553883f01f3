/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A key of LMDB is a hash of ours, then ours; a value is the time at which it expires, then ours. The hash
 * gives keys an order whose positions are numbers, as SCAN needs them, and in which no key moves.
 *
 * LMDB does not change pages in place, so a process can be killed at any time, and the kernel has what was
 * committed. MDB_WRITEMAP would save copies, but then a worker that goes wild could write to the data.
 */
#include "store.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HASH_LEN sizeof(uint32_t)
#define TIME_LEN sizeof(int64_t)
#define KEY_MAX  (HASH_LEN + STORE_KEY_MAX)

/* Not to find something is no failure to be remembered. */
static bool succeeds(struct store *s, int error)
{
	if (error != 0 && error != MDB_NOTFOUND && s->error == 0)
		s->error = error;       /* the first one: later ones only say that there was one */
	return error == 0;
}

/* NOTLS: the reader keeps its slot in the table of readers, and the thread can write in the meantime. */
bool store_open(struct store *s, const char *path, size_t map_size, unsigned flags)
{
	*s = (struct store){ .error = 0 };
	if (!succeeds(s, mdb_env_create(&s->env)) ||
	    !succeeds(s, mdb_env_set_mapsize(s->env, map_size)) ||
	    !succeeds(s, mdb_env_set_maxreaders(s->env, 1024)) ||
	    !succeeds(s, mdb_env_open(s->env, path, flags | MDB_NOTLS, 0600)) ||
	    /* A killed process leaves its slot, and the pages that it saw. Another worker replaces it: this one. */
	    !succeeds(s, mdb_reader_check(s->env, NULL)) ||
	    !succeeds(s, mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->reader)) ||
	    !succeeds(s, mdb_dbi_open(s->reader, NULL, 0, &s->dbi))) {
		store_close(s);
		return false;
	}
	mdb_txn_reset(s->reader);
	return true;
}

void store_close(struct store *s)
{
	mdb_txn_abort(s->reader);
	mdb_env_close(s->env);
	*s = (struct store){ .error = s->error };
}

const char *store_why(int error)
{
	static char text[128];

	if (error == MDB_MAP_FULL)
		return "OOM command not allowed: the map is full (map_size)";
	snprintf(text, sizeof text, "ERR %s", error == MDB_BAD_VALSIZE ? "a key has at most 507 bytes" : mdb_strerror(error));
	return text;
}

bool store_commit(struct store *s)
{
	MDB_txn *writer = s->writer;

	s->writer = NULL;
	return succeeds(s, mdb_txn_commit(writer));
}

void store_abort(struct store *s)
{
	mdb_txn_abort(s->writer);
	s->writer = NULL;
	s->error = 0;
}

void store_end_read(struct store *s)
{
	if (s->reading)
		mdb_txn_reset(s->reader);
	s->reading = false;
}

/* The transaction to read or to write in; NULL if that fails. To renew the reader takes no system call. */
static MDB_txn *begin(struct store *s, bool writes)
{
	int error;

	if (s->writer || (s->reading && !writes))
		return s->writer ? s->writer : s->reader;
	store_end_read(s);
	do                              /* again if another process has a larger map */
		error = writes ? mdb_txn_begin(s->env, NULL, 0, &s->writer) : mdb_txn_renew(s->reader);
	while (error == MDB_MAP_RESIZED && mdb_env_set_mapsize(s->env, 0) == 0);
	s->reading = !writes && error == 0;
	return !succeeds(s, error) ? NULL : writes ? s->writer : s->reader;
}

bool store_begin(struct store *s)
{
	return begin(s, true);
}

int64_t store_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* False if it has expired. */
static bool read_entry(const MDB_val *v, struct entry *e)
{
	memcpy(&e->expires_ms, v->mv_data, TIME_LEN);
	e->value = (struct slice){ (const char *)v->mv_data + TIME_LEN, v->mv_size - TIME_LEN };
	return e->expires_ms == 0 || e->expires_ms > store_now_ms();
}

/* The key as LMDB has it, in buf. The hash is FNV-1a. False with `error`. */
static bool make_key(struct store *s, struct slice key, char buf[static KEY_MAX], MDB_val *k)
{
	uint32_t hash = 2166136261u;

	if (key.len > STORE_KEY_MAX)
		return succeeds(s, MDB_BAD_VALSIZE);
	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.at[i]) * 16777619u;
	hash = htobe32(hash);
	memcpy(mempcpy(buf, &hash, HASH_LEN), key.at, key.len);
	*k = (MDB_val){ HASH_LEN + key.len, buf };
	return true;
}

bool store_get(struct store *s, struct slice key, struct entry *e)
{
	MDB_txn *txn = begin(s, false);
	char buf[KEY_MAX];
	MDB_val k, v;

	return txn && make_key(s, key, buf, &k) && succeeds(s, mdb_get(txn, s->dbi, &k, &v)) && read_entry(&v, e);
}

bool store_put(struct store *s, struct slice key, struct slice value, int64_t expires_ms)
{
	MDB_val k, v = { TIME_LEN + value.len, NULL };
	char buf[KEY_MAX];

	if (!make_key(s, key, buf, &k) || !succeeds(s, mdb_put(s->writer, s->dbi, &k, &v, MDB_RESERVE)))
		return false;
	memcpy(mempcpy(v.mv_data, &expires_ms, TIME_LEN), value.at, value.len);
	return true;
}

bool store_del(struct store *s, struct slice key)
{
	struct entry e;
	const bool there = store_get(s, key, &e);
	char buf[KEY_MAX];
	MDB_val k;

	if (make_key(s, key, buf, &k))          /* also if it has expired */
		succeeds(s, mdb_del(s->writer, s->dbi, &k, NULL));
	return there;
}

void store_clear(struct store *s)
{
	succeeds(s, mdb_drop(s->writer, s->dbi, 0));
}

size_t store_count(struct store *s)
{
	MDB_txn *txn = begin(s, false);
	MDB_stat st;

	return txn && succeeds(s, mdb_stat(txn, s->dbi, &st)) ? st.ms_entries : 0;
}

static uint32_t hash_in(const MDB_val *k)
{
	uint32_t hash;

	memcpy(&hash, k->mv_data, HASH_LEN);
	return be32toh(hash);
}

uint32_t store_visit(struct store *s, uint32_t from, size_t count,
                     void (*visit)(void *arg, struct slice key), void *arg)
{
	uint32_t hash = htobe32(from);
	MDB_val k = { HASH_LEN, &hash }, v;
	MDB_txn *txn = begin(s, false);
	MDB_cursor *cursor;
	struct entry e;
	int error;

	if (!txn || !succeeds(s, mdb_cursor_open(txn, s->dbi, &cursor)))
		return 0;
	error = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	/* Keys with one hash have one position: it goes on to the last of them. */
	for (; error == 0 && (count > 0 || hash_in(&k) == hash); count -= count > 0) {
		hash = hash_in(&k);
		if (read_entry(&v, &e))
			visit(arg, (struct slice){ (const char *)k.mv_data + HASH_LEN, k.mv_size - HASH_LEN });
		else if (s->writer)
			error = mdb_cursor_del(cursor, 0);
		if (error == 0)
			error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return succeeds(s, error) ? hash_in(&k) : 0;
}

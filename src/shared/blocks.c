/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of blocked sources: a memfd of two pages.
 *
 *     header | entry entry ...     read-only in workers
 *     count count ...              of clients that were refused, one for each entry
 *
 * An entry holds the source as it is, and not a hash of it: the table is so small that a look at
 * each entry in use costs less than a hash. Entries are compared by the length of their own prefix,
 * so that they mean the same after a reload that has changed limits.source_prefix.
 */
#include <config.h>
#include "blocks.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fd.h"
#include "seqlock.h"
#include "shared_memory.h"

#define LINE 64                         /* bytes of a cache line */

struct entry {
	alignas(LINE) _Atomic uint32_t turn;    /* of a seqlock: the master writes */
	_Atomic uint32_t kind;          /* family, or 0: empty; above it the bits of the prefix */
	_Atomic uint32_t uid;
	_Atomic uint64_t ip[2];         /* in network byte order */
	_Atomic int64_t  until_ms;
};

struct table {
	alignas(LINE) char magic[8];
	uint32_t         version;
	_Atomic uint32_t used;          /* entries from here on are empty */
	struct entry     entries[BLOCKS_MAX];
};

struct blocks {                         /* ours alone */
	struct shared_memory memory;
	size_t               table_len; /* bytes, whole pages */
	struct table        *table;
	_Atomic uint64_t    *counts;
};

#define KIND_LEN_SHIFT 16

/* Without memory; *len is what it needs. */
static struct blocks *blank(size_t *len)
{
	struct blocks *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	shared_memory_pages(&b->table_len, 0, 1, sizeof(struct table));
	shared_memory_pages(len, b->table_len, BLOCKS_MAX, sizeof b->counts[0]);
	return b;
}

/* If it has memory now; else NULL. */
static struct blocks *complete(struct blocks *b, int result)
{
	if (result == -1) {
		free(b);
		return NULL;
	}
	b->table = (void *)b->memory.at;
	b->counts = (void *)(b->memory.at + b->table_len);
	return b;
}

struct blocks *blocks_new(void)
{
	size_t len;
	struct blocks *b = blank(&len);

	if (b)
		b = complete(b, shared_memory_make(&b->memory, "drover-blocks", len));
	if (!b)
		return NULL;
	memcpy(b->table->magic, "drover", sizeof "drover");
	b->table->version = BLOCKS_VERSION;
	return b;
}

struct blocks *blocks_adopt(int fd)
{
	size_t len;
	struct blocks *b = blank(&len);

	return b ? complete(b, shared_memory_adopt(&b->memory, fd, len)) : NULL;
}

void blocks_free(struct blocks **bp)
{
	struct blocks *b = *bp;

	*bp = NULL;
	if (!b)
		return;
	shared_memory_close(&b->memory);
	free(b);
}

int blocks_fd(const struct blocks *b)
{
	return b->memory.fd;
}

int blocks_enter(struct blocks *b)
{
	fd_close(&b->memory.fd);
	return mprotect(b->table, b->table_len, PROT_READ);
}

/* ---- writing: the master ------------------------------------------------ */

static uint32_t kind_of(const struct source_id *source)
{
	return source->prefix.family | (uint32_t)source->prefix.len << KIND_LEN_SHIFT;
}

#define set(member, value) atomic_store_explicit((member), (value), memory_order_relaxed)
#define get(member)        atomic_load_explicit((member), memory_order_relaxed)

static void write_entry(struct entry *e, const struct source_id *source, int64_t until_ms)
{
	uint64_t ip[2];

	static_assert(sizeof ip == sizeof source->prefix.ip, "an address is two words");
	memcpy(ip, source->prefix.ip, sizeof ip);
	seqlock_write_begin(&e->turn);
	set(&e->kind, kind_of(source));
	set(&e->uid, (uint32_t)source->uid);
	set(&e->ip[0], ip[0]);
	set(&e->ip[1], ip[1]);
	set(&e->until_ms, until_ms);
	seqlock_write_end(&e->turn);
}

void blocks_set(struct blocks *b, size_t i, const struct source_id *source, int64_t until_ms)
{
	set(&b->counts[i], 0);
	write_entry(&b->table->entries[i], source, until_ms);
	if (get(&b->table->used) <= i)
		atomic_store_explicit(&b->table->used, (uint32_t)i + 1, memory_order_release);
}

/* A worker that was taken over can make the table writable again, and write any number. */
static uint32_t number_used(const struct blocks *b)
{
	const uint32_t used = get(&b->table->used);

	return used < BLOCKS_MAX ? used : BLOCKS_MAX;
}

void blocks_clear(struct blocks *b, size_t i)
{
	static const struct source_id nobody;
	uint32_t used = number_used(b);

	write_entry(&b->table->entries[i], &nobody, 0);
	while (used > 0 && get(&b->table->entries[used - 1].kind) == 0)
		used--;
	set(&b->table->used, used);
}

uint64_t blocks_refused(const struct blocks *b, size_t i)
{
	return get(&b->counts[i]);
}

/* ---- reading: workers --------------------------------------------------- */

bool blocks_is_empty(const struct blocks *b)
{
	return get(&b->table->used) == 0;
}

/* False if the entry is being written. */
static bool read_entry(const struct entry *e, struct source_id *source, int64_t *until_ms)
{
	const uint32_t turn = seqlock_read_begin(&e->turn);
	const uint32_t kind = get(&e->kind);
	const uint64_t ip[2] = { get(&e->ip[0]), get(&e->ip[1]) };

	source->prefix.family = (sa_family_t)kind;
	source->prefix.len = (uint8_t)(kind >> KIND_LEN_SHIFT);
	memcpy(source->prefix.ip, ip, sizeof ip);
	source->uid = get(&e->uid);
	*until_ms = get(&e->until_ms);
	return seqlock_read_end(&e->turn, turn) && source->prefix.len <= 8 * sizeof ip;
}

static bool is_of(const struct source_id *source, const struct endpoint *client, uid_t uid)
{
	if (client->family == AF_UNIX)
		return source->prefix.family == AF_UNIX && source->uid == uid;
	return cidr_contains(&source->prefix, client);
}

bool blocks_refuse(struct blocks *b, const struct endpoint *client, uid_t uid, int64_t now_ms)
{
	const uint32_t used = atomic_load_explicit(&b->table->used, memory_order_acquire);
	struct source_id source;
	int64_t until_ms;

	for (size_t i = 0; i < used && i < BLOCKS_MAX; i++) {
		const struct entry *e = &b->table->entries[i];

		if (get(&e->kind) == 0 || !read_entry(e, &source, &until_ms) || now_ms >= until_ms ||
		    !is_of(&source, client, uid))
			continue;
		atomic_fetch_add_explicit(&b->counts[i], 1, memory_order_relaxed);
		return true;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A memfd of one page: a header, and the keys as words behind a seqlock. The page is in no core dump.
 */
#include <config.h>
#include "ticket_keys.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "fd.h"
#include "seqlock.h"
#include "shared_memory.h"

#define KEY_WORDS (sizeof(struct ticket_key) / sizeof(uint64_t))
#define ALL_WORDS (TICKET_KEYS_MAX * KEY_WORDS)

struct page {
	char             magic[8];
	uint64_t         version;
	_Atomic uint64_t turn;          /* of a seqlock: the master writes */
	_Atomic uint64_t n;
	_Atomic int64_t  made_ms;       /* the newest key */
	_Atomic uint64_t words[ALL_WORDS];
};

struct ticket_keys {                    /* ours alone */
	struct shared_memory memory;
	struct page         *page;
};

/* What the page holds. */
struct content {
	size_t            n;
	int64_t           made_ms;
	struct ticket_key keys[TICKET_KEYS_MAX];
};

static_assert(sizeof(struct ticket_key) % sizeof(uint64_t) == 0, "a key is whole words");

#define set(member, value) atomic_store_explicit((member), (value), memory_order_relaxed)
#define get(member)        atomic_load_explicit((member), memory_order_relaxed)

/* ---- the memory --------------------------------------------------------- */

static struct ticket_keys *blank(size_t *len)
{
	shared_memory_pages(len, 0, 1, sizeof(struct page));
	return calloc(1, sizeof(struct ticket_keys));
}

/* If it has memory now; else NULL. */
static struct ticket_keys *complete(struct ticket_keys *t, int result)
{
	if (result == -1) {
		free(t);
		return NULL;
	}
	t->page = (void *)t->memory.at;
	madvise(t->memory.at, t->memory.len, MADV_DONTDUMP);
	return t;
}

struct ticket_keys *ticket_keys_new(int64_t now_ms)
{
	size_t len;
	struct ticket_keys *t = blank(&len);

	if (t)
		t = complete(t, shared_memory_make(&t->memory, "drover-tickets", len));
	if (!t)
		return NULL;
	memcpy(t->page->magic, "drover", sizeof "drover");
	t->page->version = TICKET_KEYS_VERSION;
	if (ticket_keys_rotate(t, now_ms) == -1)
		ticket_keys_free(&t);
	return t;
}

struct ticket_keys *ticket_keys_adopt(int fd)
{
	size_t len;
	struct ticket_keys *t = blank(&len);

	return t ? complete(t, shared_memory_adopt(&t->memory, fd, len)) : NULL;
}

void ticket_keys_free(struct ticket_keys **tp)
{
	struct ticket_keys *t = *tp;

	*tp = NULL;
	if (!t)
		return;
	shared_memory_close(&t->memory);
	free(t);
}

int ticket_keys_fd(const struct ticket_keys *t)
{
	return t->memory.fd;
}

int ticket_keys_enter(struct ticket_keys *t)
{
	fd_close(&t->memory.fd);
	return mprotect(t->memory.at, t->memory.len, PROT_READ);
}

/* ---- reading ------------------------------------------------------------ */

/* False if it is being written. */
static bool read_page(const struct page *p, uint64_t *turn, struct content *c)
{
	uint64_t words[ALL_WORDS];
	bool whole;

	*turn = seqlock_read_begin(&p->turn);
	for (size_t i = 0; i < ALL_WORDS; i++)
		words[i] = get(&p->words[i]);
	c->n = get(&p->n);
	c->made_ms = get(&p->made_ms);
	whole = seqlock_read_end(&p->turn, *turn) && c->n <= TICKET_KEYS_MAX;
	if (whole)
		memcpy(c->keys, words, sizeof c->keys);
	explicit_bzero(words, sizeof words);
	return whole;
}

bool ticket_keys_read(const struct ticket_keys *t, uint64_t *turn,
                      struct ticket_key keys[static TICKET_KEYS_MAX], size_t *n)
{
	struct content c;
	uint64_t now;

	if (get(&t->page->turn) == *turn || !read_page(t->page, &now, &c))
		return false;
	memcpy(keys, c.keys, sizeof c.keys);
	explicit_bzero(&c.keys, sizeof c.keys);
	*n = c.n;
	*turn = now;
	return true;
}

/* ---- writing: the master ------------------------------------------------ */

static void write_page(struct page *p, const struct content *c)
{
	uint64_t words[ALL_WORDS];

	memcpy(words, c->keys, sizeof c->keys);
	seqlock_write_begin(&p->turn);
	for (size_t i = 0; i < ALL_WORDS; i++)
		set(&p->words[i], words[i]);
	set(&p->n, c->n);
	set(&p->made_ms, c->made_ms);
	seqlock_write_end(&p->turn);
	explicit_bzero(words, sizeof words);
}

int64_t ticket_keys_due_ms(const struct ticket_keys *t)
{
	return seqlock_is_whole(&t->page->turn) ? get(&t->page->made_ms) + TICKET_KEYS_MS : 0;
}

static int make_key(struct ticket_key *k)
{
	const size_t len = offsetof(struct ticket_key, len);

	k->len = sizeof k->cipher;
	return getrandom(k, len, 0) == (ssize_t)len ? 0 : -1;
}

int ticket_keys_rotate(struct ticket_keys *t, int64_t now_ms)
{
	struct content c = { 0 };
	uint64_t turn;
	int result;

	/* What a program has written by half is dropped: its tickets are not known any more. */
	if (!read_page(t->page, &turn, &c))
		c = (struct content){ 0 };
	memmove(&c.keys[1], &c.keys[0], sizeof c.keys - sizeof c.keys[0]);
	c.n += c.n < TICKET_KEYS_MAX;
	c.made_ms = now_ms;
	result = make_key(&c.keys[0]);
	if (result == 0)
		write_page(t->page, &c);
	explicit_bzero(&c, sizeof c);
	return result;
}

void ticket_keys_copy(struct ticket_keys *to, const struct ticket_keys *from)
{
	struct content c = { 0 };
	uint64_t turn;

	if (read_page(from->page, &turn, &c))
		write_page(to->page, &c);
	explicit_bzero(&c, sizeof c);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory of the holds, their words, and the list of those that a worker does not use. It does
 * not know the counts that are held.
 *
 *     part of worker 0 | part of worker 1 | ...        a part: struct head, hold hold ...
 *
 * Each part begins on a page of its own: its pages are given back to the kernel when the worker
 * ends, and its siblings need not map them.
 */
#include <config.h>
#include "holds.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "fd.h"
#include "shared_memory.h"

#define LINE 64                         /* bytes of a cache line */

/* The begin of a part. */
struct head {
	alignas(LINE) struct service_hold service;
	_Atomic uint32_t used;          /* holds from here on have never been used */
};

struct holds {                          /* ours alone: workers could write a shared one */
	size_t               n_workers, n_holds;
	size_t               part_len;  /* bytes of a part, whole pages */
	struct shared_memory memory;    /* all parts; in a worker, its own one */

	/* In a worker only. */
	struct hold        **unused;    /* those that are handed out next are the last ones */
	size_t               n_unused;
};

static_assert(sizeof(struct head) == LINE, "holds begin on a line");
static_assert(sizeof(struct hold) == 8 && sizeof(struct service_hold) == 8, "a hold is a word");

/* ---- the memory --------------------------------------------------------- */

/* An object of that size, without memory; *len is what it needs. */
static struct holds *new_holds(size_t n_workers, size_t n_holds, size_t *len)
{
	struct holds *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->n_workers = n_workers;
	h->n_holds = n_holds;
	if (n_workers > 0 && n_workers <= UINT32_MAX && n_holds <= UINT32_MAX &&
	    shared_memory_pages(&h->part_len, sizeof(struct head), n_holds, sizeof(struct hold)) &&
	    shared_memory_pages(len, 0, n_workers, h->part_len))
		return h;
	free(h);
	errno = EINVAL;
	return NULL;
}

static struct holds *unless_failed(struct holds *h, int result)
{
	if (result == 0)
		return h;
	free(h);
	return NULL;
}

struct holds *holds_new(size_t n_workers, size_t n_holds)
{
	size_t len;
	struct holds *h = new_holds(n_workers, n_holds, &len);

	return h ? unless_failed(h, shared_memory_make(&h->memory, "drover-holds", len)) : NULL;
}

struct holds *holds_adopt(int fd, size_t n_workers, size_t n_holds)
{
	size_t len;
	struct holds *h = new_holds(n_workers, n_holds, &len);

	return h ? unless_failed(h, shared_memory_adopt(&h->memory, fd, len)) : NULL;
}

void holds_free(struct holds **hp)
{
	struct holds *h = *hp;

	*hp = NULL;
	if (!h)
		return;
	shared_memory_close(&h->memory);
	free(h->unused);
	free(h);
}

int holds_fd(const struct holds *h)
{
	return h->memory.fd;
}

size_t holds_workers(const struct holds *h)
{
	return h->n_workers;
}

size_t holds_each(const struct holds *h)
{
	return h->n_holds;
}

static struct head *head_of(char *part)
{
	return (struct head *)(void *)part;
}

static struct hold *first_of(char *part)
{
	return (struct hold *)(void *)(part + sizeof(struct head));
}

static char *part_of(const struct holds *h, size_t i)
{
	return h->memory.at + i * h->part_len;
}

/* ---- in a worker -------------------------------------------------------- */

/* The first hold is handed out first, so that few are ever in use. */
static int list_unused(struct holds *h)
{
	h->unused = calloc(h->n_holds + 1, sizeof *h->unused);
	if (!h->unused)
		return -1;
	for (h->n_unused = 0; h->n_unused < h->n_holds; h->n_unused++)
		h->unused[h->n_unused] = first_of(h->memory.at) + (h->n_holds - 1 - h->n_unused);
	return 0;
}

/* Unmaps [from, to). 0, or -1 with errno. */
static int unmap(char *from, char *to)
{
	return from < to ? munmap(from, (size_t)(to - from)) : 0;
}

int holds_enter(struct holds *h, size_t i)
{
	char *const first = h->memory.at, *const end = first + h->memory.len;
	char *const mine = part_of(h, i);

	fd_close(&h->memory.fd);
	if (unmap(first, mine) == -1 || unmap(mine + h->part_len, end) == -1)
		return -1;
	h->memory.at = mine;
	h->memory.len = h->part_len;
	return list_unused(h);
}

static void note_use(struct holds *h, const struct hold *hold)
{
	struct head *head = head_of(h->memory.at);
	const uint32_t n = (uint32_t)(hold - first_of(h->memory.at)) + 1;

	if (n > atomic_load_explicit(&head->used, memory_order_relaxed))
		atomic_store(&head->used, n);
}

struct hold *holds_get(struct holds *h)
{
	struct hold *hold;

	if (h->n_unused == 0)
		return NULL;
	hold = h->unused[--h->n_unused];
	note_use(h, hold);
	return hold;
}

void holds_put(struct holds *h, struct hold *hold)
{
	if (!hold)
		return;
	assert(h->n_unused < h->n_holds);
	h->unused[h->n_unused++] = hold;
}

struct service_hold *holds_service(struct holds *h)
{
	return &head_of(h->memory.at)->service;
}

/* ---- in the master ------------------------------------------------------ */

struct service_hold *holds_service_of(const struct holds *h, size_t i)
{
	return &head_of(part_of(h, i))->service;
}

struct hold *holds_of(const struct holds *h, size_t i, size_t *n)
{
	const uint32_t used = atomic_load(&head_of(part_of(h, i))->used);

	*n = used < h->n_holds ? used : h->n_holds;     /* a broken worker writes anything */
	return first_of(part_of(h, i));
}

void holds_reset(struct holds *h, size_t i)
{
	shared_memory_empty(part_of(h, i), h->part_len);
}

/* ---- the words ---------------------------------------------------------- */

/* tag | index | state */
#define STATE_BITS  2
#define TAG_SHIFT   (HOLD_INDEX_BITS + STATE_BITS)
#define MASK(bits)  ((UINT64_C(1) << (bits)) - 1)

static_assert(TAG_SHIFT + HOLD_TAG_BITS == 64, "a hold is full");

void hold_set(struct hold *h, struct hold_view now)
{
	const uint64_t word = now.tag << TAG_SHIFT | (uint64_t)now.index << STATE_BITS | now.state;

	atomic_store_explicit(&h->word, now.state == HOLD_NONE ? 0 : word, memory_order_release);
}

struct hold_view hold_get(const struct hold *h)
{
	const uint64_t word = atomic_load_explicit(&h->word, memory_order_acquire);

	return (struct hold_view){
		.state = (enum hold_state)(word & MASK(STATE_BITS)),
		.index = (uint32_t)(word >> STATE_BITS & MASK(HOLD_INDEX_BITS)),
		.tag = word >> TAG_SHIFT,
	};
}

#define INTENT (UINT64_C(1) << 32)

void service_hold_set(struct service_hold *h, struct service_hold_view now)
{
	atomic_store_explicit(&h->word, now.held | (now.intent ? INTENT : 0), memory_order_release);
}

struct service_hold_view service_hold_get(const struct service_hold *h)
{
	const uint64_t word = atomic_load_explicit(&h->word, memory_order_acquire);

	return (struct service_hold_view){ .held = (uint32_t)word, .intent = word & INTENT };
}

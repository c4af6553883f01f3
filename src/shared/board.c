/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scoreboard's memory, the functions that write to it, and those with which a worker compares
 * and adds up the open connections of all workers. board_view.c reads everything else.
 *
 * It outlives the program that made it (shared_memory.h):
 *
 *     header | slot slot ... | records of worker 0 | records of worker 1 | ...
 *
 * The records of each worker begin on a page of their own, and what it keeps of
 * its input follows them: they are given back to the kernel when it ends, and
 * its siblings need not map them.
 */
#include <config.h>
#include "board.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fd.h"
#include "shared_memory.h"
#include "text.h"

/* For a tool that finds the memory without the master. Never read back: workers could change it. */
struct header {
	alignas(BOARD_LINE) char magic[8];
	uint32_t version;
	uint32_t n_slots, n_connections, input_size;
	_Atomic int64_t stderr_paid_ns; /* workers read this one back: nonsense is fine */
};

struct board {                          /* ours alone: workers could write a shared one */
	size_t n_slots, n_connections, input_size;
	size_t head_len;                /* bytes of header and slots, whole pages */
	size_t part_len;                /* bytes of one worker's records and input, whole pages */
	struct shared_memory memory;
};

static_assert(sizeof(struct header) == BOARD_LINE, "slots begin on a line");
static_assert(sizeof(struct board_slot) == 16 * BOARD_LINE, "a slot is sixteen lines");
static_assert(sizeof(struct board_connection) == 2 * BOARD_LINE, "a record is two lines");

/* ---- the memory --------------------------------------------------------- */

static bool measure(struct board *b, size_t *len)
{
	const size_t input = b->input_size > 0 ? sizeof(struct board_input) + b->input_size : 0;

	return b->n_slots <= UINT32_MAX && b->n_connections < UINT32_MAX &&
	       b->input_size <= UINT32_MAX &&
	       shared_memory_pages(&b->head_len, sizeof(struct header), b->n_slots,
	                           sizeof(struct board_slot)) &&
	       shared_memory_pages(&b->part_len, input, b->n_connections,
	                           sizeof(struct board_connection)) &&
	       shared_memory_pages(len, b->head_len, b->n_slots, b->part_len);
}

/* A board of these sizes, without memory; *len is what it needs. */
static struct board *blank(size_t n_slots, size_t n_connections, size_t input_size, size_t *len)
{
	struct board *b = malloc(sizeof *b);

	if (!b)
		return NULL;
	*b = (struct board){ .n_slots = n_slots, .n_connections = n_connections,
	                     .input_size = input_size };
	if (measure(b, len))
		return b;
	free(b);
	errno = EINVAL;
	return NULL;
}

struct board *board_new(size_t n_slots, size_t n_connections, size_t input_size)
{
	size_t len;
	struct board *b = blank(n_slots, n_connections, input_size, &len);

	if (!b || shared_memory_make(&b->memory, "drover-board", len) == -1) {
		free(b);
		return NULL;
	}
	*(struct header *)(void *)b->memory.at = (struct header){
		.magic = "drover", .version = BOARD_VERSION,
		.n_slots = (uint32_t)n_slots, .n_connections = (uint32_t)n_connections,
		.input_size = (uint32_t)input_size,
	};
	return b;
}

struct board *board_adopt(int fd, size_t n_slots, size_t n_connections, size_t input_size)
{
	size_t len;
	struct board *b = blank(n_slots, n_connections, input_size, &len);

	if (b && shared_memory_adopt(&b->memory, fd, len) == 0)
		return b;
	free(b);
	return NULL;
}

void board_free(struct board **bp)
{
	struct board *b = *bp;

	*bp = NULL;
	if (!b)
		return;
	shared_memory_close(&b->memory);
	free(b);
}

int board_fd(const struct board *b)
{
	return b->memory.fd;
}

int board_enter(struct board *b, size_t i)
{
	char *const first = b->memory.at + b->head_len, *const end = b->memory.at + b->memory.len;
	char *const mine = first + i * b->part_len, *const next = mine + b->part_len;

	fd_close(&b->memory.fd);
	if (mine > first && munmap(first, (size_t)(mine - first)) == -1)
		return -1;
	return next < end ? munmap(next, (size_t)(end - next)) : 0;
}

_Atomic int64_t *board_stderr_paid(const struct board *b)
{
	return &((struct header *)(void *)b->memory.at)->stderr_paid_ns;
}

size_t board_slots(const struct board *b)
{
	return b->n_slots;
}

size_t board_connections(const struct board *b)
{
	return b->n_connections;
}

struct board_slot *board_slot(const struct board *b, size_t i)
{
	return (struct board_slot *)(b->memory.at + sizeof(struct header)) + i;
}

struct board_connection *board_records(const struct board *b, size_t i)
{
	return (struct board_connection *)(b->memory.at + b->head_len + i * b->part_len);
}

struct board_input *board_input(const struct board *b, size_t i)
{
	return b->input_size > 0
	       ? (struct board_input *)(void *)(board_records(b, i) + b->n_connections) : NULL;
}

size_t board_input_size(const struct board *b)
{
	return b->input_size;
}

static void empty_histogram(struct board_histogram *h)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		atomic_store(&h->buckets[i], 0);
	atomic_store(&h->sum_ms, 0);
}

void board_reset(struct board *b, size_t i, enum board_state state)
{
	struct board_slot *s = board_slot(b, i);
	struct board_connection *records = board_records(b, i);

	shared_memory_empty((char *)records, b->part_len);
	atomic_store(&s->pid, 0);
	atomic_store(&s->used, 0);
	atomic_store(&s->born_ms, 0);
	atomic_store(&s->at_work, 0);
	atomic_store(&s->turn_ms, 0);
	atomic_store(&s->programs, BOARD_PROGRAMS_UNKNOWN);
	atomic_store(&s->programs_ms, 0);
	s->reason[0] = '\0';
#define X(name) atomic_store(&s->name, 0);
	BOARD_GAUGES(X)
	if (state != BOARD_FREE) {
		BOARD_COUNTERS(X)
#undef X
#define X(name) empty_histogram(&s->name);
		BOARD_HISTOGRAMS(X)
	}
#undef X
	atomic_store(&s->state, state);
}

/* ---- spreading ---------------------------------------------------------- */

bool board_is_ahead(struct board *b, size_t i, uint32_t slots, uint64_t *done)
{
	const struct board_slot *all = board_slot(b, 0);
	uint32_t mine = atomic_load_explicit(&all[i].open, memory_order_relaxed);
	size_t others = 0, behind = 0;

	*done = 0;
	for (size_t k = 1; k < b->n_slots && others < BOARD_SAMPLE; k++) {
		const struct board_slot *s = &all[(i + k) % b->n_slots];
		uint32_t open = atomic_load_explicit(&s->open, memory_order_relaxed);

		if (atomic_load_explicit(&s->state, memory_order_relaxed) != BOARD_ACCEPTING ||
		    open >= slots)
			continue;       /* it takes no connection, even if it has few */
		others++;
		/* A difference of two and a sixteenth still counts as even. */
		if (mine <= (uint64_t)open + open / 16 + 2)
			continue;
		behind++;
		*done += open + atomic_load_explicit(&s->served, memory_order_relaxed);
	}
	/* If fewer are behind, the load is still even, and these may be stuck. */
	return behind > 0 && 4 * behind >= others;
}

struct board_sum board_sum(struct board *b, uint32_t slots, uint64_t enough)
{
	struct board_sum sum = { 0 };

	for (size_t i = 0; i < b->n_slots && sum.free <= enough; i++) {
		struct board_slot *s = board_slot(b, i);
		uint32_t open = atomic_load_explicit(&s->open, memory_order_relaxed);

		if (atomic_load_explicit(&s->state, memory_order_relaxed) != BOARD_ACCEPTING)
			continue;
		sum.open += open;
		sum.free += open < slots ? slots - open : 0;
	}
	return sum;
}

/* ---- records ------------------------------------------------------------ */

static void store_endpoint(_Atomic uint64_t to[3], const struct endpoint *e)
{
	uint64_t packed[3];

	static_assert(sizeof packed == sizeof *e, "an endpoint is three words");
	memcpy(packed, e, sizeof packed);
	for (size_t i = 0; i < 3; i++)
		board_set(&to[i], packed[i]);
}

/*
 * The number tells readers which connection the record is for. A reader that sees one of the
 * values that follow will find it changed (the fence), and a reader that sees it early finds
 * the record free (the release).
 */
void board_take_record(struct board_connection *r, uint64_t number, int64_t since_ms,
                       const struct endpoint *peer, enum board_phase phase)
{
	atomic_store_explicit(&r->number, number, memory_order_release);
	atomic_thread_fence(memory_order_release);
	board_set(&r->program, 0);
	board_set(&r->since_ms, since_ms);
	board_set(&r->bytes_in, 0);
	board_set(&r->bytes_out, 0);
	store_endpoint(r->peer, peer);
	board_set(&r->user, 0);
	board_set(&r->source, 0);
	if (atomic_load_explicit(&r->via[0], memory_order_relaxed) != 0)
		store_endpoint(r->via, &(struct endpoint){ 0 });
	atomic_store_explicit(&r->phase, phase, memory_order_release);
}

void board_show_client(struct board_connection *r, const struct endpoint *client,
                       const struct endpoint *via)
{
	store_endpoint(r->peer, client);
	store_endpoint(r->via, via);
}

void board_give_record(struct board_connection *r)
{
	board_set(&r->phase, BOARD_PHASE_NONE);
}

/* ---- times -------------------------------------------------------------- */

void board_add_time(struct board_histogram *h, int64_t ms)
{
	board_add(&h->buckets[histogram_bucket(ms)], 1);
	board_add(&h->sum_ms, ms > 0 ? (uint64_t)ms : 0);
}

/* ---- programs ----------------------------------------------------------- */

void board_tell_programs(struct board_slot *s, enum board_programs now, int64_t now_ms,
                         const char *reason)
{
	struct text t = text_in(s->reason, sizeof s->reason);

	text_add_string(&t, now == BOARD_PROGRAMS_FAIL ? reason : "");
	board_set(&s->programs_ms, now_ms);
	atomic_store_explicit(&s->programs, now, memory_order_release);
}

/* ---- input -------------------------------------------------------------- */

void board_keep_input(struct board_input *in, size_t size, uint64_t number, const char *bytes,
                      size_t len)
{
	const bool goes_on = atomic_load_explicit(&in->number, memory_order_relaxed) == number;
	uint64_t total = goes_on ? atomic_load_explicit(&in->total, memory_order_relaxed) : 0;
	const size_t gone = len > size ? len - size : 0;        /* bytes that the rest of them pushes out */
	size_t at, first;

	total += gone;
	bytes += gone;
	len -= gone;
	at = (size_t)(total % size);
	first = len < size - at ? len : size - at;
	memcpy(in->bytes + at, bytes, first);
	memcpy(in->bytes, bytes + first, len - first);
	board_set(&in->total, total + len);
	board_set(&in->number, number);
}

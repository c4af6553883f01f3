/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the scoreboard. It makes copies without disturbing the writers, and replaces values that
 * make no sense.
 */
#include <config.h>
#include "board.h"

#include <string.h>

#include "clock.h"
#include "text.h"

#define PID_LIMIT  (1U << 22)           /* no pid is larger: PID_MAX_LIMIT of the kernel */
#define READ_TRIES 3

static const char *const state_names[] = {
	[BOARD_FREE] = "free",
	[BOARD_STARTING] = "starting",
	[BOARD_ACCEPTING] = "accepting",
	[BOARD_DRAINING] = "draining",
};

static const char *const phase_names[] = {
	[BOARD_PHASE_NONE] = "none",
	[BOARD_PHASE_HANDSHAKE] = "handshake",
	[BOARD_PHASE_READING] = "reading",
	[BOARD_PHASE_HANDLER] = "handler",
	[BOARD_PHASE_WRITING] = "writing",
	[BOARD_PHASE_IDLE] = "idle",
	[BOARD_PHASE_PROGRAM] = "program",
	[BOARD_PHASE_CLOSING] = "closing",
};

const char *board_state_name(enum board_state state)
{
	return state_names[state];
}

const char *board_phase_name(enum board_phase phase)
{
	return phase_names[phase];
}

/* ---- what makes sense --------------------------------------------------- */

#define get(member) atomic_load_explicit((member), memory_order_relaxed)

static enum board_state to_state(uint32_t said)
{
	return said <= BOARD_DRAINING ? (enum board_state)said : BOARD_FREE;
}

static enum board_phase to_phase(uint32_t said)
{
	return said <= BOARD_PHASE_CLOSING ? (enum board_phase)said : BOARD_PHASE_NONE;
}

static enum board_programs to_programs(uint32_t said)
{
	return said <= BOARD_PROGRAMS_FAIL ? (enum board_programs)said : BOARD_PROGRAMS_UNKNOWN;
}

static pid_t to_pid(uint32_t said)
{
	return said <= PID_LIMIT ? (pid_t)said : 0;
}

/* A number of processes. */
static uint32_t to_processes(uint32_t said)
{
	return said < PID_LIMIT ? said : 0;
}

/* A number of things that hold a record each. */
static uint32_t to_records(uint32_t said, uint32_t n_records)
{
	return said < n_records ? said : n_records;
}

static uint64_t to_count(uint64_t said)
{
	return said <= BOARD_COUNT_MAX ? said : 0;
}

/* said was loaded before now_ms was read. */
static int64_t to_time(int64_t said, int64_t now_ms)
{
	if (said < 0)
		return 0;
	return said < now_ms ? said : now_ms;
}

static struct endpoint to_endpoint(const uint64_t said[3])
{
	struct endpoint e;

	memcpy(&e, said, sizeof e);
	switch (e.family) {
	case AF_INET:
		e.scope = 0;
		memset(e.ip + 4, 0, sizeof e.ip - 4);
		return e;
	case AF_INET6:
		return e;
	case AF_UNIX:
		return (struct endpoint){ .family = AF_UNIX };
	default:
		return (struct endpoint){ 0 };
	}
}

static struct histogram to_histogram(const struct board_histogram *said)
{
	struct histogram h = { .sum_ms = to_count(get(&said->sum_ms)) };

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		h.buckets[i] = to_count(get(&said->buckets[i]));
	return h;
}

/* ---- copies ------------------------------------------------------------- */

void board_view(const struct board *b, size_t i, struct board_worker_view *v)
{
	const struct board_slot *s = board_slot(b, i);
	const uint32_t n_connections = (uint32_t)board_connections(b);
	const uint32_t at_work = get(&s->at_work);
	const int64_t turn_ms = get(&s->turn_ms), born_ms = get(&s->born_ms);
	const int64_t now_ms = clock_ms();

	*v = (struct board_worker_view){
		.state = to_state(get(&s->state)),
		.pid = to_pid(get(&s->pid)),
		.open = to_records(get(&s->open), n_connections),
		.filters = to_processes(get(&s->filters)),
		.queued = to_records(get(&s->queued), n_connections),
		.warm = to_processes(get(&s->warm)),
#define X(name) .name = to_count(get(&s->name)),
		BOARD_COUNTERS(X)
#undef X
#define X(name) .name = to_histogram(&s->name),
		BOARD_HISTOGRAMS(X)
#undef X
		.turn_ms = to_time(turn_ms, now_ms),
		.born_ms = to_time(born_ms, now_ms),
		.at_work = at_work > 0 && at_work <= n_connections,
	};
	v->work = v->at_work ? at_work - 1 : 0;
}

void board_view_programs(const struct board *b, size_t i, struct board_programs_view *v)
{
	const struct board_slot *s = board_slot(b, i);
	struct text t = text_in(v->reason, sizeof v->reason);
	const int64_t since_ms = get(&s->programs_ms);
	char reason[BOARD_REASON];

	v->now = to_programs(atomic_load_explicit(&s->programs, memory_order_acquire));
	v->since_ms = to_time(since_ms, clock_ms());
	if (v->now != BOARD_PROGRAMS_FAIL)
		return;
	memcpy(reason, s->reason, sizeof reason);
	text_add_safe(&t, reason, strnlen(reason, sizeof reason));
}

/* The order of the loads is the other half of board_take_record. */
static bool try_to_read(const struct board_connection *r, struct board_connection_view *v)
{
	const uint64_t number = atomic_load_explicit(&r->number, memory_order_acquire);
	const uint32_t phase = atomic_load_explicit(&r->phase, memory_order_acquire);
	int64_t since_ms = get(&r->since_ms);
	uint64_t peer[3], via[3];

	for (size_t i = 0; i < 3; i++) {
		peer[i] = get(&r->peer[i]);
		via[i] = get(&r->via[i]);
	}
	*v = (struct board_connection_view){
		.phase = to_phase(phase), .program = to_pid(get(&r->program)), .number = number,
		.since_ms = to_time(since_ms, clock_ms()), .bytes_in = to_count(get(&r->bytes_in)),
		.bytes_out = to_count(get(&r->bytes_out)), .peer = to_endpoint(peer),
		.via = to_endpoint(via), .user = get(&r->user), .source = get(&r->source),
	};
	atomic_thread_fence(memory_order_acquire);
	return get(&r->number) == number;
}

bool board_view_record(const struct board *b, size_t i, size_t k, struct board_connection_view *v)
{
	bool read = false;

	/* Reading a record that was never used would allocate memory for it. */
	if (k >= board_connections(b) || k >= get(&board_slot(b, i)->used))
		return false;
	for (int n = 0; n < READ_TRIES && !read; n++)
		read = try_to_read(board_records(b, i) + k, v);
	return read;
}

bool board_view_connection(const struct board *b, size_t i, size_t k,
                           struct board_connection_view *v)
{
	if (!board_view_record(b, i, k, v) || v->phase == BOARD_PHASE_NONE)
		return false;
	/* The bytes of a program do not go through the worker: what it does is not done with them. */
	if (v->program == 0 && get(&board_slot(b, i)->at_work) == k + 1)
		v->phase = BOARD_PHASE_HANDLER;
	return true;
}

struct source_id board_source(const struct board_connection_view *v, int ipv4_len, int ipv6_len)
{
	if (v->peer.family == AF_UNIX && v->user == 0)
		return (struct source_id){ .uid = 0 };
	return source_id_of(&v->peer, (uid_t)(v->user - 1), ipv4_len, ipv6_len);
}

bool board_view_work(const struct board *b, size_t i, struct board_connection_view *v)
{
	const uint32_t at_work = get(&board_slot(b, i)->at_work);

	/* One try is enough, because no worker writes. */
	if (at_work == 0 || at_work > board_connections(b) ||
	    !try_to_read(board_records(b, i) + at_work - 1, v) || v->number == 0)
		return false;
	if (v->phase == BOARD_PHASE_NONE)
		v->phase = BOARD_PHASE_CLOSING;
	else if (v->program == 0)
		v->phase = BOARD_PHASE_HANDLER;
	return true;
}

size_t board_copy_input(const struct board *b, size_t i, uint64_t number, char *bytes)
{
	const struct board_input *in = board_input(b, i);
	const size_t size = board_input_size(b);
	size_t begin, len;
	uint64_t total;

	if (!in || get(&in->number) != number)
		return 0;
	total = get(&in->total);
	len = total < size ? (size_t)total : size;
	begin = total > size ? (size_t)(total % size) : 0;
	memcpy(bytes, in->bytes + begin, len - begin);
	memcpy(bytes + len - begin, in->bytes, begin);
	return len;
}

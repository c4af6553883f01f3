/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading the scoreboard: what a worker says, believed as far as it makes
 * sense; records that change hands meanwhile; and pure noise.
 */
#include <config.h>
#include "board.h"

#include <inttypes.h>
#include <sched.h>
#include <sys/wait.h>

#include "clock.h"
#include "unit.h"

#define SLOTS   3
#define RECORDS 70

static struct board *board;
static struct board_slot *slot;                 /* of worker 1 */
static struct board_connection *records;        /* its own */

static void set_up(void)
{
	board = board_new(SLOTS, RECORDS, 0);
	ck_assert_ptr_nonnull(board);
	slot = board_slot(board, 1);
	records = board_records(board, 1);
}

static void tear_down(void)
{
	board_free(&board);
}

static struct board_worker_view look(void)
{
	struct board_worker_view v;

	memset(&v, 0xee, sizeof v);
	board_view(board, 1, &v);
	return v;
}

/* ---- a worker ----------------------------------------------------------- */

/* A member that the view shows as it is on the board. */
struct member {
	const char *name;
	size_t      said_at, said_size;         /* in struct board_slot */
	size_t      seen_at, seen_size;         /* in struct board_worker_view */
	uint64_t    value;
};

#define SIZE_OF(type, member) sizeof ((const type *)NULL)->member
#define MEMBER(member, value) { \
	#member, offsetof(struct board_slot, member), SIZE_OF(struct board_slot, member), \
	offsetof(struct board_worker_view, member), SIZE_OF(struct board_worker_view, member), value }

static const struct member members[] = {
	MEMBER(state, BOARD_ACCEPTING),
	MEMBER(pid, 4711),
	MEMBER(turn_ms, 6),
	MEMBER(born_ms, 1),
#define X(name) MEMBER(name, 5),
	BOARD_GAUGES(X)
#undef X
#define X(name) MEMBER(name, BOARD_COUNT_MAX),
	BOARD_COUNTERS(X)
#undef X
#define X(name) \
	MEMBER(name.sum_ms, BOARD_COUNT_MAX), MEMBER(name.buckets[0], BOARD_COUNT_MAX), \
	MEMBER(name.buckets[1], 7), MEMBER(name.buckets[HISTOGRAM_BUCKETS - 1], BOARD_COUNT_MAX),
	BOARD_HISTOGRAMS(X)
#undef X
};

/* All that is counted. */
static const struct member counters[] = {
#define X(name) MEMBER(name, 0),
	BOARD_COUNTERS(X)
#undef X
#define X(name) MEMBER(name.sum_ms, 0), MEMBER(name.buckets[0], 0), MEMBER(name.buckets[HISTOGRAM_BUCKETS - 1], 0),
	BOARD_HISTOGRAMS(X)
#undef X
};

static void say(const struct member *m, uint64_t value)
{
	char *at = (char *)slot + m->said_at;

	if (m->said_size == sizeof(uint32_t))
		board_set((_Atomic uint32_t *)(void *)at, (uint32_t)value);
	else
		board_set((_Atomic uint64_t *)(void *)at, value);
}

static uint64_t seen(const struct member *m, const struct board_worker_view *v)
{
	const char *at = (const char *)v + m->seen_at;

	return m->seen_size == sizeof(uint32_t) ? *(const uint32_t *)(const void *)at
	                                        : *(const uint64_t *)(const void *)at;
}

START_TEST(a_worker_is_seen_as_it_says)
{
	const struct member *m = &members[_i];
	struct board_worker_view v;

	board_reset(board, 1, BOARD_FREE);
	say(m, m->value);
	v = look();
	for (const struct member *other = members; other < members + ARRAY_SIZE(members); other++)
		ck_assert_msg(seen(other, &v) == (other == m ? m->value : 0), "%s of one that says %s: %" PRIu64,
		              other->name, m->name, seen(other, &v));
	ck_assert(!v.at_work);
	board_view(board, 0, &v);               /* its neighbour says nothing */
	for (const struct member *other = members; other < members + ARRAY_SIZE(members); other++)
		ck_assert_msg(seen(other, &v) == 0, "%s of its neighbour", other->name);
} END_TEST

static const struct {
	const char *name;
	uint32_t state, pid, open, at_work;
	struct { uint32_t state; int pid; uint32_t open; bool at_work; uint32_t work; } want;
} slot_rows[] = {
	{ "nothing",               0, 0, 0, 0,                   { BOARD_FREE, 0, 0, false, 0 } },
	{ "the last of each",      3, 1 << 22, 70, 70,
	                                                         { BOARD_DRAINING, 1 << 22, 70, true, 69 } },
	{ "one more than that",    4, (1 << 22) + 1, 71, 71,     { BOARD_FREE, 0, 70, false, 0 } },
	{ "the first at work",     1, 1, 1, 1,                   { BOARD_STARTING, 1, 1, true, 0 } },
	{ "not negative",          1U << 31, 1U << 31, 1U << 31, 1U << 31,
	                                                         { BOARD_FREE, 0, 70, false, 0 } },
	{ "all bits",              UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
	                                                         { BOARD_FREE, 0, 70, false, 0 } },
};

START_TEST(what_a_worker_says_is_in_range)
{
	struct board_worker_view v;
	const char *name = slot_rows[_i].name;

	board_set(&slot->state, slot_rows[_i].state);
	board_set(&slot->pid, slot_rows[_i].pid);
	board_set(&slot->open, slot_rows[_i].open);
	board_set(&slot->at_work, slot_rows[_i].at_work);
	v = look();
	ck_assert_msg(v.state == slot_rows[_i].want.state, "%s: state %d", name, (int)v.state);
	ck_assert_msg(v.pid == slot_rows[_i].want.pid, "%s: pid %d", name, (int)v.pid);
	ck_assert_msg(v.open == slot_rows[_i].want.open, "%s: open %u", name, v.open);
	ck_assert_msg(v.at_work == slot_rows[_i].want.at_work, "%s: at_work", name);
	ck_assert_msg(v.work == slot_rows[_i].want.work, "%s: work %u", name, v.work);
} END_TEST

static const struct {
	const char *name;
	uint32_t said, programs, queued;
} program_rows[] = {
	{ "nothing",                  0,           0,             0 },
	{ "as many as there can be",  70,          70,            70 },
	{ "more than connections",    71,          71,            70 },
	{ "the last pid",             (1 << 22) - 1, (1 << 22) - 1, 70 },
	{ "more than processes",      1 << 22,     0,             70 },
	{ "all bits",                 UINT32_MAX,  0,             70 },
};

START_TEST(there_are_not_more_programs_than_there_can_be)
{
	struct board_worker_view v;
	const char *name = program_rows[_i].name;

	board_set(&slot->filters, program_rows[_i].said);
	board_set(&slot->warm, program_rows[_i].said);
	board_set(&slot->queued, program_rows[_i].said);
	v = look();
	ck_assert_msg(v.filters == program_rows[_i].programs, "%s: filters %u", name, v.filters);
	ck_assert_msg(v.warm == program_rows[_i].programs, "%s: warm %u", name, v.warm);
	ck_assert_msg(v.queued == program_rows[_i].queued, "%s: queued %u", name, v.queued);
} END_TEST

START_TEST(times_are_neither_negative_nor_to_come)
{
	struct board_worker_view v;
	int64_t before = clock_ms();

	board_set(&slot->turn_ms, INT64_MAX);
	board_set(&slot->born_ms, INT64_MIN);
	v = look();
	ck_assert_int_ge(v.turn_ms, before);
	ck_assert_int_le(v.turn_ms, clock_ms());
	ck_assert_int_eq(v.born_ms, 0);
} END_TEST

static const uint64_t beyond[] = { BOARD_COUNT_MAX + 1, (uint64_t)1 << 63, UINT64_MAX };

START_TEST(no_counter_is_beyond_its_range)
{
	const struct member *m = &counters[_i / (int)ARRAY_SIZE(beyond)];
	struct board_worker_view v;

	say(m, beyond[_i % (int)ARRAY_SIZE(beyond)]);
	v = look();
	ck_assert_msg(seen(m, &v) == 0, "%s: %" PRIu64, m->name, seen(m, &v));
} END_TEST

START_TEST(times_are_added_to_their_buckets)
{
	struct board_worker_view v;

	board_add_time(&slot->handshake, 3);
	board_add_time(&slot->handshake, 64);
	board_add_time(&slot->handshake, 61);
	board_add_time(&slot->handshake, -1);           /* a clock that went back would count as nothing */
	v = look();
	ck_assert_uint_eq(v.handshake.buckets[0], 1);
	ck_assert_uint_eq(v.handshake.buckets[1], 1);
	ck_assert_uint_eq(v.handshake.buckets[3], 2);
	ck_assert_uint_eq(histogram_count(&v.handshake), 4);
	ck_assert_uint_eq(v.handshake.sum_ms, 128);
	ck_assert_uint_eq(histogram_count(&v.duration), 0);
} END_TEST

START_TEST(each_state_has_a_name)
{
	ck_assert_ptr_nonnull(board_state_name((enum board_state)_i));
} END_TEST

START_TEST(each_phase_has_a_name)
{
	ck_assert_ptr_nonnull(board_phase_name((enum board_phase)_i));
} END_TEST

START_TEST(names_are_those_of_their_states)
{
	ck_assert_str_eq(board_state_name(BOARD_FREE), "free");
	ck_assert_str_eq(board_state_name(BOARD_DRAINING), "draining");
	ck_assert_str_eq(board_phase_name(BOARD_PHASE_HANDSHAKE), "handshake");
	ck_assert_str_eq(board_phase_name(BOARD_PHASE_CLOSING), "closing");
} END_TEST

/* ---- a connection ------------------------------------------------------- */

static const struct endpoint peers[] = {
	{ .family = AF_INET, .port = 65535, .ip = { 192, 0, 2, 1 } },
	{ .family = AF_INET6, .port = 80, .scope = 2, .ip = { 0xfe, 0x80, [15] = 1 } },
	{ .family = AF_UNIX },
	{ .family = 0 },
};

static void take(size_t k, const struct endpoint *peer)
{
	board_set(&slot->used, RECORDS);
	board_take_record(&records[k], 17, 1234, peer, BOARD_PHASE_WRITING);
}

START_TEST(a_connection_is_seen_as_long_as_its_record_is_taken)
{
	struct board_connection_view v;

	ck_assert(!board_view_connection(board, 1, 2, &v));
	take(2, &peers[_i]);
	board_add(&records[2].bytes_in, 5);
	board_add(&records[2].bytes_in, 6);
	board_add(&records[2].bytes_out, 7);
	ck_assert(board_view_connection(board, 1, 2, &v));
	ck_assert_int_eq(v.phase, BOARD_PHASE_WRITING);
	ck_assert_uint_eq(v.number, 17);
	ck_assert_int_eq(v.since_ms, 1234);
	ck_assert_uint_eq(v.bytes_in, 11);
	ck_assert_uint_eq(v.bytes_out, 7);
	ck_assert_int_eq(v.program, 0);
	ck_assert_int_eq(memcmp(&v.peer, &peers[_i], sizeof v.peer), 0);
	ck_assert(!board_view_connection(board, 1, 1, &v));
	ck_assert(!board_view_connection(board, 0, 2, &v));
	board_give_record(&records[2]);
	ck_assert(!board_view_connection(board, 1, 2, &v));
	take(2, &peers[_i]);                    /* the next one begins again */
	ck_assert(board_view_connection(board, 1, 2, &v));
	ck_assert_uint_eq(v.bytes_in + v.bytes_out, 0);
} END_TEST

START_TEST(a_free_record_tells_of_the_connection_that_had_it_last)
{
	struct board_connection_view v;

	ck_assert(!board_view_record(board, 1, 2, &v));
	take(2, &peers[_i]);
	board_set(&records[2].source, 5);
	ck_assert(board_view_record(board, 1, 2, &v));
	ck_assert_int_eq(v.phase, BOARD_PHASE_WRITING);
	board_give_record(&records[2]);
	ck_assert(board_view_record(board, 1, 2, &v));
	ck_assert_int_eq(v.phase, BOARD_PHASE_NONE);
	ck_assert_uint_eq(v.source, 5);
	ck_assert_int_eq(memcmp(&v.peer, &peers[_i], sizeof v.peer), 0);
	ck_assert(board_view_record(board, 1, 1, &v));  /* it is used, as the slot says */
	ck_assert_int_eq(v.peer.family, 0);
	ck_assert(!board_view_record(board, 1, RECORDS, &v));
	board_reset(board, 1, BOARD_FREE);
	ck_assert(!board_view_record(board, 1, 2, &v));
} END_TEST

static const struct { struct board_connection_view v; const char *source; } sources[] = {
	{ { .peer = { .family = AF_INET, .ip = { 192, 0, 2, 7 } }, .user = 8 }, "192.0.2.0/24" },
	{ { .peer = { .family = AF_INET6, .ip = { 0x20, 1, [15] = 1 } } },      "2001::/56" },
	{ { .peer = { .family = AF_UNIX }, .user = 1 },                         "uid:0" },
	{ { .peer = { .family = AF_UNIX }, .user = 1001 },                      "uid:1000" },
	{ { .peer = { .family = AF_UNIX } },                                    "unknown" },
	{ { .peer = { .family = 0 }, .user = 8 },                               "unknown" },
};

START_TEST(a_connection_has_the_source_of_its_peer)
{
	const struct source_id source = board_source(&sources[_i].v, 24, 56);
	char text[SOURCE_ID_TEXT_MAX];

	ck_assert_str_eq(source_id_format(&source, text, sizeof text), sources[_i].source);
} END_TEST

START_TEST(a_connection_that_is_worked_on_is_in_the_handler)
{
	struct board_connection_view v;

	take(0, &peers[0]);
	take(1, &peers[0]);
	board_set(&slot->at_work, 2);
	ck_assert(board_view_connection(board, 1, 0, &v));
	ck_assert_int_eq(v.phase, BOARD_PHASE_WRITING);
	ck_assert(board_view_connection(board, 1, 1, &v));
	ck_assert_int_eq(v.phase, BOARD_PHASE_HANDLER);
	board_set(&records[1].program, 99);     /* which has the socket: no handler sees its bytes */
	ck_assert(board_view_connection(board, 1, 1, &v));
	ck_assert_int_eq(v.phase, BOARD_PHASE_WRITING);
	ck_assert_int_eq(v.program, 99);
	board_give_record(&records[1]);         /* it ended, and its event is not over yet */
	ck_assert(!board_view_connection(board, 1, 1, &v));
} END_TEST

START_TEST(records_that_are_not_there_or_never_were_used_are_free)
{
	struct board_connection_view v;

	for (size_t k = 0; k < RECORDS; k++)
		take(k, &peers[0]);
	ck_assert(board_view_connection(board, 1, RECORDS - 1, &v));
	ck_assert(!board_view_connection(board, 1, RECORDS, &v));
	ck_assert(!board_view_connection(board, 1, SIZE_MAX, &v));
	board_set(&slot->used, 3);
	ck_assert(board_view_connection(board, 1, 2, &v));
	ck_assert(!board_view_connection(board, 1, 3, &v));
	board_set(&slot->used, UINT32_MAX);
	ck_assert(!board_view_connection(board, 1, RECORDS, &v));
} END_TEST

static const struct {
	const char *name;
	uint32_t phase, program;
	bool taken;
	int pid;
} record_rows[] = {
	{ "the first phase",  BOARD_PHASE_HANDSHAKE,   1,           true,  1 },
	{ "the last",         BOARD_PHASE_CLOSING,     1 << 22,     true,  1 << 22 },
	{ "one further",      BOARD_PHASE_CLOSING + 1, 1,           false, 0 },
	{ "all bits",         UINT32_MAX,              1,           false, 0 },
	{ "no such pid",      BOARD_PHASE_PROGRAM,     UINT32_MAX,  true,  0 },
	{ "nor this",         BOARD_PHASE_PROGRAM,     1U << 31,    true,  0 },
};

START_TEST(what_a_record_says_is_in_range)
{
	struct board_connection_view v;
	bool taken;

	take(0, &peers[0]);
	board_set(&records[0].phase, record_rows[_i].phase);
	board_set(&records[0].program, record_rows[_i].program);
	taken = board_view_connection(board, 1, 0, &v);
	ck_assert_msg(taken == record_rows[_i].taken, "%s", record_rows[_i].name);
	if (!taken)
		return;
	ck_assert_msg(v.phase == record_rows[_i].phase, "%s: phase %d", record_rows[_i].name,
	              (int)v.phase);
	ck_assert_msg(v.program == record_rows[_i].pid, "%s: program %d", record_rows[_i].name,
	              (int)v.program);
} END_TEST

static const struct {
	const char *name;
	struct endpoint said, want;
} peer_rows[] = {
	{ "IPv4 has four bytes and no zone",
	  { .family = AF_INET, .port = 1, .scope = 9, .ip = { 1, 2, 3, 4, 5, [15] = 6 } },
	  { .family = AF_INET, .port = 1, .ip = { 1, 2, 3, 4 } } },
	{ "a unix socket has nothing",
	  { .family = AF_UNIX, .port = 1, .scope = 9, .ip = { 1 } }, { .family = AF_UNIX } },
	{ "other families are unknown",
	  { .family = AF_PACKET, .port = 1, .scope = 9, .ip = { 1 } }, { .family = 0 } },
	{ "so is none",
	  { .family = 0, .port = 1, .scope = 9, .ip = { 1 } }, { .family = 0 } },
};

START_TEST(a_peer_is_one_that_there_can_be)
{
	struct board_connection_view v;

	take(0, &peer_rows[_i].said);
	ck_assert(board_view_connection(board, 1, 0, &v));
	ck_assert_msg(memcmp(&v.peer, &peer_rows[_i].want, sizeof v.peer) == 0, "%s",
	              peer_rows[_i].name);
} END_TEST

/* ---- noise -------------------------------------------------------------- */

static uint64_t noise_state = 1;

static uint64_t noise(void)             /* xorshift64 */
{
	noise_state ^= noise_state << 13;
	noise_state ^= noise_state >> 7;
	noise_state ^= noise_state << 17;
	return noise_state;
}

static void fill_with_noise(void *at, size_t len)
{
	for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
		/* Also small numbers, which pass more checks. */
		uint64_t n = noise(), mask = noise() % 3 ? UINT64_MAX : 0x0000000700000007;

		n &= mask;
		memcpy((char *)at + i, &n, sizeof n);
	}
}

static void expect_worker_in_range(const struct board_worker_view *v)
{
	char text[32];
	int64_t now_ms = clock_ms();

	snprintf(text, sizeof text, "%s", board_state_name(v->state));
	ck_assert_int_ge(v->pid, 0);
	ck_assert_uint_le(v->open, RECORDS);
	ck_assert_uint_le(v->served, BOARD_COUNT_MAX);
	ck_assert_uint_le(v->bytes_out, BOARD_COUNT_MAX);
	ck_assert(v->turn_ms >= 0 && v->turn_ms <= now_ms);
	ck_assert(v->born_ms >= 0 && v->born_ms <= now_ms);
	ck_assert_uint_lt(v->work, RECORDS);
}

static void expect_connection_in_range(const struct board_connection_view *v)
{
	char text[ADDRESS_TEXT_MAX];

	ck_assert_int_ne(v->phase, BOARD_PHASE_NONE);
	snprintf(text, sizeof text, "%s", board_phase_name(v->phase));
	ck_assert_int_ge(v->program, 0);
	ck_assert(v->since_ms >= 0 && v->since_ms <= clock_ms());
	ck_assert(v->peer.family == AF_INET || v->peer.family == AF_INET6 ||
	          v->peer.family == AF_UNIX || v->peer.family == 0);
	endpoint_format(&v->peer, text, sizeof text);
}

START_TEST(noise_is_nonsense_at_worst)
{
	struct board_worker_view w;
	struct board_connection_view c;
	size_t seen = 0;

	for (int round = 0; round < 2000; round++) {
		uint64_t done;

		for (size_t i = 0; i < SLOTS; i++) {
			fill_with_noise(board_slot(board, i), sizeof(struct board_slot));
			fill_with_noise(board_records(board, i), RECORDS * sizeof *records);
		}
		for (size_t i = 0; i < SLOTS; i++) {
			board_view(board, i, &w);
			expect_worker_in_range(&w);
			board_is_ahead(board, i, RECORDS, &done);
			for (size_t k = 0; k < RECORDS + 3; k++)
				if (board_view_connection(board, i, k, &c)) {
					expect_connection_in_range(&c);
					seen++;
				}
		}
	}
	ck_assert_uint_gt(seen, 2000);          /* the noise is not all thrown away at once */
} END_TEST

START_TEST(noise_is_wiped_away)
{
	struct board_connection_view c;
	struct board_worker_view w;

	fill_with_noise(slot, sizeof *slot);
	fill_with_noise(records, RECORDS * sizeof *records);
	board_reset(board, 1, BOARD_STARTING);
	board_view(board, 1, &w);
	ck_assert_int_eq(w.state, BOARD_STARTING);
	ck_assert_uint_eq(w.open + w.accepted + w.served + w.bytes_in + w.bytes_out + w.requests, 0);
	board_set(&slot->used, RECORDS);
	for (size_t k = 0; k < RECORDS; k++)
		ck_assert(!board_view_connection(board, 1, k, &c));
} END_TEST

/* ---- beside a writer ---------------------------------------------------- */

#define FIRST_NUMBER 1000

/* All that a record shows follows from its number. */
static void take_telling(struct board_connection *r, uint64_t number)
{
	const struct endpoint peer = { .family = AF_INET, .port = (in_port_t)number,
	                               .ip = { (uint8_t)number, (uint8_t)(number >> 8) } };

	board_take_record(r, number, (int64_t)(number % 1000), &peer, BOARD_PHASE_IDLE);
	board_add(&r->bytes_in, number);
	board_set(&r->program, (uint32_t)(number % 4096));
}

static bool tells_the_same(const struct board_connection_view *v)
{
	const uint64_t n = v->number;

	/* The last two are written while it is seen: they are there, or not yet. */
	return v->since_ms == (int64_t)(n % 1000) && v->peer.port == (in_port_t)n &&
	       v->peer.ip[0] == (uint8_t)n && v->peer.ip[1] == (uint8_t)(n >> 8) &&
	       (v->bytes_in == n || v->bytes_in == 0) &&
	       (v->program == (pid_t)(n % 4096) || v->program == 0);
}

/* Until it is killed; it ends by itself if the test has died. */
static _Noreturn void take_and_give(void)
{
	struct board_connection *r = &records[RECORDS - 1];

	alarm(60);
	for (uint64_t number = FIRST_NUMBER;; number++) {
		take_telling(r, number);
		board_give_record(r);
	}
}

START_TEST(no_torn_record_is_believed)
{
	const struct board_connection *r = &records[RECORDS - 1];
	struct board_connection_view v;
	uint64_t last = 0;
	size_t changes = 0;
	pid_t writer;

	board_set(&slot->used, RECORDS);
	writer = fork();
	if (writer == 0)
		take_and_give();
	while (atomic_load(&r->number) == 0)
		sched_yield();
	/* On one core they take turns: then there are few changes, but there are. */
	for (size_t round = 0; round < 200000 || changes < 50; round++) {
		if (!board_view_connection(board, 1, RECORDS - 1, &v))
			continue;
		ck_assert_msg(tells_the_same(&v), "number %" PRIu64 ": since %" PRId64 ", port %u, "
		              "in %" PRIu64 ", program %d", v.number, v.since_ms, v.peer.port,
		              v.bytes_in, (int)v.program);
		ck_assert_uint_ge(v.number, last);
		changes += v.number != last;
		last = v.number;
	}
	kill(writer, SIGKILL);
	ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
} END_TEST

/* Step by step, what the other test has to be lucky for. */
START_TEST(a_record_in_the_middle_of_being_taken_is_free)
{
	struct board_connection_view v;

	take(0, &peers[0]);
	board_give_record(&records[0]);
	board_set(&records[0].number, 18);      /* as far as a writer may have come */
	ck_assert(!board_view_connection(board, 1, 0, &v));
} END_TEST

/* ---- programs ----------------------------------------------------------- */

START_TEST(why_programs_fail_is_printable_and_ends)
{
	struct board_programs_view v;

	board_tell_programs(slot, BOARD_PROGRAMS_FAIL, clock_ms(), "no\nline \x1b[2J");
	board_view_programs(board, 1, &v);
	ck_assert_int_eq(v.now, BOARD_PROGRAMS_FAIL);
	ck_assert_str_eq(v.reason, "no\\x0aline \\x1b[2J");
	memset(slot->reason, 0xff, sizeof slot->reason);        /* and no NUL */
	board_set(&slot->programs_ms, INT64_MAX);
	board_view_programs(board, 1, &v);
	ck_assert_uint_le(strlen(v.reason), BOARD_REASON_TEXT - 1);
	ck_assert_uint_eq(strspn(v.reason, "\\xf"), strlen(v.reason));
	ck_assert_int_le(v.since_ms, clock_ms());
	board_set(&slot->programs, 77);
	board_view_programs(board, 1, &v);
	ck_assert_int_eq(v.now, BOARD_PROGRAMS_UNKNOWN);
	ck_assert_str_eq(v.reason, "");
} END_TEST

START_TEST(a_new_worker_knows_nothing_of_programs)
{
	struct board_programs_view v;

	board_tell_programs(slot, BOARD_PROGRAMS_FAIL, clock_ms(), "why");
	board_reset(board, 1, BOARD_STARTING);
	board_view_programs(board, 1, &v);
	ck_assert_int_eq(v.now, BOARD_PROGRAMS_UNKNOWN);
	ck_assert_str_eq(slot->reason, "");
} END_TEST

int main(void)
{
	Suite *s = suite_create("board_view");
	TCase *tc = unit_case(s, "board_view", set_up, tear_down);

	tcase_add_loop_test(tc, a_worker_is_seen_as_it_says, 0, ARRAY_SIZE(members));
	tcase_add_loop_test(tc, what_a_worker_says_is_in_range, 0, ARRAY_SIZE(slot_rows));
	tcase_add_loop_test(tc, there_are_not_more_programs_than_there_can_be, 0,
	                    ARRAY_SIZE(program_rows));
	tcase_add_test(tc, times_are_neither_negative_nor_to_come);
	tcase_add_loop_test(tc, no_counter_is_beyond_its_range, 0, ARRAY_SIZE(counters) * ARRAY_SIZE(beyond));
	tcase_add_test(tc, times_are_added_to_their_buckets);
	tcase_add_loop_test(tc, each_state_has_a_name, BOARD_FREE, BOARD_DRAINING + 1);
	tcase_add_loop_test(tc, each_phase_has_a_name, BOARD_PHASE_NONE, BOARD_PHASE_CLOSING + 1);
	tcase_add_test(tc, names_are_those_of_their_states);
	tcase_add_loop_test(tc, a_connection_is_seen_as_long_as_its_record_is_taken, 0,
	                    ARRAY_SIZE(peers));
	tcase_add_loop_test(tc, a_free_record_tells_of_the_connection_that_had_it_last, 0, ARRAY_SIZE(peers));
	tcase_add_loop_test(tc, a_connection_has_the_source_of_its_peer, 0, ARRAY_SIZE(sources));
	tcase_add_test(tc, a_connection_that_is_worked_on_is_in_the_handler);
	tcase_add_test(tc, records_that_are_not_there_or_never_were_used_are_free);
	tcase_add_loop_test(tc, what_a_record_says_is_in_range, 0, ARRAY_SIZE(record_rows));
	tcase_add_loop_test(tc, a_peer_is_one_that_there_can_be, 0, ARRAY_SIZE(peer_rows));
	tcase_add_test(tc, noise_is_nonsense_at_worst);
	tcase_add_test(tc, noise_is_wiped_away);
	tcase_add_test(tc, no_torn_record_is_believed);
	tcase_add_test(tc, a_record_in_the_middle_of_being_taken_is_free);
	tcase_add_test(tc, why_programs_fail_is_printable_and_ends);
	tcase_add_test(tc, a_new_worker_knows_nothing_of_programs);
	return unit_run(s);
}

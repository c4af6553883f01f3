/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as what a worker has written to the board: in a view, each value is in its range, and
 * nothing outside of the board is read. The bytes lie over the worker's slot, then over its
 * records, then over its input.
 */
#include <config.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "clock.h"
#include "fuzz.h"

#define SLOTS       3
#define CONNECTIONS 4
#define INPUT       64

/* Copies bytes to there, at most room. Returns how many. */
static size_t write_over(void *there, size_t room, const uint8_t *bytes, size_t size)
{
	const size_t len = size < room ? size : room;

	memcpy(there, bytes, len);
	return len;
}

static void write_all(struct board *b, size_t i, const uint8_t *bytes, size_t size)
{
	size_t at = write_over(board_slot(b, i), sizeof(struct board_slot), bytes, size);

	at += write_over(board_records(b, i), CONNECTIONS * sizeof(struct board_connection), bytes + at, size - at);
	write_over(board_input(b, i), sizeof(struct board_input) + INPUT, bytes + at, size - at);
}

static void check_time(int64_t ms)
{
	assert(ms >= 0 && ms <= clock_ms());
}

static void check_worker(const struct board *b, size_t i)
{
	struct board_worker_view v;

	board_view(b, i, &v);
	assert(board_state_name(v.state)[0] != '\0');
	assert(v.pid >= 0 && v.open <= CONNECTIONS && v.work < CONNECTIONS);
#define X(name) assert(v.name <= INT32_MAX);
	BOARD_GAUGES(X)
#undef X
#define X(name) assert(v.name <= BOARD_COUNT_MAX);
	BOARD_COUNTERS(X)
#undef X
#define X(name) assert(v.name.sum_ms <= BOARD_COUNT_MAX && \
                       histogram_count(&v.name) <= HISTOGRAM_BUCKETS * BOARD_COUNT_MAX);
	BOARD_HISTOGRAMS(X)
#undef X
	check_time(v.turn_ms);
	check_time(v.born_ms);
}

static void check_connection(const struct board_connection_view *v)
{
	char text[ADDRESS_TEXT_MAX];

	assert(v->phase != BOARD_PHASE_NONE && board_phase_name(v->phase)[0] != '\0');
	assert(v->program >= 0);
	assert(v->bytes_in <= BOARD_COUNT_MAX && v->bytes_out <= BOARD_COUNT_MAX);
	check_time(v->since_ms);
	assert(strlen(endpoint_format(&v->peer, text, sizeof text)) > 0);
}

/* What may be free: it has a source all the same, which is read as the same again. */
static void check_source(const struct board_connection_view *v)
{
	const struct source_id source = board_source(v, 32, 64);
	struct source_id again;
	char text[SOURCE_ID_TEXT_MAX];

	assert(source_id_is_known(&source) == (v->peer.family != 0 &&
	                                       (v->peer.family != AF_UNIX || v->user != 0)));
	if (source_id_is_known(&source))
		assert(source_id_parse(source_id_format(&source, text, sizeof text), &again) == CIDR_OK &&
		       source_id_equal(&source, &again));
}

static void check_connections(const struct board *b, size_t i)
{
	struct board_connection_view v;
	char bytes[INPUT];

	for (size_t k = 0; k <= CONNECTIONS; k++) {
		if (board_view_record(b, i, k, &v))
			check_source(&v);
		if (board_view_connection(b, i, k, &v)) {
			check_connection(&v);
			assert(board_copy_input(b, i, v.number, bytes) <= INPUT);
		}
	}
	if (board_view_work(b, i, &v))
		check_connection(&v);
}

static void check_programs(const struct board *b, size_t i)
{
	struct board_programs_view v = { .reason = "" };

	board_view_programs(b, i, &v);
	assert(v.now <= BOARD_PROGRAMS_FAIL);
	check_time(v.since_ms);
	assert(strlen(v.reason) < sizeof v.reason);
	for (const char *c = v.reason; *c; c++)
		assert(*c >= ' ' && *c <= '~');
}

/* What the siblings of the worker, and the master, find with its nonsense in between. */
static void check_sums(struct board *b)
{
	uint64_t done;

	for (size_t i = 0; i < SLOTS; i++)
		(void)board_is_ahead(b, i, CONNECTIONS, &done);
	(void)board_sum(b, CONNECTIONS, UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct board *b;
	struct board_worker_view v;

	if (!b && !(b = board_new(SLOTS, CONNECTIONS, INPUT)))
		abort();
	for (size_t i = 0; i < SLOTS; i++)
		board_reset(b, i, BOARD_ACCEPTING);
	write_all(b, 1, data, size);
	check_worker(b, 1);
	check_connections(b, 1);
	check_programs(b, 1);
	check_sums(b);
	board_reset(b, 1, BOARD_FREE);
	board_view(b, 1, &v);
	assert(v.state == BOARD_FREE && v.open == 0);
	return 0;
}

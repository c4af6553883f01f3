/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What admission decides about clients, in a worker whose listeners are the test.
 */
#include <config.h>
#include "admission.h"

#include "connection_harness.h"
#include "prefix_set.h"

static struct leash master;
static bool has_memory;

struct connection *__real_connection_new(struct worker *w, int fd, const struct endpoint *from);
struct connection *__wrap_connection_new(struct worker *w, int fd, const struct endpoint *from);

struct connection *__wrap_connection_new(struct worker *w, int fd, const struct endpoint *from)
{
	return has_memory ? __real_connection_new(w, fd, from) : NULL;
}

static void open_gate(int max_accepts)
{
	set_up();
	serve_with(HANDLER_ID_echo);
	service.max_accepts = max_accepts;
	ck_assert_int_eq(leash_open(&master, &worker.start.leash), 0);
	acceptor_close(&worker.acceptor);
	ck_assert_int_eq(admission_open(&worker), 0);
	has_memory = true;
}

static void set_up_endless(void)
{
	open_gate(0);
}

static void set_up_retiring(void)
{
	open_gate(2);
}

static void tear_down_gate(void)
{
	leash_close(&master);
	leash_close(&worker.start.leash);
	tear_down();
}

/* A client arrives. Returns its end. */
static int arrive(enum admission expected)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	ck_assert_int_eq(admission_decide(&worker, ends[0], 0, &peer), expected);
	return ends[1];
}

static bool has_said(enum leash_word word)
{
	struct leash_message m;

	return leash_hear(&master, &m) == LEASH_OK && m.word == word;
}

START_TEST(a_client_that_is_admitted_has_a_slot_and_is_served)
{
	int client = arrive(ADMISSION_ADMITTED);

	ck_assert_int_eq(worker.n_open, 1);
	ck_assert_uint_eq(worker.accepted, 1);
	say(client, "hello");
	turn();
	ck_assert_str_eq(hear(client), "hello");
	close(client);
} END_TEST

START_TEST(a_client_without_memory_for_it_is_refused)
{
	struct log_sink *log = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	int client;

	log_use(log, LOG_LEVEL_WARNING);
	has_memory = false;
	client = arrive(ADMISSION_NO_MEMORY);
	log_use(NULL, LOG_LEVEL_ERROR);
	log_sink_close(&log);
	ck_assert_ptr_null(hear(client));       /* its socket is closed */
	unit_contains(unit_read_file("log"), "test: no memory for a connection\n");
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_uint_eq(worker.accepted, 0);
	close(client);
} END_TEST

/* ---- proxies ------------------------------------------------------------ */

static const struct { const char *from; struct endpoint peer; enum admission expected; } peers[] = {
	{ "10.0.0.0/8",  { .family = AF_INET, .ip = { 10, 0, 0, 7 } },  ADMISSION_ADMITTED },
	{ "10.0.0.0/8",  { .family = AF_INET, .ip = { 11, 0, 0, 7 } },  ADMISSION_NO_PROXY },
	{ "10.0.0.0/8",  { .family = AF_INET6, .ip = { 10, 0, 0, 7 } }, ADMISSION_NO_PROXY },
	{ "fd00::/16",   { .family = AF_INET6, .ip = { 0xfd } },        ADMISSION_ADMITTED },
	{ "fd00::/16",   { .family = AF_INET6, .ip = { 0xfe, 0x80 } },  ADMISSION_NO_PROXY },
	{ "10.0.0.0/8",  { .family = AF_UNIX },                         ADMISSION_ADMITTED },
	{ "10.0.0.0/8",  { .family = 0 },                               ADMISSION_NO_PROXY },
};

START_TEST(a_header_is_believed_from_proxies_only)
{
	struct prefix_entry entry = { .verdict = PREFIX_ALLOW };
	struct arena arena;
	int client;

	ck_assert_int_eq(arena_open(&arena, 1 << 20), 0);
	ck_assert_int_eq(cidr_parse(peers[_i].from, &entry.cidr), CIDR_OK);
	anywhere.proxies = prefix_set_build(&arena, &entry, 1);
	anywhere.proxy = PROXY_ANY;
	peer = peers[_i].peer;
	client = arrive(peers[_i].expected);
	if (peers[_i].expected == ADMISSION_ADMITTED) {
		say(client, "PROXY TCP4 192.0.2.7 192.0.2.1 40312 7007\r\nhello");
		turns(2);
		ck_assert_str_eq(hear(client), "hello");
	} else {
		ck_assert_ptr_null(hear(client));
	}
	close(client);
	turns(2);
	arena_close(&arena);
} END_TEST

/* ---- the end of a worker ------------------------------------------------ */

START_TEST(the_master_is_told_once_that_there_were_enough)
{
	int first = arrive(ADMISSION_ADMITTED), second, third;

	ck_assert(!has_said(LEASH_RETIRE));
	second = arrive(ADMISSION_ADMITTED);
	ck_assert(has_said(LEASH_RETIRE));
	third = arrive(ADMISSION_ADMITTED);
	ck_assert(!has_said(LEASH_RETIRE));
	close(first);
	close(second);
	close(third);
} END_TEST

START_TEST(one_that_drains_does_not_retire)
{
	int first, second;

	worker.draining = true;
	first = arrive(ADMISSION_ADMITTED);
	second = arrive(ADMISSION_ADMITTED);
	ck_assert(!has_said(LEASH_RETIRE));
	worker.draining = false;
	close(first);
	close(second);
} END_TEST

int main(void)
{
	Suite *s = suite_create("admission");
	TCase *tc = unit_case(s, "clients", set_up_endless, tear_down_gate);

	tcase_add_test(tc, a_client_that_is_admitted_has_a_slot_and_is_served);
	tcase_add_test(tc, a_client_without_memory_for_it_is_refused);
	tcase_add_loop_test(tc, a_header_is_believed_from_proxies_only, 0, ARRAY_SIZE(peers));
	tc = unit_case(s, "retirement", set_up_retiring, tear_down_gate);
	tcase_add_test(tc, the_master_is_told_once_that_there_were_enough);
	tcase_add_test(tc, one_that_drains_does_not_retire);
	return unit_run(s);
}

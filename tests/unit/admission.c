/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What admission decides about clients, in a worker whose listeners are the test.
 */
#include <config.h>
#include "admission.h"

#include "blocks.h"
#include "connection_harness.h"
#include "prefix_set.h"

static struct leash master;
static bool has_memory;

struct connection *__real_connection_new(struct worker *w, int fd, const struct endpoint *from,
                                         const struct client_hold *hold);
struct connection *__wrap_connection_new(struct worker *w, int fd, const struct endpoint *from,
                                         const struct client_hold *hold);

struct connection *__wrap_connection_new(struct worker *w, int fd, const struct endpoint *from,
                                         const struct client_hold *hold)
{
	return has_memory ? __real_connection_new(w, fd, from, hold) : NULL;
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
static int arrive(enum refusal expected)
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
	int client = arrive(REFUSAL_NONE);

	ck_assert_int_eq(worker.n_open, 1);
	ck_assert_uint_eq(worker.accepted, 1);
	say(client, "hello");
	turn();
	ck_assert_str_eq(hear(client), "hello");
	close(client);
} END_TEST

START_TEST(a_client_without_memory_for_it_is_refused)
{
	struct board_worker_view v;
	int client;

	has_memory = false;
	client = arrive(REFUSAL_MEMORY);
	ck_assert_ptr_null(hear(client));       /* its socket is closed */
	ck_assert(has_said(LEASH_REFUSING));
	board_view(memory.board, 0, &v);
	ck_assert_uint_eq(v.refused_memory, 1);
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_uint_eq(worker.accepted, 0);
	close(client);
} END_TEST

START_TEST(the_access_log_has_refused_clients_if_it_is_asked_to)
{
	int client;

	has_memory = false;
	service.access_log.refused = _i;
	client = arrive(REFUSAL_MEMORY);
	ck_assert_str_eq(logged(0, "how"), _i ? "refused-memory" : "(nothing)");
	close(client);
} END_TEST

START_TEST(a_client_that_expects_tls_is_sent_no_message)
{
	int client;

	has_memory = false;
	service.limits.reject_message = "busy\n";
	anywhere.tls = _i;
	client = arrive(REFUSAL_MEMORY);
	if (_i == 0)
		ck_assert_str_eq(hear(client), "busy\n");
	ck_assert_ptr_null(hear(client));
	close(client);
	anywhere.tls = false;
	service.limits.reject_message = NULL;
} END_TEST

/* ---- access ------------------------------------------------------------- */

static struct arena lists;

/* `access` has one prefix, with that verdict. */
static void set_access(const char *prefix, enum prefix_verdict verdict, bool refuses_others)
{
	struct prefix_entry entry = { .verdict = verdict };

	ck_assert_int_eq(arena_open(&lists, 1 << 20), 0);
	ck_assert_int_eq(cidr_parse(prefix, &entry.cidr), CIDR_OK);
	service.access.set = prefix_set_build(&lists, &entry, 1);
	service.access.refuses_others = refuses_others;
}

static void forget_access(void)
{
	service.access.set = NULL;
	service.access.refuses_others = false;
	arena_close(&lists);
}

#define IN_IPV4(last) { .family = AF_INET, .ip = { 10, 0, 0, last } }

static const struct {
	const char         *prefix;
	enum prefix_verdict verdict;
	bool                refuses_others;
	struct endpoint     peer;
	enum refusal        expected;
} accesses[] = {
	{ "10.0.0.7", PREFIX_DENY,  false, IN_IPV4(7), REFUSAL_ACCESS },
	{ "10.0.0.7", PREFIX_DENY,  false, IN_IPV4(8), REFUSAL_NONE },
	{ "10.0.0.7", PREFIX_DENY,  true,  IN_IPV4(8), REFUSAL_ACCESS },
	{ "10.0.0.7", PREFIX_ALLOW, true,  IN_IPV4(7), REFUSAL_NONE },
	{ "10.0.0.7", PREFIX_ALLOW, true,  IN_IPV4(8), REFUSAL_ACCESS },
	{ "10.0.0.7", PREFIX_ALLOW, true,  { .family = AF_INET6, .ip = { 10, 0, 0, 7 } }, REFUSAL_ACCESS },
	{ "::/0",     PREFIX_DENY,  false, { .family = AF_INET6, .ip = { 10, 0, 0, 7 } }, REFUSAL_ACCESS },
	{ "::/0",     PREFIX_DENY,  false, IN_IPV4(7), REFUSAL_NONE },
	/* As a socket of systemd may have: nothing is known of its address. */
	{ "10.0.0.7", PREFIX_ALLOW, true,  { .family = AF_UNIX }, REFUSAL_ACCESS },
	{ "10.0.0.7", PREFIX_DENY,  false, { .family = AF_UNIX }, REFUSAL_NONE },
};

START_TEST(a_client_is_refused_by_its_address)
{
	struct board_worker_view v;
	int client;

	set_access(accesses[_i].prefix, accesses[_i].verdict, accesses[_i].refuses_others);
	peer = accesses[_i].peer;
	client = arrive(accesses[_i].expected);
	if (accesses[_i].expected == REFUSAL_NONE) {
		say(client, "hello");
		turn();
		ck_assert_str_eq(hear(client), "hello");
	} else {
		ck_assert_ptr_null(hear(client));
	}
	board_view(memory.board, 0, &v);
	ck_assert_uint_eq(v.refused_access, accesses[_i].expected == REFUSAL_ACCESS);
	close(client);
	turn();
	forget_access();
} END_TEST

START_TEST(behind_a_proxy_the_real_client_is_decided_about)
{
	struct prefix_entry entry = { .verdict = PREFIX_ALLOW };
	const struct { const char *address; bool admitted; } rows[] = {
		{ "192.0.2.7", true }, { "192.0.2.8", false },
	};
	char header[64];
	int client;

	/* The proxy itself is denied, as a client. */
	set_access("192.0.2.7", PREFIX_ALLOW, true);
	ck_assert_int_eq(cidr_parse("10.0.0.0/8", &entry.cidr), CIDR_OK);
	anywhere.proxies = prefix_set_build(&lists, &entry, 1);
	anywhere.proxy = PROXY_ANY;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		client = arrive(REFUSAL_NONE);
		snprintf(header, sizeof header, "PROXY TCP4 %s 192.0.2.1 40312 7007\r\n%s", rows[i].address,
		         rows[i].admitted ? "hello" : "");
		say(client, header);
		turns(2);
		if (rows[i].admitted)
			ck_assert_str_eq(hear(client), "hello");
		else
			ck_assert_ptr_null(hear(client));
		close(client);
		turns(2);
	}
	forget_access();
} END_TEST

/* A place that was reserved for the next client is free for a client of another worker. */
START_TEST(a_client_that_is_not_wanted_has_no_part_in_the_limits)
{
	int client;

	service.limits = (struct conf_limits){ .connections = 1, .source_prefix = { 32, 64 },
	                                       .reject_message = "busy\n", .overload = OVERLOAD_QUEUE };
	limits_init(&worker);
	set_access("10.0.0.7", PREFIX_DENY, false);
	ck_assert_int_eq(limits_reserve(&worker), 0);
	ck_assert_uint_eq(sources_service_count(service_memory.sources), 1);
	client = arrive(REFUSAL_ACCESS);
	ck_assert_uint_eq(sources_service_count(service_memory.sources), 0);
	ck_assert_ptr_null(hear(client));       /* and no message */
	close(client);
	service.limits = (struct conf_limits){ 0 };
	forget_access();
} END_TEST

/* ---- blocks ------------------------------------------------------------- */

static const struct { const char *source; struct endpoint peer; enum refusal expected; } blocked[] = {
	{ "10.0.0.7",    IN_IPV4(7), REFUSAL_BLOCKED },
	{ "10.0.0.7",    IN_IPV4(8), REFUSAL_NONE },
	{ "10.0.0.0/24", IN_IPV4(8), REFUSAL_BLOCKED },
	{ "10.0.0.7",    { .family = AF_UNIX }, REFUSAL_NONE },
	{ "our user",    { .family = AF_UNIX }, REFUSAL_BLOCKED },
	{ "our user",    IN_IPV4(7), REFUSAL_NONE },
	{ "uid:4711",    { .family = AF_UNIX }, REFUSAL_NONE },
};

/* In the first place of the table. */
static void block(const char *source, int64_t until_ms)
{
	struct source_id id = { .prefix.family = AF_UNIX, .uid = getuid() };

	if (strcmp(source, "our user") != 0)
		ck_assert_int_eq(source_id_parse(source, &id), CIDR_OK);
	blocks_set(worker.start.blocks, 0, &id, until_ms);
}

START_TEST(a_client_of_a_blocked_source_is_refused)
{
	struct board_worker_view v;
	int client;

	service.limits.reject_message = "busy\n";
	worker.start.blocks = blocks_new();
	block(blocked[_i].source, INT64_MAX);
	peer = blocked[_i].peer;
	client = arrive(blocked[_i].expected);
	if (blocked[_i].expected == REFUSAL_BLOCKED)
		ck_assert_ptr_null(hear(client));       /* and no message */
	board_view(memory.board, 0, &v);
	ck_assert_uint_eq(v.refused_blocked, blocked[_i].expected == REFUSAL_BLOCKED);
	ck_assert_uint_eq(blocks_refused(worker.start.blocks, 0), v.refused_blocked);
	close(client);
	block(blocked[_i].source, worker.loop.now_ms);
	close(arrive(REFUSAL_NONE));            /* the time is over */
	blocks_free(&worker.start.blocks);
	service.limits.reject_message = NULL;
} END_TEST

/* The master tells unix peers apart by it. */
START_TEST(the_user_of_a_unix_peer_is_on_the_board)
{
	struct board_connection_view v;
	int client;

	peer.family = _i ? AF_INET : AF_UNIX;
	client = arrive(REFUSAL_NONE);
	ck_assert(board_view_connection(memory.board, 0, 0, &v));
	ck_assert_uint_eq(v.user, _i ? 0 : 1 + getuid());
	close(client);
} END_TEST

/* ---- proxies ------------------------------------------------------------ */

static const struct { const char *from; struct endpoint peer; enum refusal expected; } peers[] = {
	{ "10.0.0.0/8",  { .family = AF_INET, .ip = { 10, 0, 0, 7 } },  REFUSAL_NONE },
	{ "10.0.0.0/8",  { .family = AF_INET, .ip = { 11, 0, 0, 7 } },  REFUSAL_PROXY },
	{ "10.0.0.0/8",  { .family = AF_INET6, .ip = { 10, 0, 0, 7 } }, REFUSAL_PROXY },
	{ "fd00::/16",   { .family = AF_INET6, .ip = { 0xfd } },        REFUSAL_NONE },
	{ "fd00::/16",   { .family = AF_INET6, .ip = { 0xfe, 0x80 } },  REFUSAL_PROXY },
	{ "10.0.0.0/8",  { .family = AF_UNIX },                         REFUSAL_NONE },
	{ "10.0.0.0/8",  { .family = 0 },                               REFUSAL_PROXY },
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
	if (peers[_i].expected == REFUSAL_NONE) {
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
	int first = arrive(REFUSAL_NONE), second, third;

	ck_assert(!has_said(LEASH_RETIRE));
	second = arrive(REFUSAL_NONE);
	ck_assert(has_said(LEASH_RETIRE));
	third = arrive(REFUSAL_NONE);
	ck_assert(!has_said(LEASH_RETIRE));
	close(first);
	close(second);
	close(third);
} END_TEST

START_TEST(one_that_drains_does_not_retire)
{
	int first, second;

	worker.draining = true;
	first = arrive(REFUSAL_NONE);
	second = arrive(REFUSAL_NONE);
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
	tcase_add_loop_test(tc, the_access_log_has_refused_clients_if_it_is_asked_to, 0, 2);
	tcase_add_loop_test(tc, a_client_that_expects_tls_is_sent_no_message, 0, 2);
	tc = unit_case(s, "access", set_up_endless, tear_down_gate);
	tcase_add_loop_test(tc, a_client_is_refused_by_its_address, 0, ARRAY_SIZE(accesses));
	tcase_add_test(tc, behind_a_proxy_the_real_client_is_decided_about);
	tcase_add_test(tc, a_client_that_is_not_wanted_has_no_part_in_the_limits);
	tcase_add_loop_test(tc, a_client_of_a_blocked_source_is_refused, 0, ARRAY_SIZE(blocked));
	tcase_add_loop_test(tc, the_user_of_a_unix_peer_is_on_the_board, 0, 2);
	tc = unit_case(s, "retirement", set_up_retiring, tear_down_gate);
	tcase_add_test(tc, the_master_is_told_once_that_there_were_enough);
	tcase_add_test(tc, one_that_drains_does_not_retire);
	return unit_run(s);
}

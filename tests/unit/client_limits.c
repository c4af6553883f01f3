/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The limits of a service as one worker applies them: who is refused, what is counted, and when it
 * is given back. That many workers together keep them is shown elsewhere (sources.c, e2e/limits).
 */
#include <config.h>
#include "client_limits.h"

#include "connection_harness.h"

static struct prefix_entry ours = { .verdict = PREFIX_ALLOW };
static struct arena arena;

static void set_up_limits(void)
{
	set_up();
	serve_with(HANDLER_ID_echo);
	service.limits = (struct conf_limits){ .source_prefix = { 32, 64 }, .overload = OVERLOAD_REJECT };
}

/* The limits are as the test has set them in `service`. */
static void begin(void)
{
	limits_init(&worker);
}

static void tear_down_limits(void)
{
	ck_assert_uint_eq(sources_service_count(service_memory.sources), 0);
	tear_down();
	arena_close(&arena);
}

static int from(uint8_t last, enum refusal expected)
{
	int ends[2];

	peer.ip[3] = last;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	ck_assert_int_eq(admission_decide(&worker, ends[0], 0, &peer), expected);
	return ends[1];
}

static struct board_worker_view counted(void)
{
	struct board_worker_view v;

	board_view(memory.board, 0, &v);
	return v;
}

static void leave(int client)
{
	close(client);
	turn();
}

START_TEST(there_are_never_more_connections_than_the_limit)
{
	int first, second, third;

	service.limits.connections = 2;
	service.limits.reject_message = "busy\n";
	begin();
	first = from(1, REFUSAL_NONE);
	ck_assert(!limits_wants_to_refuse(&worker));
	second = from(2, REFUSAL_NONE);
	ck_assert(limits_wants_to_refuse(&worker));
	third = from(3, REFUSAL_CONNECTIONS);
	ck_assert_str_eq(hear(third), "busy\n");
	ck_assert_ptr_null(hear(third));
	ck_assert_uint_eq(counted().refused_connections, 1);
	close(third);
	leave(first);
	third = from(3, REFUSAL_NONE);
	leave(second);
	leave(third);
} END_TEST

START_TEST(a_source_has_its_share_and_others_have_theirs)
{
	int clients[3];

	service.limits.connections_per_source = 1;
	begin();
	clients[0] = from(1, REFUSAL_NONE);
	close(from(1, REFUSAL_SOURCE));
	clients[1] = from(2, REFUSAL_NONE);
	leave(clients[0]);
	clients[2] = from(1, REFUSAL_NONE);
	ck_assert_uint_eq(counted().refused_source, 1);
	leave(clients[1]);
	leave(clients[2]);
} END_TEST

START_TEST(the_prefix_says_how_large_a_source_is)
{
	int client;

	service.limits.connections_per_source = 1;
	service.limits.source_prefix.ipv6 = 64;
	begin();
	peer = (struct endpoint){ .family = AF_INET6, .ip = { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	client = from(0, REFUSAL_NONE);
	peer.ip[15] = 2;
	close(from(0, REFUSAL_SOURCE));
	peer.ip[7] = 1;
	leave(from(0, REFUSAL_NONE));
	leave(client);
} END_TEST

START_TEST(users_of_unix_sockets_are_sources)
{
	int client;

	service.limits.connections_per_source = 1;
	begin();
	peer = (struct endpoint){ .family = AF_UNIX };
	client = from(0, REFUSAL_NONE);
	close(from(0, REFUSAL_SOURCE));
	leave(client);
	leave(from(0, REFUSAL_NONE));
} END_TEST

START_TEST(exempt_prefixes_have_no_share)
{
	int clients[2];

	ck_assert_int_eq(arena_open(&arena, 1 << 20), 0);
	ck_assert_int_eq(cidr_parse("10.0.0.0/24", &ours.cidr), CIDR_OK);
	service.limits.exempt = prefix_set_build(&arena, &ours, 1);
	service.limits.connections_per_source = 1;
	begin();
	clients[0] = from(1, REFUSAL_NONE);
	clients[1] = from(1, REFUSAL_NONE);
	leave(clients[0]);
	leave(clients[1]);
} END_TEST

START_TEST(a_rate_has_a_burst_and_then_refuses)
{
	const struct bucket_rate two_an_hour = { .interval_ns = INT64_C(1800000000000),
	                                         .depth_ns = INT64_C(3600000000000) };

	*(_i ? &service.limits.rate_per_source : &service.limits.rate) = two_an_hour;
	begin();
	leave(from(1, REFUSAL_NONE));
	leave(from(1, REFUSAL_NONE));
	close(from(1, _i ? REFUSAL_SOURCE_RATE : REFUSAL_RATE));
	if (_i)
		leave(from(2, REFUSAL_NONE));
	ck_assert_uint_eq(counted().refused_rate + counted().refused_source_rate, 1);
} END_TEST

/* A source that is refused must not use up what the rate of the service leaves to others. */
START_TEST(a_refused_client_does_not_count_for_the_rate)
{
	int client;

	service.limits.rate = (struct bucket_rate){ INT64_C(1800000000000), INT64_C(3600000000000) };
	service.limits.connections_per_source = 1;
	begin();
	client = from(1, REFUSAL_NONE);
	for (int i = 0; i < 9; i++)
		close(from(1, REFUSAL_SOURCE));
	leave(from(2, REFUSAL_NONE));
	leave(client);
} END_TEST

START_TEST(a_dry_run_counts_and_serves)
{
	int clients[2];

	service.limits.dry_run = true;
	*(_i ? &service.limits.connections_per_source : &service.limits.connections) = 1;
	begin();
	clients[0] = from(1, REFUSAL_NONE);
	clients[1] = from(1, REFUSAL_NONE);
	ck_assert_uint_eq(_i ? counted().refused_source : counted().refused_connections, 1);
	leave(clients[0]);
	leave(clients[1]);
} END_TEST

START_TEST(one_that_lingers_counts_until_it_is_gone)
{
	int client;

	service.limits.connections = 1;
	begin();
	serve_with(HANDLER_ID_daytime);
	client = from(1, REFUSAL_NONE);
	ck_assert_int_eq(worker.n_lingering, 1);
	close(from(2, REFUSAL_CONNECTIONS));
	leave(client);
	ck_assert_int_eq(worker.n_lingering, 0);
	leave(from(2, REFUSAL_NONE));
} END_TEST

/* ---- overload = "queue" ------------------------------------------------- */

START_TEST(a_place_is_reserved_before_a_client_is_accepted)
{
	service.limits.connections = 1;
	service.limits.overload = OVERLOAD_QUEUE;
	begin();
	ck_assert_int_eq(limits_reserve(&worker), 0);
	ck_assert_uint_eq(sources_service_count(service_memory.sources), 1);
	limits_unreserve(&worker);
	ck_assert_uint_eq(sources_service_count(service_memory.sources), 0);
	ck_assert_int_eq(limits_reserve(&worker), 0);
	leave(from(1, REFUSAL_NONE));
	ck_assert(!limits_wants_to_refuse(&worker));
	ck_assert_uint_eq(counted().refused_connections, 0);
} END_TEST

START_TEST(at_a_limit_there_is_a_time_to_ask_again)
{
	const struct bucket_rate slow = { INT64_C(50000000), INT64_C(50000000) };
	int client;

	service.limits.overload = OVERLOAD_QUEUE;
	if (_i)
		service.limits.rate = slow;
	else
		service.limits.connections = 1;
	begin();
	ck_assert_int_eq(limits_reserve(&worker), 0);
	client = from(1, REFUSAL_NONE);
	ck_assert_int_gt(limits_reserve(&worker), 0);
	ck_assert_int_le(limits_reserve(&worker), 1000);
	leave(client);
} END_TEST

int main(void)
{
	Suite *s = suite_create("client_limits");
	TCase *tc = unit_case(s, "client_limits", set_up_limits, tear_down_limits);

	tcase_add_test(tc, there_are_never_more_connections_than_the_limit);
	tcase_add_test(tc, a_source_has_its_share_and_others_have_theirs);
	tcase_add_test(tc, the_prefix_says_how_large_a_source_is);
	tcase_add_test(tc, users_of_unix_sockets_are_sources);
	tcase_add_test(tc, exempt_prefixes_have_no_share);
	tcase_add_loop_test(tc, a_rate_has_a_burst_and_then_refuses, 0, 2);
	tcase_add_test(tc, a_refused_client_does_not_count_for_the_rate);
	tcase_add_loop_test(tc, a_dry_run_counts_and_serves, 0, 2);
	tcase_add_test(tc, one_that_lingers_counts_until_it_is_gone);
	tcase_add_test(tc, a_place_is_reserved_before_a_client_is_accepted);
	tcase_add_loop_test(tc, at_a_limit_there_is_a_time_to_ask_again, 0, 2);
	return unit_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections whose handler answers later: they wait, and nothing is read meanwhile.
 */
#include <config.h>
#include "connection.h"

#include "connection_harness.h"

static struct {
	struct connection *c;
	size_t             n_received, n_taken, n_closed;
	enum handler_verdict then;      /* what `taken` says */
} later;

static enum handler_verdict later_received(struct connection *c, const char *bytes, size_t len)
{
	(void)bytes, (void)len;
	later.c = c;
	later.n_received++;
	handler_request_begins(c);
	return HANDLER_WAIT;
}

static enum handler_verdict later_taken(struct connection *c)
{
	(void)c;
	later.n_taken++;
	return later.then;
}

static void later_closed(struct connection *c)
{
	ck_assert_ptr_eq(*handler_state(c), NULL);
	later.n_closed++;
}

static const struct handler later_handler = {
	.name = "later", .received = later_received, .taken = later_taken, .closed = later_closed,
};

static int connect_later(void)
{
	int client = connect_tcp(HANDLER_ID_echo);
	struct connection *c = newest();

	worker.handler = &later_handler;
	memset(&later, 0, sizeof later);
	say(client, "first");
	turn();
	ck_assert_ptr_eq(later.c, c);
	ck_assert_int_eq(c->state, CONNECTION_WAIT);
	ck_assert_uint_eq(atomic_load(&c->record->phase), BOARD_PHASE_HANDLER);
	return client;
}

START_TEST(nothing_is_read_while_a_request_waits)
{
	int client = connect_later();

	say(client, "second");
	turns(3);
	ck_assert_uint_eq(later.n_received, 1);
	handler_reply(later.c, "answer", 6);
	handler_request_ends(later.c);
	handler_go_on(later.c, HANDLER_GO_ON);
	ck_assert_int_eq(later.c->state, CONNECTION_READ);
	turn();
	ck_assert_uint_eq(later.n_received, 2);         /* what had come meanwhile is told */
	until_readable(client);
	ck_assert_str_eq(hear(client), "answer");
	handler_go_on(later.c, HANDLER_FINISH);
	turns(2);
	ck_assert_uint_eq(later.n_closed, 1);
	expect_end("served");
	close(client);
} END_TEST

START_TEST(the_end_of_what_a_client_sends_waits_as_well)
{
	int client = connect_later();

	shutdown(client, SHUT_WR);
	turns(3);
	ck_assert_int_eq(later.c->state, CONNECTION_WAIT);
	handler_reply(later.c, "answer", 6);
	handler_go_on(later.c, HANDLER_GO_ON);
	turns(2);
	until_readable(client);
	ck_assert_str_eq(hear(client), "answer");
	expect_end("closed");
	close(client);
} END_TEST

START_TEST(a_client_that_gives_up_says_so_and_lingers)
{
	int client = connect_later();

	handler_reply(later.c, "sorry", 5);
	handler_go_on(later.c, HANDLER_GIVE_UP);
	expect_end("failed");
	ck_assert_int_eq(worker.n_lingering, 1);
	until_readable(client);
	ck_assert_str_eq(hear(client), "sorry");
	close(client);
	turns(2);
} END_TEST

START_TEST(a_slow_client_takes_its_answer_before_the_next_request)
{
	static char big[8 << 20];
	int client = connect_later();
	char got[65536];

	handler_reply(later.c, big, sizeof big);
	ck_assert(handler_is_behind(later.c));
	handler_go_on(later.c, HANDLER_GO_ON);
	ck_assert_int_eq(later.c->state, CONNECTION_WRITE);
	later.then = HANDLER_WAIT;
	while (later.n_taken == 0) {
		while (recv(client, got, sizeof got, MSG_DONTWAIT) > 0)
			;
		pass(1);
	}
	ck_assert_int_eq(later.c->state, CONNECTION_WAIT);
	close(client);
} END_TEST

START_TEST(a_client_that_resets_while_it_waits_is_gone)
{
	int client = connect_later();
	const struct linger now = { .l_onoff = 1 };

	setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(client);
	turns(2);
	ck_assert_uint_eq(later.n_closed, 1);
	expect_end("reset");
} END_TEST

START_TEST(a_request_has_its_own_time)
{
	int client;

	service.timeouts.request = 5;
	client = connect_later();
	pass(10);
	expect_end("request");
	ck_assert_uint_eq(later.n_closed, 1);
	close(client);
	turns(2);
} END_TEST

int main(void)
{
	Suite *s = suite_create("connection_later");
	TCase *tc = unit_case(s, "later", set_up, tear_down);

	tcase_add_test(tc, nothing_is_read_while_a_request_waits);
	tcase_add_test(tc, the_end_of_what_a_client_sends_waits_as_well);
	tcase_add_test(tc, a_client_that_gives_up_says_so_and_lingers);
	tcase_add_test(tc, a_slow_client_takes_its_answer_before_the_next_request);
	tcase_add_test(tc, a_client_that_resets_while_it_waits_is_gone);
	tcase_add_test(tc, a_request_has_its_own_time);
	return unit_run(s);
}

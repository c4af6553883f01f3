/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * More clients than there is room for: they wait in the queue of the listener,
 * and each of them is served in the end.
 */
#include <config.h>
#include "harness.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MANY 300

static struct daemon d;

/* Checks all events so far: a worker never had more than max connections. */
static void check_never_more_than(int max)
{
	for (size_t i = 0; i < d.events.n; i++) {
		const struct event *e = d.events.events[i];
		long long pid;
		int n_open = 0;

		if (!event_has(e, "worker-ready"))
			continue;
		pid = event_number(e, "pid");
		for (size_t k = i; k < d.events.n; k++) {
			const struct event *f = d.events.events[k];

			n_open += event_has(f, files_text("connection-open pid=%lld", pid));
			n_open -= event_has(f, files_text("connection-end pid=%lld", pid));
			ck_assert_int_le(n_open, max);
		}
	}
}

START_TEST(three_hundred_clients_of_four_workers_with_eight_slots_are_all_served)
{
	struct load l = { .n_clients = MANY, .bytes = 1000, .holds = true };

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 4; connections = 8;")));
	l.address = daemon_address(&d, "s", 0);
	load_start(&l);
	for (int i = 0; i < 4; i++)
		daemon_wait_for(&d, "full");
	ck_assert_uint_eq(l.done, 0);
	load_release(&l);
	load_wait_done(&l, MANY);
	load_stop(&l);
	for (int i = 0; i < MANY; i++)
		daemon_wait_for(&d, "connection-end how=closed in=1000 out=1000");
	check_never_more_than(8);
} END_TEST

START_TEST(with_one_slot_a_worker_serves_one_client_at_a_time)
{
	const struct event *first, *second, *third;
	int a, b, c;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 2; connections = 1;")));
	a = daemon_connect(&d, "s");
	b = daemon_connect(&d, "s");
	first = daemon_accepted(&d, a);
	second = daemon_accepted(&d, b);
	ck_assert_int_ne(event_number(first, "pid"), event_number(second, "pid"));

	c = daemon_connect(&d, "s");
	client_say(c, "me next");
	client_echo(a);
	client_echo(b);
	close(a);
	third = daemon_accepted(&d, c);
	ck_assert_int_eq(event_number(third, "pid"), event_number(first, "pid"));
	client_expect(c, "me next");
	close(b);
	close(c);
} END_TEST

START_TEST(a_worker_says_when_it_is_full_and_when_it_has_room)
{
	const struct event *full, *room;
	int a, b;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; connections = 2;")));
	a = daemon_connect(&d, "s");
	daemon_accepted(&d, a);
	ck_assert_uint_eq(daemon_saw(&d, "full"), 0);
	b = daemon_connect(&d, "s");
	full = daemon_wait_for(&d, "full service=s");
	close(a);
	room = daemon_wait_for(&d, "has-room service=s");
	ck_assert_uint_lt(full->nr, room->nr);
	close(b);
} END_TEST

/* Enough descriptors for the worker itself, and for some of its clients. */
#define DESCRIPTORS 48
#define CLIENTS     64

START_TEST(a_worker_without_descriptors_pauses_and_goes_on)
{
	const char *const format =
		SERVICES(SERVICE("poor", "echo", "workers = 1; rlimits = { nofile = %d; };")
		         SERVICE("rich", "echo", "workers = 1;"));
	int fds[CLIENTS], rich;
	size_t n_served;

	daemon_start(&d, format, DESCRIPTORS);
	rich = daemon_connect(&d, "rich");
	for (size_t i = 0; i < CLIENTS; i++)
		fds[i] = daemon_connect(&d, "poor");
	daemon_wait_for(&d, "accept-paused service=poor reason=descriptors");

	/* A client that is served is not harmed; one that waits is served when there is room. */
	n_served = daemon_saw(&d, "connection-open service=poor");
	ck_assert_uint_gt(n_served, 0);
	ck_assert_uint_lt(n_served, DESCRIPTORS);
	client_echo(rich);
	for (size_t i = 0; i < n_served; i++)
		client_echo(fds[i]);
	for (size_t i = 0; i < n_served; i++)
		close(fds[i]);
	daemon_wait_for(&d, "accept-resumed service=poor");
	for (size_t i = n_served; i < CLIENTS; i++) {
		client_echo(fds[i]);
		close(fds[i]);
	}
	client_echo(rich);
	close(rich);
	ck_assert_uint_eq(daemon_saw(&d, "accept-paused service=rich"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	ck_assert_uint_eq(files_count(daemon_errors(&d), strerror(EMFILE)), 1);
} END_TEST

int main(void)
{
	Suite *s = suite_create("limits");
	TCase *tc = harness_case(s, "limits");

	tcase_add_test(tc, three_hundred_clients_of_four_workers_with_eight_slots_are_all_served);
	tcase_add_test(tc, with_one_slot_a_worker_serves_one_client_at_a_time);
	tcase_add_test(tc, a_worker_says_when_it_is_full_and_when_it_has_room);
	tcase_add_test(tc, a_worker_without_descriptors_pauses_and_goes_on);
	return harness_run(s);
}

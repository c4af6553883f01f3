/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients of warm programs that vanish or do not stop, and programs that close before they
 * end, or end before they close. warm_timeouts.c tests time-outs.
 */
#include <config.h>
#include "harness.h"
#include "warm_harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "operator.h"

static struct daemon d;

START_TEST(the_operator_sees_whose_program_it_is)
{
	const struct event *opened;
	int fd;

	warm_start(&d, WARM_CAT, 1, "", "");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_echo(fd);
	ck_assert_int_eq(operator_run_args(files_path("control.sock"), "--json", "connections"), 0);
	harness_contains(operator_output(), files_text("\"program\":%d",
	                                               warm_joined(&d, opened)));
	harness_contains(operator_output(), "\"bytes_in\":15,\"bytes_out\":15");
	close(fd);
} END_TEST

/* ---- one slot ----------------------------------------------------------- */

/* The slot of the first is free only when its program has ended: then comes the second. */
static void check_slot_held(const struct event *first, const struct warm_fifo *release)
{
	const struct event *opened, *end;
	int second = daemon_connect(&d, "s");

	daemon_barrier(&d);
	warm_tell(release, "now");
	end = daemon_wait_for(&d, "program-end id=%s how=exit value=0", event_word(first, "id"));
	opened = daemon_accepted(&d, second);
	ck_assert_uint_gt(opened->nr, end->nr);
	close(second);
}

START_TEST(a_client_that_resets_keeps_its_slot_until_the_program_has_ended)
{
	const struct warm_work w = warm_start_work(&d, 1, "connections = 1;");

	client_reset(w.fd);
	ck_assert_str_eq(warm_hear(&w.up), "gone");
	check_slot_held(w.opened, &w.release);
	ck_assert_str_eq(event_word(daemon_ended(&d, w.opened), "how"), "reset");
	warm_tell(&w.release, "now");   /* the second client has gone as well */
} END_TEST

START_TEST(a_client_that_closes_and_lives_on_keeps_its_slot)
{
	const struct warm_fifo release = warm_fifo("release");
	const struct event *opened;
	int fd;

	warm_start_script(&d, files_text("read -r go; echo bye; exec <%1$s >/dev/null; read -r line; exit 0",
	                  release.path), 1, "", "connections = 1;");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "go\n");
	ck_assert_str_eq(client_read_all(fd), "bye\n");
	ck_assert_uint_eq(daemon_saw(&d, "program-end"), 0);
	check_slot_held(opened, &release);
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "exit");
	close(fd);
	warm_tell(&release, "now");
} END_TEST

START_TEST(what_it_has_left_in_the_background_is_served)
{
	const struct event *opened;
	int fd;

	warm_start_script(&d, "exec 3<&0; read -r one; echo \"parent $one\";"
	                  " (read -r two; echo \"child $two\") <&3 & exit 0", 1, "", "");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "one\n");
	client_expect(fd, "parent one\n");
	daemon_wait_for(&d, "program-end id=%s how=exit value=0", event_word(opened, "id"));
	client_say(fd, "two\n");
	ck_assert_str_eq(client_read_all(fd), "child two\n");
	ck_assert(event_has(daemon_ended(&d, opened), "connection-end how=exit in=8 out=21"));
	close(fd);
} END_TEST

/* No error, though much of what it has written was not even read by its worker. */
START_TEST(a_reset_is_the_end_of_file_for_a_client_that_has_written_much)
{
	const struct warm_fifo up = warm_fifo("up"), release = warm_fifo("release");
	const struct event *opened;
	pid_t worker;
	int fd;

	warm_start_script(&d, files_text("read -r line; echo ready; read -r go <%s;"
	                  " head -c 100000 /dev/zero; echo wrote >%s; exec cat >/dev/null", release.path, up.path), 1, "", "");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "hello\n");              /* only one with a client takes the order */
	client_expect(fd, "ready\n");
	worker = atoi(event_word(opened, "pid"));
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	warm_tell(&release, "go");
	ck_assert_str_eq(warm_hear(&up), "wrote");
	client_reset(fd);
	ck_assert_int_eq(kill(worker, SIGCONT), 0);
	ck_assert(event_has(daemon_wait_for(&d, "program-end id=%s", event_word(opened, "id")),
	                    "program-end how=exit value=0"));
} END_TEST

/* A hundred that leave at all stages: each slot comes back. */
START_TEST(clients_that_vanish_leave_nothing_behind)
{
	int fds[100];

	warm_start(&d, WARM_CAT, 2, "", "connections = 100;");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = daemon_connect(&d, "s");
		if (i % 3 > 0)
			client_echo(fds[i]);
		if (i % 3 > 1)
			client_say(fds[i], "never mind");
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		client_reset(fds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		daemon_wait_for(&d, "connection-end how=reset");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = daemon_connect_echo(&d, "s");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

/* ---- who does not stop -------------------------------------------------- */

#define ANSWER 3000000

START_TEST(a_client_that_sends_on_gets_all_of_the_answer)
{
	struct turn_hook flood;
	size_t got;
	int fd;

	warm_start_script(&d, files_text("read -r line; head -c %d /dev/zero", ANSWER), 1, "",
	                  "timeouts = { linger = \"1m\"; };");
	fd = daemon_connect(&d, "s");
	client_say(fd, "go\n");
	client_flood(&flood, fd);
	ck_assert_int_eq(warm_read_away(fd, &got), 0);
	client_flood_end(&flood);
	ck_assert_uint_eq(got, ANSWER);
	daemon_wait_for(&d, "connection-end how=exit out=%d", ANSWER);
	close(fd);
} END_TEST

/* It has ended, and what the client sends is not read: that holds up no other client. */
START_TEST(a_client_that_sends_to_no_program_is_forgotten)
{
	struct turn_hook flood;
	int fd;

	warm_start_script(&d, "read -r line; exit 0", 1, "",
	                  "connections = 1; timeouts = { linger = 0; };");
	for (int i = 0; i < 5; i++) {
		fd = daemon_connect(&d, "s");
		client_say(fd, "go\n");
		client_flood(&flood, fd);
		ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, fd)), "how"), "exit");
		client_flood_end(&flood);
		client_expect_gone(fd);
		close(fd);
	}
} END_TEST

int main(void)
{
	Suite *s = suite_create("warm_clients");
	TCase *tc = harness_case(s, "slots");

	tcase_add_test(tc, the_operator_sees_whose_program_it_is);
	tcase_add_test(tc, a_client_that_resets_keeps_its_slot_until_the_program_has_ended);
	tcase_add_test(tc, a_client_that_closes_and_lives_on_keeps_its_slot);
	tcase_add_test(tc, what_it_has_left_in_the_background_is_served);
	tcase_add_test(tc, a_reset_is_the_end_of_file_for_a_client_that_has_written_much);
	tcase_add_test(tc, clients_that_vanish_leave_nothing_behind);

	tc = harness_case(s, "senders");
	tcase_add_test(tc, a_client_that_sends_on_gets_all_of_the_answer);
	tcase_add_test(tc, a_client_that_sends_to_no_program_is_forgotten);
	return harness_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the board says of connections: when they are quiet, and while they are served.
 */
#include <config.h>
#include "connection.h"

#include <sys/wait.h>

#include "connection_harness.h"

/* ---- at rest ------------------------------------------------------------ */

static struct board_connection_view seen;

/* Record k of the worker; false if it is free. */
static bool look(size_t k)
{
	memset(&seen, 0, sizeof seen);
	return board_view_connection(memory.board, 0, k, &seen);
}

static struct board_worker_view look_at_worker(void)
{
	struct board_worker_view v;

	board_view(memory.board, 0, &v);
	return v;
}

START_TEST(the_board_shows_a_connection_and_what_it_does)
{
	int64_t before = worker.loop.now_ms;
	int client = connect_pair(HANDLER_ID_echo);
	struct board_worker_view v;

	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_IDLE);
	ck_assert_uint_eq(seen.number, 1);
	ck_assert_int_eq(seen.since_ms, before);
	ck_assert_int_eq(memcmp(&seen.peer, &peer, sizeof peer), 0);
	ck_assert_int_eq(seen.program, 0);
	say(client, "hello");
	turn();
	say(client, "hi");
	turn();
	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_IDLE);
	ck_assert_uint_eq(seen.bytes_in, 7);
	ck_assert_uint_eq(seen.bytes_out, 7);
	v = look_at_worker();
	ck_assert_uint_eq(v.open, 1);
	ck_assert_uint_eq(v.accepted, 1);
	ck_assert_uint_eq(v.served, 0);
	ck_assert_uint_eq(v.bytes_in, 7);
	ck_assert_uint_eq(v.bytes_out, 7);
	ck_assert_uint_eq(v.requests, 2);
	ck_assert(!v.at_work);
	close(client);
	turns(2);
	ck_assert(!look(0));
	v = look_at_worker();
	ck_assert_uint_eq(v.open, 0);
	ck_assert_uint_eq(v.served, 1);
	ck_assert_uint_eq(v.bytes_out, 7);      /* the sum stays */
} END_TEST

START_TEST(the_board_keeps_how_long_connections_were_open)
{
	int one = connect_pair(HANDLER_ID_echo), other = connect_pair(HANDLER_ID_echo);
	struct board_worker_view v;

	skip(1500);
	ck_assert_uint_eq(look_at_worker().duration.buckets[0], 0);
	connection_abort(newest(), END_STOPPED);
	skip(3500);
	connection_abort(newest(), END_STOPPED);
	v = look_at_worker();
	ck_assert_uint_eq(v.served, 2);
	ck_assert_uint_eq(histogram_count(&v.duration), 2);
	ck_assert_uint_eq(v.duration.buckets[histogram_bucket(1500)], 1);
	ck_assert_uint_eq(v.duration.buckets[histogram_bucket(5000)], 1);
	ck_assert_uint_eq(v.duration.sum_ms, 6500);
	ck_assert_uint_eq(histogram_count(&v.handshake) + histogram_count(&v.answer), 0);
	close(one);
	close(other);
} END_TEST

START_TEST(the_board_shows_a_client_that_does_not_read)
{
	int client = connect_pair(HANDLER_ID_echo);
	size_t sent = stuff(client), got = 0;

	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_WRITING);
	ck_assert_uint_gt(seen.bytes_in, seen.bytes_out);
	while (got < sent) {
		got = gather(client, got);
		turn();
	}
	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_IDLE);
	ck_assert_uint_eq(seen.bytes_in, sent);
	ck_assert_uint_eq(seen.bytes_out, sent);
	close(client);
} END_TEST

START_TEST(the_board_shows_a_client_that_is_written_to_unasked)
{
	int client = connect_pair(HANDLER_ID_chargen);

	turns(2);
	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_WRITING);
	ck_assert_uint_gt(seen.bytes_out, 0);
	ck_assert_uint_eq(look_at_worker().requests, 0);
	close(client);
} END_TEST

START_TEST(what_lingers_has_no_record_any_more)
{
	int client = connect_tcp(HANDLER_ID_daytime);

	ck_assert_int_eq(worker.n_lingering, 1);
	ck_assert(!look(0));
	say(client, "too late");
	turns(2);
	ck_assert_int_eq(worker.n_lingering, 1);
	ck_assert_uint_eq(look_at_worker().bytes_in, 0);
	ck_assert_uint_gt(look_at_worker().bytes_out, 0);
	close(client);
} END_TEST

START_TEST(records_are_used_again)
{
	int one = connect_pair(HANDLER_ID_echo), other = connect_pair(HANDLER_ID_echo), third;

	ck_assert(look(0) && look(1) && !look(2));
	close(one);
	turns(2);
	ck_assert(!look(0) && look(1));
	ck_assert_uint_eq(seen.number, 2);
	third = connect_pair(HANDLER_ID_echo);
	ck_assert(look(0));
	ck_assert_uint_eq(seen.number, 3);
	ck_assert_uint_eq(seen.bytes_in, 0);
	ck_assert(look(1) && !look(2));
	close(other);
	close(third);
} END_TEST

/* More than once through all records: each gets one, and none is lost. */
START_TEST(there_is_a_record_for_each_slot)
{
	int clients[SLOTS];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < SLOTS; i++)
			clients[i] = connect_pair(HANDLER_ID_echo);
		for (size_t k = 0; k < SLOTS; k++)
			ck_assert(look(k));
		ck_assert(!worker_has_room(&worker));
		for (int i = 0; i < SLOTS; i++)
			close(clients[i]);
		turns(2);
		for (size_t k = 0; k < SLOTS; k++)
			ck_assert(!look(k));
	}
} END_TEST

/* A program that reads to the end: it goes with its client, whatever happens to us. */
static const char *cat[] = { "/bin/cat", NULL };

START_TEST(the_board_shows_the_program)
{
	const struct endpoint from = peer;
	siginfo_t info;
	int ends[2];
	pid_t pid;

	serve_with(HANDLER_ID_exec);
	worker.programs.program = cat[0];
	worker.programs.argv = (char *const *)(uintptr_t)cat;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	admission_decide(&worker, ends[0], 0, &from);
	pid = program_pid(newest()->program);
	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_PROGRAM);
	ck_assert_int_eq(seen.program, pid);
	ck_assert_uint_eq(look_at_worker().requests, 1);
	ck_assert(!look_at_worker().at_work);
	connection_end_program(newest(), END_SESSION);
	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_CLOSING);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	programs_reap(&worker.programs);
	ck_assert(!look(0));
	expect_end("session");
	close(ends[1]);
	turn();
} END_TEST

/* ---- meanwhile ---------------------------------------------------------- */

static struct board_worker_view meanwhile;

static enum handler_verdict note_meanwhile(struct connection *c)
{
	meanwhile = look_at_worker();
	ck_assert_ptr_eq(board_records(memory.board, 0) + meanwhile.work, c->record);
	ck_assert(look(meanwhile.work));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_HANDLER);
	ck_assert_uint_eq(seen.number, c->number);
	return HANDLER_GO_ON;
}

static enum handler_verdict note_bytes(struct connection *c, const char *bytes, size_t len)
{
	(void)bytes;
	ck_assert_uint_eq(c->record->bytes_in, len);    /* they are counted before they are handled */
	return note_meanwhile(c);
}

static enum handler_verdict die(struct connection *c, const char *bytes, size_t len)
{
	(void)c, (void)bytes, (void)len;
	raise(SIGKILL);
	return HANDLER_GO_ON;
}

/* The second of two connections, with a handler of the test's own. */
static int connect_second(const struct handler *h)
{
	int ends[2];

	worker.handler = h;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	admission_decide(&worker, ends[0], 0, &peer);
	return ends[1];
}

START_TEST(the_board_shows_a_client_that_is_being_served)
{
	static const struct handler h = {
		.opened = note_meanwhile, .received = note_bytes, .ended = note_meanwhile,
	};
	int other = connect_pair(HANDLER_ID_echo), client = connect_second(&h);

	ck_assert(meanwhile.at_work);
	ck_assert_uint_eq(meanwhile.work, 1);
	ck_assert(!look_at_worker().at_work);
	meanwhile.at_work = false;
	say(client, "hello");
	turn();
	ck_assert(meanwhile.at_work);
	ck_assert_uint_eq(meanwhile.work, 1);
	ck_assert_uint_eq(meanwhile.requests, 1);
	ck_assert(!look_at_worker().at_work);
	ck_assert(look(1));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_IDLE);
	meanwhile.at_work = false;
	shutdown(client, SHUT_WR);
	turn();
	ck_assert(meanwhile.at_work);
	ck_assert(!look_at_worker().at_work);
	close(client);
	close(other);
} END_TEST

START_TEST(a_client_that_was_being_served_when_the_worker_died_is_still_there)
{
	static const struct handler h = { .received = die };
	int other = connect_pair(HANDLER_ID_echo), client = connect_second(&h);
	struct board_worker_view v;
	pid_t child;
	int status;

	say(client, "hello");
	child = fork();
	if (child == 0) {
		turn();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	v = look_at_worker();
	ck_assert(v.at_work);
	ck_assert_uint_eq(v.work, 1);
	ck_assert(look(v.work));
	ck_assert_uint_eq(seen.number, 2);
	ck_assert_uint_eq(seen.bytes_in, 5);
	close(client);
	close(other);
} END_TEST

int main(void)
{
	Suite *s = suite_create("connection_board");
	TCase *tc = unit_case(s, "board", set_up, tear_down);

	tcase_add_test(tc, the_board_shows_a_connection_and_what_it_does);
	tcase_add_test(tc, the_board_keeps_how_long_connections_were_open);
	tcase_add_test(tc, the_board_shows_a_client_that_does_not_read);
	tcase_add_test(tc, the_board_shows_a_client_that_is_written_to_unasked);
	tcase_add_test(tc, what_lingers_has_no_record_any_more);
	tcase_add_test(tc, records_are_used_again);
	tcase_add_test(tc, there_is_a_record_for_each_slot);
	tcase_add_test(tc, the_board_shows_the_program);
	tcase_add_test(tc, the_board_shows_a_client_that_is_being_served);
	tcase_add_test(tc, a_client_that_was_being_served_when_the_worker_died_is_still_there);
	return unit_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections whose bytes go through us to a program and back: what is counted,
 * what keeps them from being idle, and which of the two may go first. The
 * program is cat, the handler and the clock are the test's.
 */
#include <config.h>
#include "connection.h"

#include <sys/wait.h>

#include "fd.h"
#include "worker_harness.h"

#define IDLE_MS   1000
#define LINGER_MS 3000

static const char *cat[] = { "/bin/cat", NULL };

static struct connection *c;
static struct leash leash;
static int client;               /* the far ends */
static int program_fd;                  /* our end of the program's socket */
static int end_status;                  /* of the program; -1: it runs */
static int n_closed;                    /* how often the handler was told */
static bool has_client_ended;           /* what the handler says then */

/* ---- the handler -------------------------------------------------------- */

static void on_program_ended(void *arg, int status)
{
	(void)arg;
	end_status = status;
}

static enum handler_verdict opened(struct connection *k)
{
	struct program *p;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	program_fd = ends[0];
	p = program_start(&worker.programs, &(struct program_request){
		.name = "test", .envp = worker.programs.environment.strings,
		.in = ends[1], .out = ends[1], .ended = on_program_ended });
	ck_assert_ptr_nonnull(p);
	close(ends[1]);
	connection_run_program(k, p);
	return HANDLER_GO_ON;
}

static void closed(struct connection *k)
{
	n_closed++;
	if (has_client_ended)
		connection_client_ended(k);
}

static const struct handler handler = {
	.name = "test", .keeps = HANDLER_KEEPS_PROGRAM, .opened = opened, .closed = closed,
};

/* ---- around each test --------------------------------------------------- */

static void set_up(void)
{
	service = (struct conf_service){
		.name = "test", .connections = SLOTS,
		.handler = { .program = cat[0], .argv = cat, .env = (const char **)(uintptr_t)none,
		             .pass_env = (const char **)(uintptr_t)none, .err = STDERR_NULL },
		.timeouts = { .idle = IDLE_MS, .session = 100 * IDLE_MS, .linger = LINGER_MS },
	};
	open_worker();
	worker.handler = &handler;
	ck_assert_int_eq(leash_open(&leash, &worker.start.leash), 0);
	end_status = -1;
}

static void wait_for_program(void)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	programs_reap(&worker.programs);
	ck_assert_int_ne(end_status, -1);
}

static void tear_down(void)
{
	fd_close(&client);
	fd_close(&program_fd);
	if (!programs_none(&worker.programs))
		wait_for_program();
	ck_assert_int_eq(n_closed, 1);
	close_worker();
	leash_close(&worker.start.leash);
	leash_close(&leash);
}

/* From here on the program runs; fd is the end of its client. */
static void serve(int fd)
{
	client = fd;
	c = newest();
	ck_assert_int_eq(c->state, CONNECTION_PROGRAM);
	ck_assert_uint_eq(c->stream.watch.events, 0);
}

static void connect_pair(void)
{
	serve(new_pair());
}

/* For what is ready now, or soon. */
static void turn(void)
{
	loop_timer(&worker.loop, &tick, 1);
	loop_run(&worker.loop);
}

static struct shown { uint32_t phase, program; uint64_t in, out; } shown(void)
{
	const struct board_connection *r = c->record;

	return (struct shown){ atomic_load(&r->phase), atomic_load(&r->program),
	                                       atomic_load(&r->bytes_in), atomic_load(&r->bytes_out) };
}

/* The program's own end; the status is as it says. */
static int end_program(void)
{
	fd_close(&program_fd);
	wait_for_program();
	return end_status;
}

static bool was_told_to_end(void)
{
	wait_for_program();
	return WIFSIGNALED(end_status) && WTERMSIG(end_status) == SIGTERM;
}

/*
 * The client hears the end of the stream, after nothing; soon, for a program that
 * is just being started has a copy of our socket until it is executed.
 */
static bool hears_the_end(void)
{
	struct pollfd p = { .fd = client, .events = POLLIN };
	char byte;

	return poll(&p, 1, 10000) == 1 && recv(client, &byte, 1, MSG_DONTWAIT) == 0;
}

/* ---- bytes -------------------------------------------------------------- */

/* With the program everything ends. */
static void end_with(int status)
{
	connection_program_ended(c, status);
	connection_program_done(c);
}

START_TEST(what_was_relayed_is_counted)
{
	connect_pair();
	ck_assert_uint_eq(shown().phase, BOARD_PHASE_PROGRAM);
	ck_assert_uint_eq(shown().program, program_pid(c->program));
	connection_relayed(c, 3, 0);
	connection_relayed(c, 0, 50);
	connection_relayed(c, 4, 0);
	ck_assert_uint_eq(shown().in, 7);
	ck_assert_uint_eq(shown().out, 50);
	ck_assert_uint_eq(atomic_load(&worker.slot->bytes_in), 7);
	ck_assert_uint_eq(atomic_load(&worker.slot->bytes_out), 50);
	ck_assert_uint_eq(atomic_load(&worker.slot->requests), 1);
	has_client_ended = true;
	end_with(end_program());
	ck_assert_str_eq(logged(0, "in"), "7");
	ck_assert_str_eq(logged(0, "out"), "50");
	ck_assert_str_eq(logged(0, "how"), "exit");
	ck_assert_str_eq(logged(0, "exit"), "0");
} END_TEST

/* What the kernel has for it, in pieces, and epoll tells nothing of how it takes them. */
START_TEST(a_client_that_takes_slowly_is_not_idle)
{
	char bytes[1000] = "";

	connect_pair();
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(send(stream_socket(&c->stream), bytes, sizeof bytes, MSG_DONTWAIT), sizeof bytes);
	connection_relayed(c, 0, 10 * sizeof bytes);
	for (int i = 0; i < 10; i++) {
		skip(IDLE_MS - 1);
		ck_assert_int_eq(c->cut, END_NOT_YET);
		ck_assert_int_eq(recv(client, bytes, sizeof bytes, MSG_DONTWAIT), sizeof bytes);
	}
	skip(IDLE_MS - 1);
	ck_assert_int_eq(c->cut, END_NOT_YET);          /* the last ones count, too */
	skip(IDLE_MS / 4 + 2);
	ck_assert_int_eq(c->cut, END_IDLE);
	ck_assert(was_told_to_end());
	has_client_ended = true;
	end_with(end_status);
} END_TEST

START_TEST(either_way_keeps_it_from_being_idle)
{
	connect_pair();
	for (int i = 0; i < 10; i++) {
		skip(IDLE_MS - 1);
		connection_relayed(c, i % 2 ? 1 : 0, i % 2 ? 0 : 1);
	}
	skip(IDLE_MS - 1);
	ck_assert_int_eq(c->cut, END_NOT_YET);
	ck_assert_uint_eq(shown().phase, BOARD_PHASE_PROGRAM);
	skip(1);
	ck_assert_int_eq(c->cut, END_IDLE);
	ck_assert_uint_eq(shown().phase, BOARD_PHASE_CLOSING);
	ck_assert_int_eq(worker.n_open, 1);             /* until it has ended */
	ck_assert(was_told_to_end());
	end_with(end_status);
	ck_assert_str_eq(logged(0, "how"), "idle");
	ck_assert(hears_the_end());
	skip(LINGER_MS);
} END_TEST

START_TEST(without_a_limit_no_connection_is_idle)
{
	service.timeouts.idle = 0;
	service.timeouts.session = 0;
	connect_pair();
	skip(1000000000);
	ck_assert_int_eq(c->cut, END_NOT_YET);
	has_client_ended = true;
	end_with(end_program());
} END_TEST

/* ---- the program goes first --------------------------------------------- */

START_TEST(a_client_still_takes_what_the_program_said)
{
	connect_pair();
	skip(IDLE_MS - 1);
	connection_program_ended(c, end_program());
	ck_assert_ptr_null(c->program);
	ck_assert_uint_eq(shown().phase, BOARD_PHASE_WRITING);
	ck_assert_uint_eq(shown().program, 0);
	skip(IDLE_MS - 1);                      /* counted from then */
	connection_relayed(c, 0, 10);
	skip(IDLE_MS - 1);
	ck_assert_int_eq(worker.n_open, 1);
	connection_program_done(c);
	ck_assert_str_eq(logged(0, "how"), "exit");
	ck_assert_str_eq(logged(0, "out"), "10");
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert(hears_the_end());
	skip(LINGER_MS);
} END_TEST

/* Nothing is to be hoped for: it is not left to the kernel, either. */
START_TEST(a_client_that_does_not_take_it_is_reset)
{
	char byte;
	ssize_t n;

	serve(new_tcp());
	connection_program_ended(c, end_program());
	skip(IDLE_MS - 1);
	ck_assert_int_eq(worker.n_open, 1);
	skip(1);
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_int_eq(worker.n_lingering, 0);
	ck_assert_str_eq(logged(0, "how"), "idle");
	n = recv(client, &byte, 1, 0);
	ck_assert(n == -1 && errno == ECONNRESET);
} END_TEST

static const struct { const char *name; enum connection_end how; } ends[] = {
	{ "session", END_SESSION }, { "stop", END_STOPPED }, { "kick", END_KICKED },
};

START_TEST(without_a_program_it_ends_at_once)
{
	connect_pair();
	connection_program_ended(c, end_program());
	if (ends[_i].how == END_KICKED)
		connection_kick(c);
	else
		connection_end_program(c, ends[_i].how);
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_int_eq(worker.n_lingering, 0);
	ck_assert_str_eq(logged(0, "how"), ends[_i].name);
	ck_assert_str_eq(logged(0, "exit"), "0");
	ck_assert(hears_the_end());
} END_TEST

START_TEST(the_master_hears_of_a_kick_when_it_is_closed)
{
	struct leash_message m;

	connect_pair();
	connection_kick(c);
	ck_assert_int_eq(leash_hear(&leash, &m), LEASH_EMPTY);
	ck_assert(was_told_to_end());
	connection_program_ended(c, end_status);
	ck_assert_int_eq(leash_hear(&leash, &m), LEASH_EMPTY);
	connection_program_unsent(c);
	ck_assert_int_eq(leash_hear(&leash, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_KICK);
	ck_assert_uint_eq(m.number, 1);
	ck_assert_str_eq(logged(0, "how"), "kick");
} END_TEST

/* ---- the client goes first ---------------------------------------------- */

START_TEST(a_program_may_go_on_without_its_client)
{
	connect_pair();
	connection_lost_client(c, END_RESET);
	ck_assert(!stream_is_open(&c->stream));
	ck_assert(hears_the_end());
	skip(10 * IDLE_MS);                     /* who is gone is not idle */
	ck_assert_int_eq(worker.n_open, 1);
	ck_assert_ptr_nonnull(c->program);
	ck_assert_uint_eq(shown().program, program_pid(c->program));
	ck_assert_uint_eq(shown().phase, BOARD_PHASE_PROGRAM);
	end_with(end_program());
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_int_eq(worker.n_lingering, 0);
	ck_assert_str_eq(logged(0, "how"), "reset");
	ck_assert_str_eq(logged(0, "exit"), "0");
} END_TEST

START_TEST(without_its_client_its_session_ends_as_ever)
{
	connect_pair();
	connection_lost_client(c, END_RESET);
	skip(100 * IDLE_MS);
	ck_assert(was_told_to_end());
	end_with(end_status);
	ck_assert_str_eq(logged(0, "how"), "reset");       /* that was first */
} END_TEST

START_TEST(a_client_that_was_cut_off_before_was_cut_off)
{
	connect_pair();
	connection_end_program(c, END_KICKED);
	connection_end_program(c, END_STOPPED);
	connection_lost_client(c, END_RESET);
	ck_assert(was_told_to_end());
	end_with(end_status);
	ck_assert_str_eq(logged(0, "how"), "kick");
} END_TEST

/* ---- the end ------------------------------------------------------------ */

/* The client has not sent all: a plain close could cost it the last of what it was sent. */
START_TEST(the_socket_lingers_without_its_slot)
{
	connect_pair();
	end_with(end_program());
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_int_eq(worker.n_lingering, 1);
	ck_assert_str_eq(logged(0, "how"), "exit");
	ck_assert(hears_the_end());
	ck_assert_int_eq(write(client, "more", 4), 4);
	turn();
	ck_assert_int_eq(worker.n_lingering, 1);
	fd_close(&client);
	turn();
	turn();
	ck_assert_int_eq(worker.n_lingering, 0);
} END_TEST

START_TEST(it_does_not_linger_for_ever)
{
	connect_pair();
	end_with(end_program());
	skip(LINGER_MS - 1);
	ck_assert_int_eq(worker.n_lingering, 1);
	ck_assert_int_eq(write(client, "more", 4), 4);
	skip(1);
	ck_assert_int_eq(worker.n_lingering, 0);
	ck_assert_int_eq(write(client, "more", 4), -1);
	ck_assert_int_eq(errno, EPIPE);
} END_TEST

static const struct { const char *name; bool client_ended, no_linger; } quick[] = {
	{ "the client has sent all", true,  false },
	{ "there is no lingering",   false, true },
};

START_TEST(it_may_be_closed_at_once)
{
	connect_pair();
	has_client_ended = quick[_i].client_ended;
	service.timeouts.linger = quick[_i].no_linger ? 0 : LINGER_MS;
	end_with(end_program());
	ck_assert_msg(worker.n_open + worker.n_lingering == 0, "%s", quick[_i].name);
	ck_assert(hears_the_end());
	ck_assert_str_eq(logged(0, "how"), "exit");
} END_TEST

START_TEST(a_signal_is_its_status)
{
	connect_pair();
	kill(program_pid(c->program), SIGKILL);
	wait_for_program();
	has_client_ended = true;
	end_with(end_status);
	ck_assert_str_eq(logged(0, "how"), "exit");
	ck_assert_str_eq(logged(0, "signal"), "KILL");
} END_TEST

int main(void)
{
	Suite *s = suite_create("connection_program");
	TCase *tc = unit_case(s, "bytes", set_up, tear_down);

	tcase_add_test(tc, what_was_relayed_is_counted);
	tcase_add_test(tc, a_client_that_takes_slowly_is_not_idle);
	tcase_add_test(tc, either_way_keeps_it_from_being_idle);
	tcase_add_test(tc, without_a_limit_no_connection_is_idle);
	tc = unit_case(s, "program_first", set_up, tear_down);
	tcase_add_test(tc, a_client_still_takes_what_the_program_said);
	tcase_add_test(tc, a_client_that_does_not_take_it_is_reset);
	tcase_add_loop_test(tc, without_a_program_it_ends_at_once, 0, (int)ARRAY_SIZE(ends));
	tcase_add_test(tc, the_master_hears_of_a_kick_when_it_is_closed);
	tc = unit_case(s, "client_first", set_up, tear_down);
	tcase_add_test(tc, a_program_may_go_on_without_its_client);
	tcase_add_test(tc, without_its_client_its_session_ends_as_ever);
	tcase_add_test(tc, a_client_that_was_cut_off_before_was_cut_off);
	tc = unit_case(s, "end", set_up, tear_down);
	tcase_add_test(tc, the_socket_lingers_without_its_slot);
	tcase_add_test(tc, it_does_not_linger_for_ever);
	tcase_add_loop_test(tc, it_may_be_closed_at_once, 0, (int)ARRAY_SIZE(quick));
	tcase_add_test(tc, a_signal_is_its_status);
	return unit_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long droverctl waits for a server that says nothing, and what it says
 * meanwhile. Some tests use a droverctl that waits only a moment (hasty.c).
 */
#include <config.h>
#include "harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operator.h"

#define NO_ANSWER     "droverctl: drover does not answer\n"
#define STILL_WAITING "droverctl: drover does not answer; still waiting\n"
#define SIGN_OF_LIFE  "{\"command\":\"version\"}"

static struct fake f;
static struct daemon d;

/* ---- commands that only look -------------------------------------------- */

static const char *const looks[] = {
	"status", "services", "workers", "connections", "sources", "crashes", "blocked", "certificates",
	"metrics", "version", "top",
};

START_TEST(a_command_that_looks_waits_for_an_answer_but_not_for_ever)
{
	static const char *const bytes[] = { "", "{\"ok\":true," };

	operator_hasten("answer");
	fake_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
		fake_falls_silent(&f, "*", bytes[i]);
		ck_assert_int_eq(operator_run_args(f.path, looks[_i]), 69);
		ck_assert_str_eq(operator_errors(), NO_ANSWER);
		ck_assert_str_eq(operator_output(), "");
	}
	fake_close(&f);
} END_TEST

/* ---- commands that change something ------------------------------------- */

/* A check looks up names, which may take long, too. */
static const char *const changes[][5] = {
	{ "--json", "check" },
	{ "--json", "reload" },
	{ "--json", "upgrade" },
	{ "--json", "stop" },
	{ "--json", "reopen-logs" },
	{ "--json", "scale", "s", "+1" },
	{ "--json", "drain", "s" },
	{ "--json", "resume", "s" },
	{ "--json", "kick", "1-1" },
	{ "--json", "unblock", "192.0.2.7" },
};

/* The first client is the one that waits. */
static int finish(void)
{
	client_say(f.clients[0].hook.fd, "{\"ok\":true,\"result\":{\"done\":1}}\n");
	shutdown(f.clients[0].hook.fd, SHUT_WR);        /* as after a stop */
	return operator_join();
}

START_TEST(a_command_that_waits_for_a_server_that_is_silent_is_told_so_once)
{
	operator_hasten("change sign");
	fake_open(&f);
	fake_falls_silent(&f, "*", "");
	operator_start(f.path, changes[_i]);
	while (f.n_requests < 2 || f.clients[1].hook.fd != -1)
		turn_once();            /* until it no longer waits for a sign of life */
	ck_assert_int_eq(finish(), 0);
	ck_assert_str_eq(operator_errors(), STILL_WAITING);
	ck_assert_str_eq(operator_output(), "{\"done\":1}\n");
	ck_assert_uint_eq(f.n_requests, 2);
	ck_assert_str_eq(f.requests[1], SIGN_OF_LIFE);
	fake_close(&f);
} END_TEST

START_TEST(a_command_that_waits_for_a_server_that_answers_others_is_told_nothing)
{
	static const char *const signs[] = {
		"{\"ok\":true,\"result\":{\"version\":\"1.2.3\"}}",
		"{\"ok\":false,\"error\":\"too-many-clients\"}",
	};

	operator_hasten("change");
	fake_open(&f);
	fake_falls_silent(&f, "drain", "");
	fake_answers(&f, "version", signs[_i]);
	operator_start(f.path, (const char *const[]){ "--json", "drain", "s", NULL });
	while (f.n_requests < 4)
		turn_once();
	ck_assert_int_eq(finish(), 0);
	ck_assert_str_eq(operator_errors(), "");
	ck_assert_str_eq(operator_output(), "{\"done\":1}\n");
	fake_close(&f);
} END_TEST

START_TEST(what_breaks_while_it_is_waited_for_is_told)
{
	operator_hasten("change sign");
	fake_open(&f);
	fake_falls_silent(&f, "*", "");
	operator_start(f.path, (const char *const[]){ "reload", NULL });
	while (f.n_requests < 2 || f.clients[1].hook.fd != -1)
		turn_once();
	fake_close(&f);
	ck_assert_int_eq(operator_join(), 70);
	ck_assert_str_eq(operator_errors(),
	                 STILL_WAITING "droverctl: drover closed the connection without an answer\n");
} END_TEST

/* ---- the real server ---------------------------------------------------- */

static const char *start_real(void)
{
	const char *path = files_path("control.sock");

	daemon_start(&d, "control = { socket = \"%s\"; };\n"
	             SERVICES(SERVICE("s", "echo", "workers = 1;")), path);
	return path;
}

static void stop_real(void)
{
	siginfo_t si = { 0 };

	daemon_signal(&d, SIGSTOP);
	ck_assert_int_eq(waitid(P_PID, (id_t)d.pid, &si, WSTOPPED), 0);
	ck_assert_int_eq(si.si_code, CLD_STOPPED);
}

START_TEST(a_real_server_that_is_stopped_does_not_answer)
{
	const char *path = start_real();

	operator_hasten("answer");
	stop_real();
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		ck_assert_int_eq(operator_run_args(path, looks[i]), 69);
		ck_assert_str_eq(operator_errors(), NO_ANSWER);
	}
	daemon_signal(&d, SIGCONT);
	operator_hasten("");
	ck_assert_int_eq(operator_run_args(path, "status"), 0);
} END_TEST

START_TEST(what_was_asked_of_a_server_that_is_stopped_is_done_when_it_goes_on)
{
	const char *path = start_real(), *errors = files_mkfifo("errors");
	int fd = open(errors, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	char said[256] = "";

	ck_assert_int_ne(fd, -1);
	operator_hasten("change sign");
	operator_errors_path = errors;
	stop_real();
	operator_start(path, (const char *const[]){ "drain", "s", NULL });
	turn_until_ready(fd, POLLIN);
	daemon_signal(&d, SIGCONT);
	ck_assert_int_eq(operator_join(), 0);
	ck_assert_int_gt(read(fd, said, sizeof said - 1), 0);
	ck_assert_str_eq(said, STILL_WAITING);
	ck_assert_str_eq(operator_output(), "s: drained, clients wait\n");
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("droverctl_patience");
	TCase *tc = harness_case(s, "look");

	tcase_add_loop_test(tc, a_command_that_looks_waits_for_an_answer_but_not_for_ever, 0, ARRAY_SIZE(looks));

	tc = harness_case(s, "change");
	tcase_add_loop_test(tc, a_command_that_waits_for_a_server_that_is_silent_is_told_so_once, 0,
	                    ARRAY_SIZE(changes));
	tcase_add_loop_test(tc, a_command_that_waits_for_a_server_that_answers_others_is_told_nothing, 0, 2);
	tcase_add_test(tc, what_breaks_while_it_is_waited_for_is_told);

	tc = harness_case(s, "real");
	tcase_add_test(tc, a_real_server_that_is_stopped_does_not_answer);
	tcase_add_test(tc, what_was_asked_of_a_server_that_is_stopped_is_done_when_it_goes_on);
	return harness_run(s);
}

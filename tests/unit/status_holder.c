/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status process as the master has it: honest ones, which ask and are answered; broken ones, which
 * are killed; and those that die. In place of the process is a script of the test, and the exit status
 * 0 says that it went as the script wants it.
 */
#include <config.h>
#include "status_holder.h"

#include <sys/socket.h>

#include "clock.h"
#include "helper_harness.h"
#include "log.h"

static struct status_holder *holder;
static struct conf_metrics metrics;
static const struct status_site site = { .metrics = &metrics, .http = { .n = 1 } };
static const struct status_site nothing = { .metrics = &metrics };

/* What the master was told. */
static int n_asked;
static enum fact asked;
static int64_t first_ms, last_ms;       /* when it was asked */
static bool cannot_answer;              /* the reporter fails */
static bool stops_when_asked;           /* the loop */

/* What the processes did. */
static int n_ended, last_status;
static pid_t last_pid;
static int ends_wanted;                 /* the loop stops after so many */

/* ---- in the process ----------------------------------------------------- */

static void (*script)(const struct leash *l, int answers);

_Noreturn void __wrap_status_process_main(const struct status_process_start *start);

_Noreturn void __wrap_status_process_main(const struct status_process_start *start)
{
	script(&start->leash, start->answers);
	_exit(0);
}

static void must(bool ok, int code)
{
	if (!ok)
		_exit(code);
}

static void tell(const struct leash *l, enum leash_word word, uint64_t number)
{
	must(leash_say(l, &(struct leash_message){ .word = word, .number = number }) == 0, 10);
}

/* Waits for one line that has that part. */
static void read_answer(int answers, const char *part)
{
	static char line[4096];
	size_t len = 0;

	do {
		struct pollfd p = { .fd = answers, .events = POLLIN };
		ssize_t n;

		must(poll(&p, 1, -1) == 1, 11);
		n = recv(answers, line + len, sizeof line - 1 - len, 0);
		must(n > 0, 12);
		len += (size_t)n;
	} while (line[len - 1] != '\n');
	line[len] = '\0';
	must(strstr(line, part) != NULL, 13);
}

static struct leash_message next_order(const struct leash *l)
{
	struct pollfd p = { .fd = l->orders, .events = POLLIN };
	struct leash_message m;

	must(poll(&p, 1, -1) == 1, 14);
	must(leash_obey(l, &m) == LEASH_OK, 15);
	return m;
}

static void await_end(const struct leash *l, int answers)
{
	(void)answers;
	tell(l, LEASH_READY, 0);
	must(next_order(l).word == LEASH_END, 16);
}

static void wait_forever(void)
{
	for (;;)
		pause();
}

/* ---- the master --------------------------------------------------------- */

static void write_status(void *data, const struct control_request *r, struct answer_writer *o)
{
	(void)data, (void)r;
	answer_writer_result(o, cannot_answer ? NULL : json_pack("{s:s}", "phase", "serving"));
}

static void write_version(void *data, const struct control_request *r, struct answer_writer *o)
{
	(void)data, (void)r;
	answer_writer_result(o, json_pack("{s:s}", "version", "1"));
}

static void on_asked(void *arg, enum fact what, struct status_question *q)
{
	ck_assert_ptr_eq(arg, &loop);
	last_ms = clock_ms();
	first_ms = n_asked++ == 0 ? last_ms : first_ms;
	asked = what;
	if (stops_when_asked)
		loop_stop(&loop);
	q->job = (struct report_job){ .command = "x", .limit_ms = 10000,
	                              .write = what == FACT_METRICS ? write_version : write_status };
}

static void on_forget(void *arg)
{
	(void)arg;
}

static void set_up(void)
{
	log_use(NULL, LOG_LEVEL_ERROR);
	open_helpers();
	n_asked = n_ended = 0;
	ends_wanted = 1;
	cannot_answer = stops_when_asked = false;
	holder = status_holder_new(&(struct status_holder_owner){
		.helpers = &helpers, .forget = on_forget, .asked = on_asked, .arg = &loop });
	ck_assert_ptr_nonnull(holder);
}

static void tear_down(void)
{
	status_holder_free(&holder);
	ck_assert_ptr_null(holder);
	while (wait(NULL) != -1 || errno == EINTR)
		;
	close_helpers();
}

static bool note_end(pid_t pid, int status)
{
	if (!status_holder_reaped(holder, pid, status))
		return false;
	last_status = status;
	last_pid = pid;
	if (++n_ended == ends_wanted)
		loop_stop(&loop);
	return true;
}

/* Until so many processes have ended. */
static void run_to_end(int n)
{
	reaped_too = note_end;
	ends_wanted = n;
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_int_eq(n_ended, n);
}

static pid_t start(void (*what)(const struct leash *l, int answers))
{
	script = what;
	status_holder_use(holder, 1, &site, -1);
	return status_holder_past(holder).pid;
}

static void expect_success(void)
{
	ck_assert_msg(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 0, "status %x", last_status);
}

/* ---- honest ones -------------------------------------------------------- */

static void ask_version(const struct leash *l, int answers)
{
	tell(l, LEASH_READY, 0);
	tell(l, LEASH_FACTS, FACT_METRICS);
	read_answer(answers, "{\"ok\":true,\"result\":{\"version\":\"1\"}}\n");
}

/* While an answer is under way, and more than once. */
static void ask_life(const struct leash *l, int answers)
{
	tell(l, LEASH_READY, 0);
	tell(l, LEASH_FACTS, FACT_STATUS);
	for (int i = 0; i < 3; i++) {
		struct leash_message m;

		tell(l, LEASH_FACTS, FACT_LIFE);
		m = next_order(l);
		must(m.word == LEASH_FACTS && m.number == FACT_LIFE && m.fds[LEASH_FD_FACTS] == -1, 20);
	}
	read_answer(answers, "\"phase\":\"serving\"");
}

START_TEST(master_itself_answers_at_once_that_it_lives)
{
	const pid_t pid = start(ask_life);

	run_to_end(1);
	ck_assert_int_eq(last_pid, pid);
	expect_success();
	ck_assert_int_eq(n_asked, 1);
	ck_assert_int_eq(asked, FACT_STATUS);
} END_TEST

/* It asks again as soon as it has read an answer: the process that has written that may still be there. */
static void ask_in_turn(const struct leash *l, int answers)
{
	tell(l, LEASH_READY, 0);
	for (int i = 0; i < 3; i++) {
		tell(l, LEASH_FACTS, FACT_STATUS);
		read_answer(answers, "\"phase\":\"serving\"");
	}
	tell(l, LEASH_FACTS, FACT_METRICS);
	read_answer(answers, "\"version\"");
}

START_TEST(children_of_the_master_answer_the_rest)
{
	start(ask_in_turn);
	run_to_end(1);
	expect_success();
	ck_assert_int_eq(n_asked, 4);
} END_TEST

static void ask_early(const struct leash *l, int answers)
{
	tell(l, LEASH_FACTS, FACT_STATUS);
	ask_version(l, answers);
}

START_TEST(what_is_asked_before_it_is_ready_is_not_answered)
{
	start(ask_early);
	run_to_end(1);
	expect_success();
	ck_assert_int_eq(n_asked, 1);
	ck_assert_int_eq(asked, FACT_METRICS);
} END_TEST

#define MANY 16

static void ask_much(const struct leash *l, int answers)
{
	tell(l, LEASH_READY, 0);
	for (int i = 0; i < MANY; i++) {
		tell(l, LEASH_FACTS, FACT_METRICS);
		read_answer(answers, "\"version\"");
	}
}

START_TEST(one_that_asks_too_fast_waits)
{
	const int burst = 2 * FACTS;

	start(ask_much);
	run_to_end(1);
	expect_success();
	ck_assert_int_eq(n_asked, MANY);
	ck_assert_int_ge(last_ms - first_ms, (MANY - burst - 1) * FACTS_FRESH_MS / FACTS);
} END_TEST

/* ---- broken ones -------------------------------------------------------- */

/* The master may be as fast for some time: it answers a few at once. */
static void ask_without_end(const struct leash *l, int answers)
{
	(void)answers;
	tell(l, LEASH_READY, 0);
	for (;;)
		leash_say(l, &(struct leash_message){ .word = LEASH_FACTS, .number = FACT_STATUS });
}

static void ask_unknown(const struct leash *l, int answers)
{
	(void)answers;
	tell(l, LEASH_READY, 0);
	tell(l, LEASH_FACTS, FACTS);
	wait_forever();
}

static void ask_far_beyond(const struct leash *l, int answers)
{
	(void)answers;
	tell(l, LEASH_READY, 0);
	tell(l, LEASH_FACTS, UINT64_MAX);
	wait_forever();
}

static void speak_as_worker(const struct leash *l, int answers)
{
	(void)answers;
	tell(l, LEASH_SLOTS, 0);
	wait_forever();
}

static void speak_malformed(const struct leash *l, int answers)
{
	(void)answers;
	must(write(l->words, "?", 1) == 1, 17);
	wait_forever();
}

static void be_ready_twice(const struct leash *l, int answers)
{
	(void)answers;
	tell(l, LEASH_READY, 0);
	tell(l, LEASH_READY, 0);
	wait_forever();
}

/* It does not read what it is told. */
static void ask_life_without_end(const struct leash *l, int answers)
{
	(void)answers;
	tell(l, LEASH_READY, 0);
	for (;;)
		leash_say(l, &(struct leash_message){ .word = LEASH_FACTS, .number = FACT_LIFE });
}

/* It is not ready, and so is not answered. */
static void ask_early_without_end(const struct leash *l, int answers)
{
	(void)answers;
	for (;;)
		leash_say(l, &(struct leash_message){ .word = LEASH_FACTS, .number = FACT_STATUS });
}

static void (*const broken[])(const struct leash *l, int answers) = {
	ask_without_end, ask_unknown, ask_far_beyond, speak_as_worker, speak_malformed, be_ready_twice,
	ask_life_without_end, ask_early_without_end,
};

START_TEST(broken_one_is_killed_and_replaced)
{
	const pid_t pid = start(broken[_i]);

	script = await_end;
	run_to_end(1);
	ck_assert_int_eq(last_pid, pid);
	ck_assert(WIFSIGNALED(last_status));
	ck_assert_int_eq(WTERMSIG(last_status), SIGKILL);
	ck_assert_int_eq(status_holder_past(holder).pid, 0);
	timer_run(&loop.timers, timer_next(&loop.timers));
	ck_assert_int_ne(status_holder_past(holder).pid, 0);
} END_TEST

/* It has the beginning of a line, or nothing, and cannot know what follows. */
static void be_cut_off(const struct leash *l, int answers)
{
	struct leash_message m;

	(void)answers;
	tell(l, LEASH_READY, 0);
	tell(l, LEASH_FACTS, FACT_STATUS);
	m = next_order(l);
	must(m.word == LEASH_FACTS && m.fds[LEASH_FD_FACTS] != -1, 21);
	tell(l, LEASH_READY, m.number);
	tell(l, LEASH_FACTS, FACT_METRICS);
	read_answer(m.fds[LEASH_FD_FACTS], "\"version\"");
}

START_TEST(one_whose_answer_has_failed_gets_another_socket)
{
	const pid_t pid = start(be_cut_off);

	cannot_answer = true;
	run_to_end(1);
	ck_assert_int_eq(last_pid, pid);
	expect_success();
	ck_assert_int_eq(n_asked, 2);
} END_TEST

/* ---- death -------------------------------------------------------------- */

static void fail_at_once(const struct leash *l, int answers)
{
	(void)l, (void)answers;
	_exit(3);
}

START_TEST(each_one_that_dies_young_makes_the_next_one_wait_longer)
{
	const int64_t begin_ms = clock_ms();

	start(fail_at_once);
	run_to_end(3);                  /* after 100 and 200 ms */
	ck_assert_int_eq(WEXITSTATUS(last_status), 3);
	ck_assert_int_ge(clock_ms() - begin_ms, 300);
	ck_assert_int_ge(timer_next(&loop.timers) - loop.now_ms, 400);
	ck_assert_int_eq(status_holder_past(holder).pid, 0);
} END_TEST

START_TEST(use_forgets_the_deaths_of_before)
{
	start(fail_at_once);
	run_to_end(2);
	start(fail_at_once);
	ck_assert_int_ne(status_holder_past(holder).pid, 0);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
	run_to_end(3);
	ck_assert_int_eq(timer_next(&loop.timers) - loop.now_ms, 100);  /* as after the first death */
} END_TEST

START_TEST(child_of_another_is_none_of_ours)
{
	start(await_end);
	ck_assert(!status_holder_reaped(holder, getpid(), 0));
	ck_assert_int_ne(status_holder_past(holder).pid, 0);
} END_TEST

/* ---- configurations ----------------------------------------------------- */

START_TEST(another_configuration_has_another_process)
{
	const pid_t first = start(await_end), second = start(await_end);

	ck_assert_int_ne(first, second);
	run_to_end(1);
	ck_assert_int_eq(last_pid, first);
	expect_success();
	ck_assert_int_eq(status_holder_past(holder).pid, second);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
} END_TEST

/* It has clients, and they want to know. */
static void ask_after_end(const struct leash *l, int answers)
{
	await_end(l, answers);
	tell(l, LEASH_FACTS, FACT_METRICS);
	read_answer(answers, "\"version\"");
}

START_TEST(one_that_goes_is_answered_still)
{
	start(ask_after_end);
	status_holder_use(holder, 2, &nothing, -1);
	run_to_end(1);
	expect_success();
	ck_assert_int_eq(n_asked, 1);
} END_TEST

static void stay(const struct leash *l, int answers)
{
	await_end(l, answers);
	wait_forever();
}

START_TEST(one_that_does_not_go_is_killed)
{
	const pid_t pid = start(stay);

	status_holder_use(holder, 2, &nothing, -1);
	ck_assert_int_ne(timer_next(&loop.timers), CLOCK_NEVER);
	ck_assert_int_gt(timer_next(&loop.timers), loop.now_ms + STATUS_PROCESS_LEAVE_MS);
	timer_run(&loop.timers, timer_next(&loop.timers));
	run_to_end(1);
	ck_assert_int_eq(last_pid, pid);
	ck_assert(WIFSIGNALED(last_status));
	ck_assert_int_eq(WTERMSIG(last_status), SIGKILL);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
} END_TEST

START_TEST(without_anything_to_serve_there_is_no_process)
{
	status_holder_use(holder, 1, &nothing, -1);
	ck_assert_int_eq(status_holder_past(holder).pid, 0);
	start(await_end);
	status_holder_use(holder, 3, &nothing, -1);
	ck_assert_int_eq(status_holder_past(holder).pid, 0);
	run_to_end(1);
	expect_success();
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
} END_TEST

START_TEST(nothing_is_started_later_when_there_is_nothing_to_serve)
{
	start(fail_at_once);
	run_to_end(1);
	ck_assert_int_ne(timer_next(&loop.timers), CLOCK_NEVER);
	status_holder_use(holder, 2, &nothing, -1);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
} END_TEST

/* ---- upgrades ----------------------------------------------------------- */

/* It has asked the program before, which has not answered. */
static void go_on(const struct leash *l)
{
	struct leash_message m;

	tell(l, LEASH_FACTS, FACT_STATUS);
	m = next_order(l);
	must(m.word == LEASH_FACTS && m.fds[LEASH_FD_FACTS] != -1, 18);
	/* What is in the leash already means the socket before. */
	tell(l, LEASH_READY, 0);
	tell(l, LEASH_FACTS, FACT_STATUS);
	tell(l, LEASH_READY, m.number);
	tell(l, LEASH_FACTS, FACT_METRICS);
	read_answer(m.fds[LEASH_FD_FACTS], "\"version\"");
	must(next_order(l).word == LEASH_END, 19);
}

static struct status_past fork_past(void)
{
	struct status_past past;

	past.pid = leash_fork(&past.leash);
	ck_assert_int_ne(past.pid, -1);
	if (past.pid == 0) {
		go_on(&past.leash);
		_exit(0);
	}
	return past;
}

START_TEST(one_that_is_taken_over_gets_its_answers_from_us)
{
	const struct status_past past = fork_past();

	ck_assert_int_eq(status_holder_adopt(holder, &past), 0);
	ck_assert_int_eq(status_holder_past(holder).pid, past.pid);
	stops_when_asked = true;
	ck_assert_int_eq(loop_run(&loop), 0);
	start(await_end);
	run_to_end(1);
	ck_assert_int_eq(last_pid, past.pid);
	expect_success();
	ck_assert_int_eq(n_asked, 1);
	ck_assert_int_eq(asked, FACT_METRICS);
} END_TEST

START_TEST(one_that_is_taken_over_is_not_replaced)
{
	const struct status_past past = fork_past();

	ck_assert_int_eq(status_holder_adopt(holder, &past), 0);
	ck_assert_int_eq(kill(past.pid, SIGKILL), 0);
	run_to_end(1);
	ck_assert_int_eq(status_holder_past(holder).pid, 0);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
} END_TEST

int main(void)
{
	Suite *s = suite_create("status_holder");
	TCase *tc = unit_case(s, "honest", set_up, tear_down);

	tcase_add_test(tc, master_itself_answers_at_once_that_it_lives);
	tcase_add_test(tc, children_of_the_master_answer_the_rest);
	tcase_add_test(tc, what_is_asked_before_it_is_ready_is_not_answered);
	tcase_add_test(tc, one_that_asks_too_fast_waits);
	tc = unit_case(s, "broken", set_up, tear_down);
	tcase_add_loop_test(tc, broken_one_is_killed_and_replaced, 0, ARRAY_SIZE(broken));
	tcase_add_test(tc, one_whose_answer_has_failed_gets_another_socket);
	tc = unit_case(s, "death", set_up, tear_down);
	tcase_add_test(tc, each_one_that_dies_young_makes_the_next_one_wait_longer);
	tcase_add_test(tc, use_forgets_the_deaths_of_before);
	tcase_add_test(tc, child_of_another_is_none_of_ours);
	tc = unit_case(s, "configurations", set_up, tear_down);
	tcase_add_test(tc, another_configuration_has_another_process);
	tcase_add_test(tc, one_that_goes_is_answered_still);
	tcase_add_test(tc, one_that_does_not_go_is_killed);
	tcase_add_test(tc, without_anything_to_serve_there_is_no_process);
	tcase_add_test(tc, nothing_is_started_later_when_there_is_nothing_to_serve);
	tc = unit_case(s, "upgrades", set_up, tear_down);
	tcase_add_test(tc, one_that_is_taken_over_gets_its_answers_from_us);
	tcase_add_test(tc, one_that_is_taken_over_is_not_replaced);
	return unit_run(s);
}

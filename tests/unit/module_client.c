/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections of a module that is a part of the test: in which order it is called, what follows from
 * what it does, and what happens without memory.
 */
#include <config.h>
#include "builtin.h"

#include <stdarg.h>

#include "connection_harness.h"
#include "module_client.h"

#define LONG (8u << 20)

/* ---- memory --------------------------------------------------------------- */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static bool is_out_of_memory;

void *__wrap_calloc(size_t n, size_t size)
{
	if (!is_out_of_memory)
		return __real_calloc(n, size);
	errno = ENOMEM;
	return NULL;
}

void *__wrap_malloc(size_t size)
{
	if (!is_out_of_memory)
		return __real_malloc(size);
	errno = ENOMEM;
	return NULL;
}

/* ---- the module ----------------------------------------------------------- */

static const struct drover_server *drover;

static struct {
	char     calls[4096];           /* "data(bytes) ", "taken " ... in the order in which they came */
	struct drover_connection *last; /* the last one that was opened */
	void   (*on_open)(struct drover_connection *c);
	void   (*on_data)(struct drover_connection *c);
	void   (*on_ended)(struct drover_connection *c);
	void   (*on_timer)(struct drover_connection *c);
	void   (*on_release)(void);
	unsigned n_released;
	int      result;                /* what the last function has returned that a test is about */
	int      error;                 /* and errno then */
} t;

static char loan[LONG];

static __attribute__((format(printf, 1, 2))) void note(const char *format, ...)
{
	const size_t len = strlen(t.calls);
	va_list ap;

	va_start(ap, format);
	vsnprintf(t.calls + len, sizeof t.calls - len, format, ap);
	va_end(ap);
}

static void call(void (*function)(struct drover_connection *c), struct drover_connection *c)
{
	if (function)
		function(c);
}

static int test_open(struct drover_connection *c)
{
	t.last = c;
	call(t.on_open, c);
	return 0;
}

/* Consumes whole lines. */
static ptrdiff_t test_data(struct drover_connection *c, const char *bytes, size_t len)
{
	const char *end = memrchr(bytes, '\n', len);

	note(len > 20 ? "data " : "data(%.*s) ", (int)len, bytes);
	call(t.on_data, c);
	return end ? end + 1 - bytes : 0;
}

static int test_request(struct drover_connection *c, const char *bytes, size_t len)
{
	note("request(%.*s) ", (int)len, bytes);
	call(t.on_data, c);
	return 0;
}

static int test_ended(struct drover_connection *c, const char *bytes, size_t len)
{
	note("ended(%.*s) ", (int)len, bytes);
	call(t.on_ended, c);
	return 0;
}

static int test_taken(struct drover_connection *c)
{
	(void)c;
	note("taken ");
	return 0;
}

static int test_timer(struct drover_connection *c)
{
	note("timer ");
	call(t.on_timer, c);
	return 0;
}

static void test_close(struct drover_connection *c, int reason)
{
	(void)c;
	note("close(%d) ", reason);
}

static struct drover_module module;
static struct handler handler = { .name = "test", .module = &module, MODULE_FUNCTIONS };
static struct handler producer = { .name = "test", .module = &module, PRODUCER_FUNCTIONS };

/* ---- what it does in a callback -------------------------------------------- */

static void release(void *arg)
{
	(void)arg;
	t.n_released++;
	if (t.on_release)
		t.on_release();
}

static void lend(struct drover_connection *c)
{
	t.result = drover->lend(c, loan, sizeof loan, release, NULL);
	t.error = errno;
}

static void lend_and_finish(struct drover_connection *c)
{
	lend(c);
	drover->finish(c);
}

static void frame(struct drover_connection *c)
{
	t.result = drover->frame(c, "line");
	t.error = errno;
}

static void pause_it(struct drover_connection *c)
{
	drover->pause(c);
}

static void pause_for_a_while(struct drover_connection *c)
{
	drover->pause(c);
	drover->set_timer(c, 10);
}

static void resume(struct drover_connection *c)
{
	drover->resume(c);
}

static void pause_and_resume(struct drover_connection *c)
{
	drover->pause(c);
	drover->resume(c);
}

static void set_long_timer(struct drover_connection *c)
{
	t.result = drover->set_timer(c, INT64_MAX);
}

/* ---- around each test ------------------------------------------------------- */

static void open_module(void)
{
	memset(&t, 0, sizeof t);
	is_out_of_memory = false;
	module = (struct drover_module){
		DROVER_MODULE("test", "1"), .server = &drover, .open = test_open, .data = test_data,
		.request = test_request, .ended = test_ended, .taken = test_taken, .timer = test_timer,
		.close = test_close,
	};
	set_up();
	log_use(NULL, LOG_LEVEL_ERROR);
	service.max_request = 16;
	worker.handler = &handler;
	ck_assert_int_eq(handler.begin(&worker), 0);
	memset(loan, 'x', sizeof loan);
}

static void close_module(void)
{
	struct connection *c;

	list_each(&worker.connections, c, struct connection, in_worker)
		connection_abort(c, END_STOPPED);
	handler.end(&worker);
	tear_down();
}

/* All that has come is dealt with, and what was deferred then. */
static void settle(void)
{
	turns(3);
}

/* Reads up to the end, and returns how many bytes came. */
static size_t hear_all(int client)
{
	static char bytes[1u << 18];
	size_t sum = 0;
	ssize_t n;

	while ((n = recv(client, bytes, sizeof bytes, MSG_DONTWAIT)) != 0) {
		sum += n > 0 ? (size_t)n : 0;
		ck_assert(n > 0 || errno == EAGAIN);
		turn();
	}
	return sum;
}

/* ---- bytes ---------------------------------------------------------------- */

START_TEST(a_line_that_is_not_complete_comes_again_with_what_follows)
{
	const int client = new_pair();

	say(client, "on");
	settle();
	say(client, "e\ntw");
	settle();
	say(client, "o\n");
	settle();
	ck_assert_str_eq(t.calls, "data(on) data(one\ntw) data(two\n) ");
	close(client);
	settle();
	ck_assert_ptr_nonnull(strstr(t.calls, "ended() close(1) "));
} END_TEST

START_TEST(much_that_comes_at_once_after_an_incomplete_line_is_consumed)
{
	const int client = new_pair();

	say(client, "in");
	settle();
	say(client, "complete\nand another line\nand one more\n");
	settle();
	ck_assert_str_eq(t.calls, "data(in) data ");
	say(client, "x\n");
	settle();
	ck_assert_str_eq(t.calls, "data(in) data data(x\n) ");
	close(client);
} END_TEST

START_TEST(more_than_max_request_that_is_not_consumed_ends_the_connection)
{
	const int client = new_pair();

	say(client, "0123456789abcdef");
	settle();
	ck_assert_int_eq(worker.n_open, 1);
	say(client, "g");
	settle();
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_str_eq(logged(0, "how"), "failed");
	ck_assert_str_eq(t.calls, "data(0123456789abcdef) data(0123456789abcdefg) close(7) ");
	close(client);
	settle();
} END_TEST

/* ---- pause ---------------------------------------------------------------- */

START_TEST(what_came_before_a_pause_comes_again_after_a_resume_in_its_own_timer)
{
	const int client = new_pair();

	t.on_data = pause_for_a_while;
	t.on_timer = resume;
	say(client, "one\ntw");
	settle();
	t.on_data = NULL;
	say(client, "o\n");
	settle();
	ck_assert_str_eq(t.calls, "data(one\ntw) ");
	pass(15);
	settle();
	ck_assert_str_eq(t.calls, "data(one\ntw) timer data(tw) data(two\n) ");
	close(client);
} END_TEST

START_TEST(a_resume_in_the_call_that_has_paused_changes_nothing)
{
	const int client = new_pair();

	t.on_data = pause_and_resume;
	say(client, "one\ntw");
	settle();
	ck_assert_str_eq(t.calls, "data(one\ntw) ");
	say(client, "o\n");
	settle();
	ck_assert_str_eq(t.calls, "data(one\ntw) data(two\n) ");
	close(client);
} END_TEST

START_TEST(a_module_that_pauses_at_the_end_is_told_of_it_once)
{
	const int client = new_pair();

	t.on_ended = pause_for_a_while;
	t.on_timer = resume;
	shutdown(client, SHUT_WR);
	settle();
	ck_assert_str_eq(t.calls, "ended() ");
	pass(15);
	settle();
	ck_assert_str_eq(t.calls, "ended() timer close(1) ");
	ck_assert_ptr_null(hear(client));
	close(client);
} END_TEST

START_TEST(a_request_lasts_until_the_resume_in_a_timer)
{
	int client;

	t.on_open = frame;
	t.on_data = pause_for_a_while;
	t.on_timer = resume;
	client = new_pair();
	say(client, "one\ntwo\n");
	settle();
	ck_assert_str_eq(t.calls, "request(one) ");
	t.on_data = NULL;
	pass(15);
	settle();
	ck_assert_str_eq(t.calls, "request(one) timer request(two) ");
	close(client);
} END_TEST

START_TEST(a_pause_after_a_resume_does_not_lose_the_resume)
{
	int client;

	t.on_open = frame;
	t.on_data = pause_for_a_while;
	t.on_timer = resume;
	client = new_pair();
	say(client, "one\ntwo\n");
	settle();
	drover->resume(t.last);
	pause_and_resume(t.last);
	settle();
	ck_assert_str_eq(t.calls, "request(one) request(two) ");
	close(client);
} END_TEST

static struct drover_connection *other;

static void pause_other(struct drover_connection *c)
{
	(void)c;
	if (other)
		drover->pause(other);
}

/* In the turn in which bytes of the other, or its end, have come as well. */
START_TEST(a_connection_that_another_one_pauses_gets_nothing_before_the_resume)
{
	const int first = new_pair();
	int second;

	second = new_pair();
	other = t.last;
	t.on_data = pause_other;
	say(first, "pause\n");
	say(second, "bytes\n");
	shutdown(second, SHUT_WR);
	settle();
	t.on_data = NULL;
	ck_assert_str_eq(t.calls, "data(pause\n) ");
	drover->resume(other);
	settle();
	other = NULL;
	ck_assert_str_eq(t.calls, "data(pause\n) data(bytes\n) ended() close(1) ");
	close(first);
	close(second);
} END_TEST

/* ---- loans ---------------------------------------------------------------- */

START_TEST(what_is_lent_at_the_end_is_sent_before_the_connection_is_finished)
{
	const int client = new_pair();

	t.on_ended = lend;
	shutdown(client, SHUT_WR);
	ck_assert_uint_eq(hear_all(client), LONG);
	ck_assert_uint_eq(t.n_released, 1);
	ck_assert_str_eq(t.calls, "ended() close(1) ");
	close(client);
} END_TEST

START_TEST(what_is_lent_for_a_last_line_without_newline_is_sent_completely)
{
	int client;

	t.on_open = frame;
	t.on_data = lend;
	client = new_pair();
	say(client, "last");
	shutdown(client, SHUT_WR);
	ck_assert_uint_eq(hear_all(client), LONG);
	ck_assert_uint_eq(t.n_released, 1);
	ck_assert_str_eq(logged(0, "how"), "closed");
	close(client);
} END_TEST

START_TEST(after_finish_a_module_is_called_no_more_than_for_the_end)
{
	const int client = new_pair();

	t.on_data = lend_and_finish;
	say(client, "one\ntw");
	settle();
	say(client, "o\n");
	ck_assert_uint_eq(hear_all(client), LONG);
	ck_assert_str_eq(t.calls, "data(one\ntw) close(2) ");
	ck_assert_uint_eq(t.n_released, 1);
	close(client);
	settle();
} END_TEST

START_TEST(a_request_can_lend_and_finish)
{
	int client;

	t.on_open = frame;
	t.on_data = lend_and_finish;
	client = new_pair();
	say(client, "one\ntwo\n");
	settle();
	ck_assert_uint_eq(hear_all(client), LONG);
	ck_assert_str_eq(t.calls, "request(one) close(2) ");
	close(client);
	settle();
} END_TEST

/* A loan that is given back calls the module, which may do anything. */
static void use_the_last(void)
{
	if (t.n_released > 1)
		return;
	drover->pause(t.last);
	drover->set_timer(t.last, 1);
	ck_assert_int_eq(drover->write(t.last, "x", 1), -1);
	ck_assert_int_eq(drover->lend(t.last, "y", 1, release, NULL), -1);
	drover->finish(t.last);
}

START_TEST(a_loan_that_is_given_back_at_the_end_leaves_nothing_behind)
{
	int client;

	module.close = NULL;
	t.on_open = lend;
	t.on_release = use_the_last;
	client = new_pair();
	settle();
	ck_assert_uint_eq(t.n_released, 0);
	close(client);
	settle();
	ck_assert_uint_eq(t.n_released, 2);
	ck_assert_int_eq(worker.n_open, 0);
} END_TEST

/* ---- a producer ------------------------------------------------------------- */

static void become_producer(void)
{
	module.flags = DROVER_PRODUCER;
	worker.handler = &producer;
}

START_TEST(a_producer_cannot_have_requests)
{
	become_producer();
	t.on_open = frame;
	close(new_pair());
	ck_assert_int_eq(t.result, -1);
	ck_assert_int_eq(t.error, EINVAL);
	settle();
} END_TEST

START_TEST(a_producer_that_has_paused_is_asked_for_nothing)
{
	int client;

	become_producer();
	t.on_open = pause_it;
	client = new_pair();
	say(client, "one\n");
	settle();
	ck_assert_str_eq(t.calls, "");
	drover->resume(t.last);
	settle();
	ck_assert_ptr_nonnull(strstr(t.calls, "taken "));
	ck_assert_ptr_nonnull(strstr(t.calls, "data(one\n) "));
	close(client);
	settle();
} END_TEST

START_TEST(a_producer_that_pauses_at_the_end_is_told_of_it_once)
{
	int client;

	become_producer();
	t.on_ended = pause_it;
	client = new_pair();
	shutdown(client, SHUT_WR);
	settle();
	t.calls[0] = '\0';
	turns(5);
	ck_assert_str_eq(t.calls, "");
	drover->resume(t.last);
	settle();
	ck_assert_str_eq(t.calls, "close(1) ");
	close(client);
} END_TEST

START_TEST(a_producer_that_has_finished_is_called_no_more)
{
	int client;

	become_producer();
	t.on_data = lend_and_finish;
	client = new_pair();
	say(client, "one\n");
	settle();
	t.calls[0] = '\0';
	say(client, "two\n");
	shutdown(client, SHUT_WR);
	turns(5);
	ck_assert_str_eq(t.calls, "");
	ck_assert_uint_eq(hear_all(client), LONG);
	ck_assert_str_eq(t.calls, "close(2) ");
	close(client);
	settle();
} END_TEST

/* ---- timers --------------------------------------------------------------- */

START_TEST(the_longest_time_is_no_time_in_the_past)
{
	int client;

	t.on_open = set_long_timer;
	client = new_pair();
	settle();
	ck_assert_int_eq(t.result, 0);
	ck_assert_str_eq(t.calls, "");
	close(client);
	settle();
} END_TEST

/* ---- no memory ------------------------------------------------------------- */

static void lend_without_memory(struct drover_connection *c)
{
	is_out_of_memory = true;
	lend(c);
	is_out_of_memory = false;
}

static void fill_and_lend_without_memory(struct drover_connection *c)
{
	lend(c);
	ck_assert_int_eq(t.result, 0);
	lend_without_memory(c);
}

static void pause_without_memory(struct drover_connection *c)
{
	is_out_of_memory = true;
	drover->pause(c);
	is_out_of_memory = false;
}

static void set_timer_without_memory(struct drover_connection *c)
{
	is_out_of_memory = true;
	t.result = drover->set_timer(c, 1);
	t.error = errno;
	is_out_of_memory = false;
}

static void frame_without_memory(struct drover_connection *c)
{
	is_out_of_memory = true;
	frame(c);
	is_out_of_memory = false;
}

static const struct {
	const char *name;
	void      (*act)(struct drover_connection *c);
	int         result;             /* 0: the function has none */
	unsigned    n_released;
} without_memory[] = {
	{ "lend",      lend_without_memory,          -1, 1 },
	{ "a second",  fill_and_lend_without_memory, -1, 2 },
	{ "pause",     pause_without_memory,          0, 0 },
	{ "set_timer", set_timer_without_memory,     -1, 0 },
	{ "frame",     frame_without_memory,         -1, 0 },
};

START_TEST(without_memory_the_connection_ends)
{
	int client;

	t.on_open = without_memory[_i].act;
	client = new_pair();
	settle();
	ck_assert_msg(worker.n_open == 0, "%s", without_memory[_i].name);
	ck_assert_int_eq(t.result, without_memory[_i].result);
	ck_assert(t.result == 0 || t.error == ENOMEM);
	ck_assert_uint_eq(t.n_released, without_memory[_i].n_released);
	ck_assert_ptr_nonnull(strstr(t.calls, "close("));
	close(client);
} END_TEST

int main(void)
{
	Suite *s = suite_create("module_client");
	TCase *tc = unit_case(s, "module_client", open_module, close_module);

	tcase_add_test(tc, a_line_that_is_not_complete_comes_again_with_what_follows);
	tcase_add_test(tc, much_that_comes_at_once_after_an_incomplete_line_is_consumed);
	tcase_add_test(tc, more_than_max_request_that_is_not_consumed_ends_the_connection);
	tcase_add_test(tc, what_came_before_a_pause_comes_again_after_a_resume_in_its_own_timer);
	tcase_add_test(tc, a_resume_in_the_call_that_has_paused_changes_nothing);
	tcase_add_test(tc, a_module_that_pauses_at_the_end_is_told_of_it_once);
	tcase_add_test(tc, a_request_lasts_until_the_resume_in_a_timer);
	tcase_add_test(tc, a_pause_after_a_resume_does_not_lose_the_resume);
	tcase_add_test(tc, a_connection_that_another_one_pauses_gets_nothing_before_the_resume);
	tcase_add_test(tc, what_is_lent_at_the_end_is_sent_before_the_connection_is_finished);
	tcase_add_test(tc, what_is_lent_for_a_last_line_without_newline_is_sent_completely);
	tcase_add_test(tc, after_finish_a_module_is_called_no_more_than_for_the_end);
	tcase_add_test(tc, a_request_can_lend_and_finish);
	tcase_add_test(tc, a_loan_that_is_given_back_at_the_end_leaves_nothing_behind);
	tcase_add_test(tc, a_producer_cannot_have_requests);
	tcase_add_test(tc, a_producer_that_has_paused_is_asked_for_nothing);
	tcase_add_test(tc, a_producer_that_pauses_at_the_end_is_told_of_it_once);
	tcase_add_test(tc, a_producer_that_has_finished_is_called_no_more);
	tcase_add_test(tc, the_longest_time_is_no_time_in_the_past);
	tcase_add_loop_test(tc, without_memory_the_connection_ends, 0, ARRAY_SIZE(without_memory));
	return unit_run(s);
}

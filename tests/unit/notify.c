/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notifications: sent in order, and never waited for.
 */
#include <config.h>
#include "notify.h"

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static struct loop loop;
static struct notify *notify;
static int reader = -1;
static struct timer guard, tick;

static void stop(struct timer *t)
{
	(void)t;
	loop_stop(&loop);
}

static void fail_late(struct timer *t)
{
	(void)t;
	ck_abort_msg("the queue was not flushed");
}

/* Binds the reader; @ stands for an abstract name. */
static void bind_reader(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	memcpy(at.sun_path, path, strlen(path));
	if (path[0] == '@')
		at.sun_path[0] = '\0';
	reader = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(reader, (struct sockaddr *)&at,
	                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))), 0);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", unit_folder, name);
	return path;
}

static void set_up(void)
{
	unit_enter_folder();
	ck_assert_int_eq(loop_init(&loop), 0);
	guard.fire = fail_late;
	tick.fire = stop;
	loop_timer(&loop, &guard, 10000);
	bind_reader(path_of("socket"));
	notify = notify_open(&loop, path_of("socket"));
	ck_assert_msg(notify != NULL, "%m");
}

static void tear_down(void)
{
	if (reader != -1)
		close(reader);
	notify_close(&notify);
	ck_assert_ptr_null(notify);
	loop_fini(&loop);
	unit_leave_folder();
}

static void turn(void)
{
	loop_timer_at(&loop, &tick, 0);
	loop_run(&loop);
}

/* The next message; NULL if there is none. */
static const char *next(void)
{
	static char text[NOTIFY_MESSAGE_MAX + 1];
	ssize_t n = recv(reader, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return n == -1 ? NULL : text;
}

static void expect_number(unsigned want)
{
	const char *text = next();

	ck_assert_msg(text != NULL, "%u is missing", want);
	ck_assert_msg(strtoul(text, NULL, 10) == want, "%s instead of %u", text, want);
}

/* Until something waits; returns how many the socket took. */
static unsigned fill(void)
{
	unsigned n = 0;

	while (notify_waiting(notify) == 0) {
		ck_assert_uint_lt(n, 100000);
		notify_send(notify, "%u", n++);
	}
	return n - 1;
}

START_TEST(a_message_goes_out_at_once)
{
	notify_send(notify, "READY=%d", 1);
	ck_assert_uint_eq(notify_waiting(notify), 0);
	ck_assert_str_eq(next(), "READY=1");
	ck_assert_ptr_null(next());
	ck_assert(unit_fd_is_well_born(notify_fd(notify)));
} END_TEST

/* A process that shares it may bind it to a name: even its peer can send nothing there. */
START_TEST(nothing_can_be_sent_to_it)
{
	const struct sockaddr_un at = { .sun_family = AF_UNIX };
	const int fd = notify_fd(notify);
	struct sockaddr_un name;
	socklen_t len = sizeof name;

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at.sun_family), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	ck_assert_int_eq(sendto(reader, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&name, len), -1);
	ck_assert_int_eq(errno, EPIPE);
	notify_send(notify, "READY=1");
	ck_assert_str_eq(next(), "READY=1");
} END_TEST

START_TEST(without_a_receiver_nothing_is_sent)
{
	struct notify *nobody;

	errno = EXDEV;
	nobody = notify_open(&loop, NULL);
	ck_assert_ptr_null(nobody);
	ck_assert_int_eq(errno, 0);
	notify_send(nobody, "x");
	notify_move(nobody, &loop);
	ck_assert_uint_eq(notify_waiting(nobody), 0);
	ck_assert_int_eq(notify_fd(nobody), -1);
	notify_close(&nobody);
} END_TEST

START_TEST(what_is_not_taken_waits_and_goes_out_in_order_when_it_is_read)
{
	unsigned n_taken = fill(), total = n_taken + 100;

	for (unsigned i = n_taken + 1; i < total; i++)
		notify_send(notify, "%u", i);
	ck_assert_uint_eq(notify_waiting(notify), 100);
	for (unsigned i = 0; i < total; i++) {
		turn();
		expect_number(i);
	}
	turn();
	ck_assert_ptr_null(next());
	ck_assert_uint_eq(notify_waiting(notify), 0);
	notify_send(notify, "and %s", "again");
	ck_assert_str_eq(next(), "and again");
} END_TEST

/* A message must not overtake those that wait, even if there is room by now. */
START_TEST(nothing_overtakes_what_waits)
{
	unsigned n = fill();

	for (unsigned i = 0; i < n; i++)
		expect_number(i);
	notify_send(notify, "%u", n + 1);
	turn();
	expect_number(n);
	expect_number(n + 1);
	ck_assert_ptr_null(next());
} END_TEST

START_TEST(the_oldest_are_dropped_when_too_many_wait)
{
	unsigned n_taken = fill(), i = n_taken + 1;

	while (notify_waiting(notify) < NOTIFY_QUEUE_MAX)
		notify_send(notify, "%u", i++);
	for (int more = 0; more < 10; more++) {
		notify_send(notify, "%u", i++);
		ck_assert_uint_eq(notify_waiting(notify), NOTIFY_QUEUE_MAX);
	}
	for (unsigned k = 0; k < n_taken; k++)
		expect_number(k);
	for (unsigned k = i - NOTIFY_QUEUE_MAX; k < i; k++) {
		turn();
		expect_number(k);
	}
	ck_assert_ptr_null(next());
} END_TEST

START_TEST(the_loop_rests_once_all_is_sent)
{
	unsigned n = fill();
	struct epoll_event e;

	while (next())
		;
	ck_assert_int_eq(epoll_wait(loop.epoll_fd, &e, 1, 0), 1);
	turn();
	ck_assert_uint_eq(notify_waiting(notify), 0);
	expect_number(n);
	/* If it were still watched, the socket would be ready for ever. */
	ck_assert_int_eq(epoll_wait(loop.epoll_fd, &e, 1, 0), 0);
} END_TEST

START_TEST(long_messages_are_cut)
{
	static char text[2 * NOTIFY_MESSAGE_MAX];
	const char *got;

	memset(text, 'x', sizeof text - 1);
	notify_send(notify, "%s", text);
	got = next();
	ck_assert_uint_eq(strlen(got), NOTIFY_MESSAGE_MAX - 1);
	ck_assert_uint_eq(strspn(got, "x"), NOTIFY_MESSAGE_MAX - 1);
} END_TEST

START_TEST(an_abstract_name_will_do)
{
	char name[64];

	notify_close(&notify);
	close(reader);
	snprintf(name, sizeof name, "@drover-unit-%d", (int)getpid());
	bind_reader(name);
	notify = notify_open(&loop, name);
	ck_assert_msg(notify != NULL, "%m");
	notify_send(notify, "x");
	ck_assert_str_eq(next(), "x");
} END_TEST

static char longest[200];
static const struct { const char *path; int want; } bad_paths[] = {
	{ "", EINVAL },
	{ "relative", EINVAL },
	{ "/", EINVAL },
	{ "@", EINVAL },
	{ longest, ENAMETOOLONG },
	{ "/no/such/socket", ENOENT },
	{ "@drover-unit-nobody", ECONNREFUSED },
	{ "vsock:2:1", EINVAL },
};

START_TEST(a_bad_path_gives_errno)
{
	int before = unit_count_fds();

	memset(longest, '/', sizeof longest - 1);
	ck_assert_ptr_null(notify_open(&loop, bad_paths[_i].path));
	ck_assert_msg(errno == bad_paths[_i].want, "%s: %m", bad_paths[_i].path);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

START_TEST(a_reader_that_is_gone_stops_nothing)
{
	unit_block_sigpipe();
	fill();
	close(reader);
	reader = -1;
	for (int i = 0; i < 10; i++) {
		notify_send(notify, "unheard");
		turn();
	}
	ck_assert_uint_eq(notify_waiting(notify), 0);
} END_TEST

/* Master and workers share one socket, and the kernel says only once that it was refused. */
START_TEST(so_does_one_whose_end_another_process_was_told_of)
{
	close(reader);
	reader = -1;
	ck_assert_int_eq(send(notify_fd(notify), "x", 1, 0), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert(notify_is_heard(notify));
	notify_send(notify, "unheard too");
	ck_assert(!notify_is_heard(notify));
	ck_assert_uint_eq(notify_waiting(notify), 0);
} END_TEST

START_TEST(closing_tries_what_waits_once_more)
{
	unsigned n = fill();

	for (unsigned i = 0; i < n; i++)
		expect_number(i);
	notify_close(&notify);
	expect_number(n);
	ck_assert_ptr_null(next());
} END_TEST

/* As in a child after fork: what the parent has in its queue is the parent's. */
/* The reader is another process, which has a little time to come round to it. */
START_TEST(closing_waits_for_a_receiver_that_reads)
{
	const unsigned n = fill() + 20;
	struct pollfd p = { .fd = reader, .events = POLLIN };
	pid_t child;
	int status;

	while (notify_waiting(notify) < 20)
		notify_send(notify, "more");
	notify_send(notify, "%u", n);
	child = fork();
	if (child == 0) {
		const char *text = NULL;

		while (!text || strtoul(text, NULL, 10) != n)
			text = poll(&p, 1, -1) == 1 ? next() : NULL;
		_exit(0);
	}
	notify_close(&notify);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
} END_TEST

START_TEST(after_a_move_the_queue_is_empty_and_another_loop_flushes_it)
{
	unsigned n = fill();

	loop_fini(&loop);
	tick.position = guard.position = 0;
	ck_assert_int_eq(loop_init(&loop), 0);
	notify_move(notify, &loop);
	ck_assert_uint_eq(notify_waiting(notify), 0);
	notify_send(notify, "%u", n + 1);
	ck_assert_uint_eq(notify_waiting(notify), 1);
	for (unsigned i = 0; i < n; i++)
		expect_number(i);
	turn();
	expect_number(n + 1);
	ck_assert_ptr_null(next());
} END_TEST

int main(void)
{
	Suite *s = suite_create("notify");
	TCase *tc = unit_case(s, "notify", set_up, tear_down);

	tcase_add_test(tc, a_message_goes_out_at_once);
	tcase_add_test(tc, nothing_can_be_sent_to_it);
	tcase_add_test(tc, without_a_receiver_nothing_is_sent);
	tcase_add_test(tc, what_is_not_taken_waits_and_goes_out_in_order_when_it_is_read);
	tcase_add_test(tc, nothing_overtakes_what_waits);
	tcase_add_test(tc, the_oldest_are_dropped_when_too_many_wait);
	tcase_add_test(tc, the_loop_rests_once_all_is_sent);
	tcase_add_test(tc, long_messages_are_cut);
	tcase_add_test(tc, an_abstract_name_will_do);
	tcase_add_loop_test(tc, a_bad_path_gives_errno, 0, ARRAY_SIZE(bad_paths));
	tcase_add_test(tc, a_reader_that_is_gone_stops_nothing);
	tcase_add_test(tc, so_does_one_whose_end_another_process_was_told_of);
	tcase_add_test(tc, closing_tries_what_waits_once_more);
	tcase_add_test(tc, closing_waits_for_a_receiver_that_reads);
	tcase_add_test(tc, after_a_move_the_queue_is_empty_and_another_loop_flushes_it);
	return unit_run(s);
}

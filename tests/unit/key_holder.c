/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key process as the master has it: it signs for workers whatever others send, and is replaced
 * without any of them noticing.
 */
#include <config.h>

#include <sys/pidfd.h>
#include <sys/resource.h>

#include "key_client.h"
#include "key_harness.h"
#include "key_holder.h"
#include "log.h"

static struct pair pair;
static struct conf_service service;
static struct conf_service *services[] = { &service };
static struct conf conf = { .services = services, .n_services = 1 };
static struct loop loop;
static struct key_holder *holder;

static void on_forget(void *arg)
{
	(void)arg;
	key_holder_forget(holder);      /* as generation_forget does */
}

static void on_changed(void *arg)
{
	(void)arg;
	loop_stop(&loop);
}

static void set_up(void)
{
	unit_enter_folder();
	unit_block_sigpipe();
	log_use(NULL, LOG_LEVEL_ERROR);
	pair_make(&pair, PAIR_P256, 1);
	service.tls = (struct conf_tls){ .on = true, .isolate_keys = true,
	                                 .certificates = &pair.certificate, .n_certificates = 1 };
	ck_assert_int_eq(loop_init(&loop), 0);
	holder = key_holder_new(&(struct key_holder_owner){
		.loop = &loop, .conf = &conf, .generation = 1, .forget = on_forget, .changed = on_changed });
	ck_assert_ptr_nonnull(holder);
}

static void tear_down(void)
{
	const pid_t pid = key_holder_past(holder).pid;

	key_holder_free(&holder);
	if (pid != 0)
		waitpid(pid, NULL, 0);
	loop_fini(&loop);
	pair_free(&pair);
	unit_leave_folder();
}

static pid_t start(void)
{
	ck_assert_int_eq(key_holder_start(holder), 0);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_ptr_null(key_holder_failure(holder));
	ck_assert(key_holder_is_ready(holder));
	return key_holder_past(holder).pid;
}

static struct key_channel join(size_t place)
{
	struct key_channel c;

	ck_assert_int_eq(key_holder_connect(holder, 0, place, &c), 0);
	return c;
}

static int sign(struct key_channel channel)
{
	struct key_client c = { .channel = channel };
	static const uint8_t digest[32];
	struct key_answer a;

	return key_client_sign(&c, 0, KEY_ECDSA, KEY_SHA256, digest, sizeof digest, &a);
}

/* Waits for the end of that process, as the loop of the master is told of it. */
static void reap(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(key_holder_reaped(holder, pid, status));
}

START_TEST(worker_that_sends_garbage_harms_no_other)
{
	struct key_channel bad = join(1), good = join(2);
	const pid_t pid = start();

	ck_assert_int_eq(write(bad.requests, "garbage", 7), 7);
	ck_assert_int_eq(sign(good), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	ck_assert_int_eq(sign(good), 0);
	key_channel_close(&bad);
	key_channel_close(&good);
} END_TEST

START_TEST(worker_that_comes_later_is_served_too)
{
	struct key_channel early = join(1), late;

	start();
	late = join(2);
	ck_assert_int_eq(sign(late), 0);
	ck_assert_int_eq(sign(early), 0);
	key_holder_disconnect(holder, 0, 1);
	ck_assert_int_eq(sign(late), 0);
	key_channel_close(&early);
	key_channel_close(&late);
} END_TEST

/* What a worker has asked meanwhile is in its pipe. */
START_TEST(next_process_answers_what_the_last_one_did_not)
{
	static const struct key_request r = { .magic = KEY_MAGIC, .number = 9, .scheme = KEY_ECDSA,
	                                      .digest = KEY_SHA256, .len = 32 };
	struct key_channel c = join(1);
	struct pollfd answers = { .fd = c.answers, .events = POLLIN };
	const pid_t pid = start();
	struct key_answer a;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	reap(pid);
	ck_assert_int_eq(write(c.requests, &r, key_request_size(&r)), (ssize_t)key_request_size(&r));
	ck_assert(key_holder_is_ready(holder));         /* the generation does not begin anew */
	ck_assert_int_eq(loop_run(&loop), 0);           /* until the next one is ready */
	ck_assert_int_ne(key_holder_past(holder).pid, pid);
	ck_assert_int_eq(poll(&answers, 1, -1), 1);
	ck_assert_int_gt(read(c.answers, &a, sizeof a), 0);
	ck_assert_uint_eq(a.number, 9);
	ck_assert_uint_eq(a.status, KEY_SIGNED);
	key_channel_close(&c);
} END_TEST

START_TEST(worker_waits_for_the_process_until_it_is_told_something)
{
	struct key_client c = { .channel = join(1) };
	int orders[2];

	ck_assert_int_eq(pipe(orders), 0);
	ck_assert(!key_client_await(&c, 0, orders[0]));
	ck_assert_int_eq(write(orders[1], "x", 1), 1);
	ck_assert(!key_client_await(&c, INT64_C(3600000), orders[0]));
	ck_assert(c.late);
	start();
	ck_assert(key_client_await(&c, INT64_C(3600000), -1));
	ck_assert(!c.late);
	ck_assert_int_eq(sign(c.channel), 0);
	key_channel_close(&c.channel);
	close(orders[0]);
	close(orders[1]);
} END_TEST

static void on_end(struct watch *w, uint32_t events)
{
	(void)w, (void)events;
	loop_stop(&loop);
}

#define MANY 1024                       /* more than can wait in the leash of a process that reads keys */

/* A process that has many keys reads them for seconds, and workers are forked meanwhile. */
START_TEST(workers_that_come_while_it_reads_keys_are_served)
{
	static const struct key_request r = { .magic = KEY_MAGIC, .number = 9, .scheme = KEY_ECDSA,
	                                      .digest = KEY_SHA256, .len = 32 };
	static struct key_channel workers[MANY];
	struct watch answer = { .ready = on_end };
	struct rlimit files;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	ck_assert_int_eq(key_holder_start(holder), 0);
	ck_assert_int_eq(kill(key_holder_past(holder).pid, SIGSTOP), 0);
	for (size_t i = 0; i < MANY; i++)
		workers[i] = join(i);
	ck_assert_int_eq(kill(key_holder_past(holder).pid, SIGCONT), 0);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert(key_holder_is_ready(holder));
	/* The last one is connected when there is room in the leash. */
	answer.fd = workers[MANY - 1].answers;
	ck_assert_int_eq(write(workers[MANY - 1].requests, &r, key_request_size(&r)),
	                 (ssize_t)key_request_size(&r));
	ck_assert_int_eq(loop_watch(&loop, &answer, EPOLLIN), 0);
	ck_assert_int_eq(loop_run(&loop), 0);
	loop_unwatch(&loop, &answer);
	ck_assert_int_eq(sign(workers[0]), 0);
	for (size_t i = 0; i < MANY; i++)
		key_channel_close(&workers[i]);
} END_TEST

START_TEST(process_that_stands_still_is_killed_and_replaced)
{
	const pid_t pid = start();
	struct watch end = { .fd = pidfd_open(pid, 0), .ready = on_end };

	ck_assert_int_eq(loop_watch(&loop, &end, EPOLLIN), 0);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_int_eq(loop_run(&loop), 0);
	loop_unwatch(&loop, &end);
	close(end.fd);
	reap(pid);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_int_ne(key_holder_past(holder).pid, pid);
} END_TEST

START_TEST(key_that_cannot_be_read_is_a_failure)
{
	ck_assert_int_eq(unlink("1.key"), 0);
	ck_assert_int_eq(key_holder_start(holder), 0);
	reap(key_holder_past(holder).pid);
	ck_assert(!key_holder_is_ready(holder));
	ck_assert_str_eq(key_holder_failure(holder),
	                 "test.conf:2: private key \"1.key\": No such file or directory");
} END_TEST

int main(void)
{
	Suite *s = suite_create("key_holder");
	TCase *tc = unit_case(s, "all", set_up, tear_down);

	tcase_add_test(tc, worker_that_sends_garbage_harms_no_other);
	tcase_add_test(tc, worker_that_comes_later_is_served_too);
	tcase_add_test(tc, next_process_answers_what_the_last_one_did_not);
	tcase_add_test(tc, worker_waits_for_the_process_until_it_is_told_something);
	tcase_add_test(tc, workers_that_come_while_it_reads_keys_are_served);
	tcase_add_test(tc, process_that_stands_still_is_killed_and_replaced);
	tcase_add_test(tc, key_that_cannot_be_read_is_a_failure);
	return unit_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that take what they are sent slowly, and in so small pieces that epoll tells the
 * server of none of them, beside one that is stuck and one that is fast: of each handler.
 * Another connection of the daemon's, which has its time, is the clock.
 */
#include <config.h>
#include "harness.h"
#include "filter_harness.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SMALL_BUFFER 8000

#define PATIENCE_S 120                  /* of Check, with a test that lasts as long as one of its time-outs */

#define LISTEN(idle) \
	"listen = ( { address = \"127.0.0.1:0\";" \
	" keepalive = { idle = \"" idle "\"; interval = \"1s\"; count = 1; }; } );"
#define HANDLER(handler) " handler = { " handler " };"
#define ZEROS "argv = [ \"/bin/cat\", \"/dev/zero\" ]; stderr = \"null\";"

/*
 * The kernel finds vanished clients in two seconds; drover, those that take nothing, in 15, or
 * a quarter more: longer than a busy machine keeps this process from taking something, and
 * less than the clock lasts.
 */
static const char config[] = "defaults = { workers = 1; };" SERVICES(
	SERVICE("clock", "echo", "timeouts = { session = \"20s\"; };")
	" chargen = {" LISTEN("1s") HANDLER("type = \"chargen\";") " timeouts = { write = \"15s\"; }; };"
	" echo = {" LISTEN("1s") HANDLER("type = \"echo\";")
	" timeouts = { write = \"15s\"; idle = \"15s\"; }; };"
	" warm = {" LISTEN("1s") HANDLER("type = \"exec\"; warm = 1;" ZEROS) " timeouts = { idle = \"15s\"; }; };"
	" exec = {" LISTEN("14s") HANDLER("type = \"exec\";" ZEROS) " };"
	" filter = {" LISTEN("1s") HANDLER("type = \"filter\"; framing = \"line\"; argv = \"%s\";")
	" max_request = \"16M\"; timeouts = { write = \"15s\"; idle = \"15s\"; }; };");

/* A client that takes a number of bytes at each tick of a timer. */
struct taker {
	struct turn_hook    tick;
	struct turn_hook    flood;      /* perhaps it sends all the time */
	int                 fd;
	size_t              bytes;
	size_t              taken;
	const struct event *opened;
};

static void take(struct turn_hook *h, short revents)
{
	static char bytes[1 << 20];
	struct taker *t = container_of(h, struct taker, tick);
	uint64_t n_ticks;
	ssize_t n;

	(void)revents;
	ck_assert_int_eq(read(h->fd, &n_ticks, sizeof n_ticks), sizeof n_ticks);
	n = recv(t->fd, bytes, t->bytes, MSG_DONTWAIT);
	ck_assert_msg(n > 0 || (n == -1 && errno == EAGAIN), "after %zu bytes: %s", t->taken,
	              n == 0 ? "the end" : strerror(errno));
	t->taken += n > 0 ? (size_t)n : 0;
}

/* Asks once, or all the time. */
static void begin(struct taker *t, const char *question)
{
	t->opened = daemon_accepted(&d, t->fd);
	if (question)
		client_say(t->fd, question);
	else
		client_flood(&t->flood, t->fd);
}

static void begin_to_take(struct taker *t, size_t bytes, int each_ms)
{
	const struct itimerspec each = { .it_value.tv_nsec = each_ms * 1000000,
	                                 .it_interval.tv_nsec = each_ms * 1000000 };

	t->bytes = bytes;
	t->tick = (struct turn_hook){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC),
	                              .events = POLLIN, .ready = take };
	ck_assert_int_eq(timerfd_settime(t->tick.fd, 0, &each, NULL), 0);
	turn_add(&t->tick);
}

static void end(struct taker *t)
{
	client_flood_end(&t->flood);
	turn_remove(&t->tick);
	if (t->bytes > 0)
		close(t->tick.fd);
	close(t->fd);
}

/*
 * What the server is told first, and how a client ends that takes nothing.
 * The filter is the last one: it has one answer to give, and is no use for one that is fast.
 */
static const struct { const char *service, *question, *stuck; } rows[] = {
	{ "chargen", "x",                "write" },
	{ "echo",    NULL,               "write" },
	{ "warm",    "x",                "idle" },
	{ "exec",    "x",                "reset" },
	{ "filter",  "much 16000000\n", "write" },
};

#define ROWS      ARRAY_SIZE(rows)
#define FAST_ROWS (ROWS - 1)

static void connect_all(struct taker *takers, size_t n, int receive_buffer)
{
	for (size_t i = 0; i < n; i++) {
		takers[i].fd = client_connect_small(daemon_address(&d, rows[i].service, 0), receive_buffer);
		begin(&takers[i], rows[i].question);
	}
}

static void end_all(struct taker *takers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		end(&takers[i]);
}

static bool is_over(const struct taker *t)
{
	return daemon_saw(&d, "connection-end id=%s", event_word(t->opened, "id")) > 0;
}

static void expect_flow(const struct taker *takers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(!is_over(&takers[i]), "%s: it was ended", rows[i].service);
		ck_assert_uint_gt(takers[i].taken, 10 * takers[i].bytes);
	}
}

static void expect_end_of_stuck(const struct taker takers[static ROWS])
{
	for (size_t i = 0; i < ROWS; i++)
		ck_assert_str_eq(event_word(daemon_ended(&d, takers[i].opened), "how"), rows[i].stuck);
}

/* The filter may need a while for its one answer. */
static void wait_until_all_take(const struct taker *takers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		while (takers[i].taken == 0)
			turn_once();
}

static void wait_for_the_clock(void)
{
	int fd = daemon_connect(&d, "clock");

	ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, fd)), "how"), "session");
	close(fd);
}

START_TEST(a_client_that_takes_stays_however_slowly_and_one_that_does_not_goes)
{
	struct taker slow[ROWS] = { 0 }, fast[FAST_ROWS] = { 0 }, stuck[ROWS] = { 0 };

	daemon_start(&d, config, filter_odd());
	connect_all(slow, ROWS, SMALL_BUFFER);
	connect_all(stuck, ROWS, SMALL_BUFFER);
	connect_all(fast, FAST_ROWS, 0);
	for (size_t i = 0; i < ROWS; i++)
		begin_to_take(&slow[i], 1000, 50);
	for (size_t i = 0; i < FAST_ROWS; i++)
		begin_to_take(&fast[i], 1 << 18, 50);
	wait_until_all_take(slow, ROWS);
	wait_for_the_clock();
	expect_flow(slow, ROWS);
	expect_flow(fast, FAST_ROWS);
	expect_end_of_stuck(stuck);
	end_all(slow, ROWS);
	end_all(fast, FAST_ROWS);
	end_all(stuck, ROWS);
} END_TEST

int main(void)
{
	Suite *s = suite_create("slow");
	TCase *tc = harness_case(s, "slow");

	tcase_set_timeout(tc, PATIENCE_S);
	tcase_add_test(tc, a_client_that_takes_stays_however_slowly_and_one_that_does_not_goes);
	return harness_run(s);
}

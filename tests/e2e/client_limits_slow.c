/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that take their time: very many of them, who leave room for the others where sources are
 * limited; and one of each kind, which has the only place of its service until its time-out is over.
 */
#include <config.h>
#include "limits_harness.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

static struct daemon d;

/* ---- very many ---------------------------------------------------------- */

#define SLOW_MAX    10000
#define SOURCES     8
#define SHARE       100                 /* connections_per_source: together fewer than 4 x 256 */
#define BATCH       500                 /* at once: the accept queue has room for them */
#define DESCRIPTORS 200                 /* that the test itself needs */

static size_t n_slow;                   /* as many as there are descriptors for */

static void count_descriptors(void)
{
	struct rlimit r;
	size_t n;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return;
	if (r.rlim_cur < r.rlim_max && r.rlim_cur < SLOW_MAX + DESCRIPTORS) {
		r.rlim_cur = r.rlim_max < SLOW_MAX + DESCRIPTORS ? r.rlim_max : SLOW_MAX + DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &r);
	}
	n = r.rlim_cur > DESCRIPTORS ? (size_t)r.rlim_cur - DESCRIPTORS : 0;
	n_slow = n > SLOW_MAX ? SLOW_MAX : n / BATCH * BATCH;
	if (n_slow < SLOW_MAX)
		printf("# only %zu slow clients, and not %d, for lack of descriptors\n", n_slow, SLOW_MAX);
	fflush(stdout);         /* or each child of Check would write it once more */
}

/* Some say nothing, some do not end what they say, some do not read what comes back. */
static void be_slow(int fd, size_t i)
{
	static const char much[16384];
	const size_t len[] = { 0, 1, sizeof much };

	if (len[i % 3] > 0)
		(void)!send(fd, much, len[i % 3], MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void begin_batch(int *fds, size_t first)
{
	for (size_t i = first; i < first + BATCH; i++) {
		char from[] = "127.0.1.1";

		from[sizeof from - 2] += (char)(i % SOURCES);
		fds[i] = client_begin_from(from, daemon_address(&d, "s", 0));
		ck_assert_int_ne(fds[i], -1);
	}
	for (size_t i = first; i < first + BATCH; i++) {
		turn_until_ready(fds[i], POLLOUT);
		be_slow(fds[i], i);
	}
}

START_TEST(slow_clients_of_some_sources_leave_room_for_the_others)
{
	int *fds = calloc(n_slow, sizeof *fds);
	struct crowd healthy = { .from = "127.0.0.2", .n_clients = 4, .leave_at = 4, .come_again = true };

	ck_assert_ptr_nonnull(fds);
	limits_start(&d, 4, "connections_per_source = 100;", "connections = 256;");
	healthy.address = daemon_address(&d, "s", 0);
	crowd_start(&healthy);
	for (size_t i = 0; i < n_slow; i += BATCH) {
		begin_batch(fds, i);
		crowd_wait_admitted(&healthy, healthy.admitted + 12);
	}
	crowd_stop(&healthy);
	for (int i = 0; i < 4; i++)
		daemon_settle_worker(&d, daemon_next_worker(&d, "s"));
	ck_assert_uint_eq(healthy.refused, 0);
	ck_assert_int_eq(limits_shown("open"), SOURCES * SHARE);
	ck_assert_int_eq(limits_shown("accepted"), (long long)(SOURCES * SHARE + healthy.admitted));
	ck_assert_int_eq(limits_shown("source"), (long long)(n_slow - SOURCES * SHARE));
	ck_assert_int_eq(limits_shown("untracked"), 0);
	limits_leave(fds, n_slow);
	free(fds);
	close(limits_admit_soon(&d, "127.0.1.1"));
	limits_wait_empty();
} END_TEST

/* ---- each kind ---------------------------------------------------------- */

#define TIME    "200ms"                 /* the time-out in each row */
#define TIME_MS 200
#define AFTER(key) key " = \"" TIME "\"; "

/* A client that lingers has its place, too. */
#define SERVE(type, timeouts) \
	"handler = { type = " type " }; timeouts = { " timeouts AFTER("linger") "};"
#define PROXIED " proxy_protocol = \"any\"; proxy_from = \"127.0.0.1\";"
#define HEADER  "PROXY TCP4 192.0.2.7 198.51.100.1 40312 443\r\n"

static void say_nothing(int fd)
{
	(void)fd;
}

static void say_half(int fd)
{
	client_say(fd, "PROXY TCP4 192.0.2");
}

/* It stays, also when all has come. */
static void read_all(int fd)
{
	client_read_all(fd);
}

static struct turn_hook flood;

static void send_without_reading(int fd)
{
	client_flood(&flood, fd);
}

static const struct {
	const char *name, *service;
	void (*dawdle)(int fd);         /* what the slow client does */
	const char *how;                /* its end, as an event says it */
	const char *first;              /* what the next client must say to come in */
} kinds[] = {
	{ "a silent client", SERVE("\"echo\";", AFTER("idle")), say_nothing, "idle", "" },
	{ "a slow writer", SERVE("\"filter\"; argv = \"/bin/cat\"; framing = \"line\";",
	                         AFTER("request") "idle = 0;"), say_half, "request", "" },
	{ "a slow reader", SERVE("\"chargen\";", AFTER("write")), say_nothing, "write", "" },
	{ "a writer that does not read", SERVE("\"echo\";", AFTER("write") "idle = 0;"),
	  send_without_reading, "write", "" },
	{ "a long session", SERVE("\"echo\";", AFTER("session")), say_nothing, "session", "" },
	{ "a program that does not end", SERVE("\"exec\"; argv = \"/bin/cat\";", AFTER("session")),
	  say_nothing, "session", "" },
	{ "a client that stays when all is said", SERVE("\"daytime\";", ""), read_all, "served", "" },
	{ "a proxy that sends no header", SERVE("\"echo\";", AFTER("handshake")) PROXIED, say_nothing,
	  "handshake", HEADER },
	{ "a proxy that sends half a header", SERVE("\"echo\";", AFTER("handshake")) PROXIED, say_half,
	  "handshake", HEADER },
};

START_TEST(a_slow_client_has_its_place_until_its_time_is_over)
{
	const struct event *end, *open;
	int64_t begin_ms;
	int slow, next;

	files_write("row", "%s\n", kinds[_i].name);
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; %s"
	             " limits = { connections = 1; }; };"), kinds[_i].service);
	begin_ms = clock_ms();
	slow = daemon_connect(&d, "s");
	kinds[_i].dawdle(slow);
	next = daemon_connect(&d, "s");
	client_say(next, kinds[_i].first);
	end = daemon_wait_for(&d, "connection-end how=%s", kinds[_i].how);
	open = daemon_wait_for(&d, "connection-open peer=%s",
	                       *kinds[_i].first ? "192.0.2.7:40312" : client_name(next));
	ck_assert_int_ge(clock_ms() - begin_ms, TIME_MS);
	ck_assert_uint_gt(open->nr, end->nr);
	client_flood_end(&flood);
	close(slow);
	close(next);
} END_TEST

/* Clients that are refused at once do not take part in that. */
START_TEST(a_slow_client_keeps_its_source_busy_until_its_time_is_over)
{
	const int64_t begin_ms = clock_ms();
	int slow;

	limits_start(&d, 2, "connections_per_source = 1;",
	             "timeouts = { " AFTER("idle") AFTER("linger") "};");
	slow = client_connect_from("127.0.0.2", daemon_address(&d, "s", 0));
	daemon_accepted(&d, slow);
	limits_refuse(&d, "127.0.0.2", "");
	close(limits_admit(&d, "127.0.0.3"));
	close(limits_admit_soon(&d, "127.0.0.2"));
	ck_assert_int_ge(clock_ms() - begin_ms, TIME_MS);
	client_expect_end(slow);
	close(slow);
} END_TEST

int main(void)
{
	Suite *s = suite_create("client_limits_slow");
	TCase *tc = harness_case(s, "many");

	count_descriptors();
	harness_add_if(n_slow >= 2 * SOURCES * SHARE, "it needs descriptors for 1600 clients", tc,
	               slow_clients_of_some_sources_leave_room_for_the_others);
	tc = harness_case(s, "each");
	tcase_add_loop_test(tc, a_slow_client_has_its_place_until_its_time_is_over, 0,
	                    sizeof kinds / sizeof kinds[0]);
	tcase_add_test(tc, a_slow_client_keeps_its_source_busy_until_its_time_is_over);
	return harness_run(s);
}

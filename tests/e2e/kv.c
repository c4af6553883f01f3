/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * examples/kv in the real daemon: a session and a bench with Redis' own tools, pipelines, what no request
 * is, and what is left after workers and the daemon have ended, in an orderly way or not.
 */
#include <config.h>
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS      8
#define WORKERS      4
#define STEPS        50                 /* of each client; after every few, a worker is killed */
#define DEATHS       20

#if defined __SANITIZE_ADDRESS__
#define INCREMENTS   300
#else
#define INCREMENTS   10000
#endif

static struct daemon d, again;

static const char *config(const char *options)
{
	return files_text(SERVICES(" kv = { listen = \"127.0.0.1:0\"; workers = %d; max_request = \"1M\";"
	                  " restart = { burst = 1000; }; handler = { type = \"module\"; path = \"%s\";"
	                  " options = { path = \"%s\"; %s }; }; };"),
	                  WORKERS, process_built("examples/kv/kv.so"), files_path("data"), options);
}

static void start(const char *options)
{
	if (!files_exist(files_path("data")))
		files_mkdir("data");
	daemon_start(&d, "%s", config(options));
}

/* Sends a request, and gets this reply. */
static void ask(int fd, const char *request, const char *reply)
{
	client_say(fd, request);
	client_expect(fd, reply);
}

static void ask_once(const char *request, const char *reply)
{
	const int fd = daemon_connect(&d, "kv");

	ask(fd, request, reply);
	close(fd);
}

/* ---- commands ------------------------------------------------------------ */

static const struct { const char *request, *reply; } session[] = {
	{ "PING", "+PONG" }, { "PING x", "$1\r\nx" }, { "ECHO x", "$1\r\nx" }, { "PING x y", "-ERR wrong number of arguments for 'ping' command" },
	{ "SELECT 0", "+OK" }, { "SELECT 1", "-ERR DB index is out of range" },
	{ "GET a", "$-1" }, { "SET a 1", "+OK" }, { "GET a", "$1\r\n1" }, { "get a", "$1\r\n1" },
	{ "SET a 2 NX", "$-1" }, { "SET a 2 XX", "+OK" }, { "SET b 2 XX", "$-1" }, { "SET b 2 NX", "+OK" },
	{ "SET b 2 NX XX", "-ERR syntax error" }, { "SET b 2 EX", "-ERR syntax error" },
	{ "SET b 2 EX x", "-ERR value is not an integer or out of range" },
	{ "SET b 2 EX 0", "-ERR invalid expire time in 'set' command" },
	{ "SET b 2 PX 9223372036854775807", "-ERR invalid expire time in 'set' command" },
	{ "INCR a", ":3" }, { "INCRBY a 10", ":13" }, { "DECR a", ":12" }, { "DECR new", ":-1" },
	{ "INCRBY a x", "-ERR value is not an integer or out of range" },
	{ "SET big 9223372036854775807", "+OK" }, { "INCR big", "-ERR increment or decrement would overflow" },
	{ "SET word x", "+OK" }, { "INCR word", "-ERR value is not an integer or out of range" },
	{ "MSET m1 1 m2 2", "+OK" }, { "MSET m1 1 m2", "-ERR wrong number of arguments for 'mset' command" },
	{ "MGET m1 m2 m3", "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$-1" },
	{ "APPEND m1 23", ":3" }, { "GET m1", "$3\r\n123" }, { "APPEND m4 x", ":1" }, { "STRLEN m1", ":3" }, { "STRLEN m5", ":0" },
	{ "EXISTS a b c a", ":3" }, { "DEL a c b", ":2" }, { "EXISTS a", ":0" },
	{ "TYPE m1", "+string" }, { "TYPE a", "+none" },
	{ "TTL m1", ":-1" }, { "TTL a", ":-2" }, { "EXPIRE m1 100", ":1" }, { "TTL m1", ":100" }, { "EXPIRE a 100", ":0" },
	{ "APPEND m1 4", ":4" }, { "TTL m1", ":100" }, { "PERSIST m1", ":1" }, { "PERSIST m1", ":0" }, { "TTL m1", ":-1" },
	{ "EXPIRE m1 -1", ":1" }, { "EXISTS m1", ":0" }, { "EXPIRE m2 x", "-ERR value is not an integer or out of range" },
	{ "SET t 1 EX 100", "+OK" }, { "INCR t", ":2" }, { "TTL t", ":100" }, { "SET t 1", "+OK" }, { "PTTL t", ":-1" },
	{ "SET gone 1 PX 1", "+OK" },
	{ "KEYS m[23]", "*1\r\n$2\r\nm2" }, { "KEYS nothing*", "*0" }, { "SCAN x", "-ERR invalid cursor" },
	{ "SCAN 0 MATCH m2 COUNT 1000", "*2\r\n$1\r\n0\r\n*1\r\n$2\r\nm2" }, { "SCAN 0 COUNT 0", "-ERR syntax error" },
	{ "COMMAND", "*0" }, { "CONFIG GET save", "*2\r\n$4\r\nsave\r\n$0\r\n" }, { "CONFIG SET save", "-ERR there is only CONFIG GET" },
	{ "FLUSHDB", "+OK" }, { "DBSIZE", ":0" },
	{ "GET", "-ERR wrong number of arguments for 'get' command" },
	{ "nonsense a b", "-ERR unknown command 'nonsense', with args beginning with: 'a' " },
};

START_TEST(commands_are_answered_as_redis_answers_them)
{
	int fd;

	start("");
	fd = daemon_connect(&d, "kv");
	for (size_t i = 0; i < ARRAY_SIZE(session); i++)
		ask(fd, files_text("%s\r\n", session[i].request), files_text("%s\r\n", session[i].reply));
	ask(fd, "QUIT\r\n", "+OK\r\n");
	client_expect_end(fd);
	close(fd);
	daemon_stop(&d, SIGTERM);
} END_TEST

START_TEST(a_pipeline_gets_all_its_answers_in_order)
{
	const char *requests = "", *replies = "";
	int fd;

	start("");
	fd = daemon_connect(&d, "kv");
	for (int i = 0; i < 200; i++) {
		requests = files_text("%s*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n%03d\r\nGET k\r\nINCR n\r\nKEYS k\r\nINCR k2 x\r\n", requests, i);
		replies = files_text("%s+OK\r\n$3\r\n%03d\r\n:%d\r\n*1\r\n$1\r\nk\r\n-ERR wrong number of arguments for 'incr' command\r\n", replies, i, i + 1);
	}
	ask(fd, requests, replies);
	for (size_t at = 0; requests[at] && at < 400; at++)     /* and byte by byte */
		client_send(fd, requests + at, 1);
	client_expect(fd, "+OK\r\n$3\r\n000\r\n:201\r\n");
	close(fd);
} END_TEST

/* Its replies are more than what sockets hold, so that the worker has to wait for it. */
START_TEST(a_client_that_is_slow_to_take_replies_gets_them_all)
{
	static char value[512 * 1024 + 1];
	int fd;

	memset(value, 'x', sizeof value - 1);
	start("");
	fd = client_connect_small(daemon_address(&d, "kv", 0), 4096);
	client_say(fd, files_text("*3\r\n$3\r\nSET\r\n$1\r\nv\r\n$%zu\r\n", sizeof value - 1));
	client_say(fd, value);
	ask(fd, "\r\n", "+OK\r\n");
	for (int i = 0; i < 40; i++)
		client_say(fd, "GET v\r\n");
	client_say(fd, "PING\r\n");
	ask_once("PING\r\n", "+PONG\r\n");
	for (int i = 0; i < 40; i++) {
		client_expect(fd, files_text("$%zu\r\n", sizeof value - 1));
		client_expect(fd, value);
		client_expect(fd, "\r\n");
	}
	client_expect(fd, "+PONG\r\n");
	close(fd);
} END_TEST

START_TEST(what_is_no_request_is_answered_and_ends_the_connection)
{
	static const struct { const char *bytes, *why; } rows[] = {
		{ "*x\r\n", "invalid multibulk length" }, { "*1\r\n$-1\r\n", "invalid bulk length" },
		{ "*1\r\nx\r\n", "expected '$', got 'x'" }, { "get \"a\r\n", "unbalanced quotes in request" },
		{ "*1048577\r\n", "invalid multibulk length" }, { "*1\r\n*1\r\n", "expected '$', got '*'" },
	};
	int fd;

	start("");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fd = daemon_connect(&d, "kv");
		ask(fd, files_text("INCR n\r\n%s", rows[i].bytes),
		    files_text(":%zu\r\n-ERR Protocol error: %s\r\n", i + 1, rows[i].why));
		client_expect_gone(fd);
		close(fd);
	}
	ask_once("GET n\r\n", files_text("$1\r\n%zu\r\n", ARRAY_SIZE(rows)));
} END_TEST

/* ---- Redis' tools --------------------------------------------------------- */

#define CLI(...) process_must("redis-cli", "-p", daemon_port(&d, "kv", 0), __VA_ARGS__)

static const char *said(void)
{
	return files_read(files_path("command-output"));
}

START_TEST(redis_cli_works)
{
	start("");
	CLI("set", "greeting", "hello there");
	CLI("get", "greeting");
	harness_contains(said(), "hello there\n");
	CLI("--scan");
	harness_contains(said(), "greeting\n");
	CLI("info");
	harness_contains(said(), "db0:keys=1");
	process_must("sh", "-c", files_text("printf 'set k v\\nget k\\nincr n\\n' | redis-cli -p %s", daemon_port(&d, "kv", 0)));
	harness_contains(said(), "OK\nv\n1\n");
} END_TEST

START_TEST(redis_benchmark_works)
{
	start("");
	process_must("redis-benchmark", "-p", daemon_port(&d, "kv", 0), "-n", "2000", "-c", "20", "-q", "-t", "ping,set,get,incr,mset");
	process_must("redis-benchmark", "-p", daemon_port(&d, "kv", 0), "-n", "4000", "-P", "16", "-r", "1000", "-q", "-t", "ping,set,get,incr");
	ck_assert_ptr_null(strstr(said(), "WARNING"));
	ck_assert_ptr_null(strstr(said(), "rror"));
} END_TEST

/* ---- what is left --------------------------------------------------------- */

START_TEST(data_survive_a_restart_until_they_expire_or_are_flushed)
{
	int fd;

	start("sync = true;");
	ask_once("SET a 1\r\nSET b 2 EX 1000\r\nSET gone 3 PX 1\r\n", "+OK\r\n+OK\r\n+OK\r\n");
	daemon_stop(&d, SIGTERM);
	daemon_start(&again, "%s", config(""));
	fd = daemon_connect(&again, "kv");
	ask(fd, "MGET a b\r\n", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
	ask(fd, "GET gone\r\nDBSIZE\r\n", "$-1\r\n:3\r\n");
	ask(fd, "SCAN 0 MATCH none\r\nDBSIZE\r\n", "*2\r\n$1\r\n0\r\n*0\r\n:2\r\n");
	ask(fd, "FLUSHDB\r\nDBSIZE\r\n", "+OK\r\n:0\r\n");
	close(fd);
	daemon_stop(&again, SIGTERM);
} END_TEST

/* "SET large<n> <value>", with a value that five of fill the map. */
static const char *set_large(int n)
{
	static char value[180 * 1024 + 1];

	memset(value, 'x', sizeof value - 1);
	return files_text("*3\r\n$3\r\nSET\r\n$6\r\nlarge%d\r\n$%zu\r\n%s\r\n", n, sizeof value - 1, value);
}

START_TEST(a_full_map_is_said_and_each_command_gets_its_own_answer)
{
	const char *full = "-OOM command not allowed: the map is full (map_size)\r\n";
	int fd, n = 0;

	start("map_size = 1048576;");
	fd = daemon_connect(&d, "kv");
	ask(fd, "SET a 1\r\n", "+OK\r\n");
	do
		client_say(fd, set_large(n++));
	while (strcmp(client_read_line(fd), "+OK\r\n") == 0);
	ck_assert_int_gt(n, 3);
	client_say(fd, files_text("SET b 2\r\n%sINCR a\r\nGET b\r\n", set_large(n)));
	client_expect(fd, files_text("+OK\r\n%s:2\r\n$1\r\n2\r\n", full));
	ask(fd, files_text("DEL large0\r\nEXISTS large0 large1 large%d\r\n", n), ":1\r\n:1\r\n");
	ask(fd, "INCR a\r\n", ":3\r\n");       /* what one commit frees, the next but one can use */
	client_say(fd, set_large(n));
	client_expect(fd, "+OK\r\n");
	close(fd);
	daemon_stop(&d, SIGTERM);
	harness_contains(files_read(d.err), "the map is full (map_size)");
} END_TEST

START_TEST(a_key_that_is_too_long_spoils_only_its_own_command)
{
	char key[509];

	memset(key, 'k', sizeof key - 1);
	key[sizeof key - 1] = '\0';
	start("");
	ask_once(files_text("SET a 1\r\nMSET b 2 %s 3\r\nINCR a\r\nEXISTS b\r\nGET %s\r\n", key, key),
	         "+OK\r\n-ERR a key has at most 507 bytes\r\n:2\r\n:0\r\n-ERR a key has at most 507 bytes\r\n");
} END_TEST

struct counts {                         /* of all clients, in memory that they share */
	uint64_t acknowledged, unknown;
};

/* The number of an answer ":12\r\n", 0 if the connection breaks first. */
static uint64_t read_count(int fd)
{
	char line[32];
	size_t len = 0;

	while (len < sizeof line - 1 && (len == 0 || line[len - 1] != '\n')) {
		const ssize_t n = recv(fd, line + len, 1, 0);

		if (n <= 0)
			return 0;
		len += (size_t)n;
	}
	line[len] = '\0';
	return line[0] == ':' ? strtoull(line + 1, NULL, 10) : 0;
}

/* In a child, which waits in recv(2). */
static int connect_to(const char *address)
{
	const int fd = client_try(address);

	if (fd != -1)
		fcntl(fd, F_SETFL, 0);
	return fd;
}

/*
 * In a child: so many increments that are acknowledged. One whose connection breaks before its answer
 * may have been done or not: it is counted as unknown, and another one is sent. Each answer must be larger
 * than the last one, because one counter only grows.
 */
static _Noreturn void increment(const char *address, struct counts *counts, int progress)
{
	uint64_t last = 0;
	int fd = -1;

	for (int done = 0; done < INCREMENTS; ) {
		uint64_t n;

		while (fd == -1)
			fd = connect_to(address);
		n = send(fd, "INCR n\r\n", 8, MSG_NOSIGNAL) == 8 ? read_count(fd) : 0;
		if (n == 0) {
			__atomic_add_fetch(&counts->unknown, 1, __ATOMIC_SEQ_CST);
			close(fd);
			fd = -1;
			continue;
		}
		if (n <= last)
			_exit(1);
		last = n;
		if (++done % (INCREMENTS / STEPS) == 0 && write(progress, "x", 1) != 1)
			_exit(2);
		__atomic_add_fetch(&counts->acknowledged, 1, __ATOMIC_SEQ_CST);
	}
	_exit(0);
}

/* When clients have made that number of steps more. */
static void kill_worker_after(int progress, int steps)
{
	const pid_t worker = daemon_next_worker(&d, "kv");
	char bytes[64];

	client_receive(progress, bytes, (size_t)steps);
	kill(worker, SIGKILL);
}

/*
 * acknowledged <= value <= acknowledged + unknown: nothing that was answered is lost, and nothing is done
 * that was not asked for.
 */
START_TEST(no_acknowledged_increment_is_lost_when_workers_are_killed)
{
	struct counts *counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *address;
	pid_t clients[CLIENTS];
	int fd, status, progress[2];
	uint64_t value;

	ck_assert_ptr_ne(counts, MAP_FAILED);
	start("");
	address = daemon_address(&d, "kv", 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, progress), 0);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = fork();
		if (clients[i] == 0)
			increment(address, counts, progress[1]);
	}
	for (int i = 1; i <= DEATHS; i++)
		kill_worker_after(progress[0], CLIENTS * STEPS / DEATHS - 1);
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(waitpid(clients[i], &status, 0), clients[i]);
		ck_assert_int_eq(status, 0);
	}
	fd = connect_to(address);
	client_say(fd, "INCRBY n 0\r\n");
	value = read_count(fd);
	close(fd);
	ck_assert_uint_eq(counts->acknowledged, CLIENTS * INCREMENTS);
	ck_assert_uint_ge(value, counts->acknowledged);
	ck_assert_uint_le(value, counts->acknowledged + counts->unknown);
} END_TEST

/* ---- configuration -------------------------------------------------------- */

START_TEST(wrong_options_are_refused_with_their_line)
{
	static const struct { const char *options, *why; } rows[] = {
		{ "", "needs path = \"/folder\"" },
		{ "path = \"/nowhere\";", "cannot be used: No such file or directory" },
		{ "path = \"/etc/passwd\";", "has no usable data: Not a directory" },
		{ "path = \"%s\"; map_size = 1000;", "is less than 1 MiB (1048576)" },
		{ "path = 7;", "path" }, { "path = \"%s\"; sync = 1;", "sync" }, { "path = \"%s\"; size = 1;", "size" },
	};

	files_mkdir("data");
	files_mkdir("bad");
	files_write("bad/data.mdb", "no data");
	for (size_t i = 0; i <= ARRAY_SIZE(rows); i++) {
		const char *options = i < ARRAY_SIZE(rows) ? rows[i].options : "path = \"%s\";";
		const char *why = i < ARRAY_SIZE(rows) ? rows[i].why : "has no usable data: MDB_INVALID";
		const char *folder = files_path(i < ARRAY_SIZE(rows) ? "data" : "bad");

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		options = files_text(options, folder);
#pragma GCC diagnostic pop
		daemon_config(&d, SERVICES(" kv = { listen = \"127.0.0.1:0\"; handler = { type = \"module\"; path = \"%s\";"
		              " options = { %s }; }; };"), process_built("examples/kv/kv.so"), options);
		ck_assert_int_ne(daemon_run_args(&d, "-t", "-c", d.config), 0);
		harness_contains(files_read(d.err), why);
	}
} END_TEST

int main(void)
{
	Suite *s = suite_create("kv");
	TCase *tc = harness_case(s, "kv");

	tcase_add_test(tc, commands_are_answered_as_redis_answers_them);
	tcase_add_test(tc, a_pipeline_gets_all_its_answers_in_order);
	tcase_add_test(tc, a_client_that_is_slow_to_take_replies_gets_them_all);
	tcase_add_test(tc, what_is_no_request_is_answered_and_ends_the_connection);
	harness_add_if(process_is_installed("redis-cli"), "redis-cli is not installed", tc, redis_cli_works);
	harness_add_if(process_is_installed("redis-benchmark"), "redis-benchmark is not installed", tc, redis_benchmark_works);
	tcase_add_test(tc, data_survive_a_restart_until_they_expire_or_are_flushed);
	tcase_add_test(tc, a_full_map_is_said_and_each_command_gets_its_own_answer);
	tcase_add_test(tc, a_key_that_is_too_long_spoils_only_its_own_command);
	tcase_add_test(tc, no_acknowledged_increment_is_lost_when_workers_are_killed);
	tcase_add_test(tc, wrong_options_are_refused_with_their_line);
	return harness_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of drover-bench: what it comes to, and what is wrong with it.
 */
#include <config.h>
#include "bench_options.h"

#include <sysexits.h>

#include "unit.h"

#define ARGS_MAX 12
#define TO "127.0.0.1:7"                /* nothing is connected here */

static struct bench_plan p;

/* Returns what bench_options_read says; what it prints goes to the file "said". */
static int read_args(const char *const *args)
{
	char *argv[ARGS_MAX + 2] = { (char *)"drover-bench" };
	int argc = 1, status;

	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	ck_assert_ptr_nonnull(freopen("said", "w", stderr));
	optind = 0;
	status = bench_options_read(&p, argc, argv);
	fflush(stderr);
	return status;
}

#define READ(...) read_args((const char *const[]){ __VA_ARGS__, NULL })

static void after(void)
{
	bench_plan_free(&p);
	unit_leave_folder();
}

static const struct { const char *name, *args[ARGS_MAX], *says; } bad[] = {
	{ "no address", { "-n", "4" }, "ADDRESS is missing" },
	{ "two of them", { TO, TO }, "one ADDRESS" },
	{ "no port", { "localhost" }, "HOST:PORT" },
	{ "port 0", { "127.0.0.1:0" }, "1 to 65535" },
	{ "a port that is too large", { "127.0.0.1:65536" }, "1 to 65535" },
	{ "no brackets", { "::1:80" }, "brackets" },
	{ "no unix path", { "unix:relative" }, "unix:/path" },
	{ "a unix path that is too long", { "unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }, "at most" },
	{ "an unknown option", { "--cuont", "4", TO }, "--count" },
	{ "an unknown letter", { "-x", TO }, "-x" },
	{ "no value", { TO, "--count" }, "--count N" },
	{ "a value too many", { "--json=yes", TO }, "takes no value" },
	{ "an unknown mode", { "-m", "pingpong", TO }, "ping-pong" },
	{ "no connections", { "-n", "0", TO }, "from 1" },
	{ "connections in words", { "-n", "four", TO }, "a number" },
	{ "more threads than connections", { "-n", "2", "-t", "3", TO }, "--threads" },
	{ "no time", { "-d", "0", TO }, "more than 0" },
	{ "a time in hours of its own", { "-d", "5x", TO }, "250ms" },
	{ "no operations", { "-k", "0", TO }, "at least 1" },
	{ "open-loop without its rate", { "-m", "open-loop", TO }, "--rate 500/s" },
	{ "a rate without open-loop", { "-r", "5/s", TO }, "open-loop" },
	{ "a rate of nothing", { "-m", "open-loop", "-r", "0/s", TO }, "500/s" },
	{ "a rate per fortnight", { "-m", "open-loop", "-r", "5/f", TO }, "500/s" },
	{ "arrivals without open-loop", { "--arrivals", "even", TO }, "open-loop" },
	{ "arrivals by dice", { "-m", "open-loop", "-r", "5", "--arrivals", "dice", TO }, "poisson" },
	{ "new connections without open-loop", { "--new-connections", TO }, "open-loop" },
	{ "opening what is not kept", { "-m", "connect", "--opening", "5", TO }, "--opening" },
	{ "two messages", { "--message", "a", "--size", "5", TO }, "exclude" },
	{ "an unknown escape", { "--message", "a\\q", TO }, "\\xNN" },
	{ "half an escape", { "--message", "a\\x4", TO }, "\\xNN" },
	{ "a backslash at the end", { "--message", "a\\", TO }, "\\xNN" },
	{ "no such file", { "--message-file", "nowhere", TO }, "nowhere" },
	{ "a size in words", { "--size", "large", TO }, "4k" },
	{ "too large", { "--size", "2G", TO }, "at most 1G" },
	{ "an unknown answer", { "--answer", "json", TO }, "netstring" },
	{ "an answer of length 0", { "--answer", "length:0", TO }, "length:N" },
	{ "raw, and nothing is framed", { "--raw", TO }, "--raw" },
	{ "echo and expect", { "--echo", "--expect", "a", TO }, "exclude" },
	{ "two expectations", { "--expect", "a", "--expect-file", "b", TO }, "b" },
	{ "expecting nothing", { "--answer", "none", "--echo", TO }, "--answer none" },
	{ "two lengths", { "--answer", "length:5", "--expect", "abc", TO }, "the length of --expect differ" },
	{ "the end on a connection that stays", { "--answer", "eof", TO }, "--mode connect" },
	{ "nothing to send", { "--size", "0", TO }, "--answer eof" },
	{ "a line of two", { "--answer", "line", "--message", "a\\nb", TO }, "--raw" },
	{ "an answer beyond the longest", { "--max-answer", "5", "--answer", "length:6", TO },
	  "--max-answer" },
	{ "a framed echo beyond the longest", { "--max-answer", "5", "--answer", "line", "--echo", TO },
	  "--max-answer" },
	{ "holding with nothing to send", { "-m", "hold", "--size", "0", TO }, "--answer eof" },
	{ "brackets around IPv4", { "[127.0.0.1]:80" }, "IPv6" },
	{ "an echo beyond the longest", { "--max-answer", "5", TO }, "--max-answer" },
	{ "a count of nothing", { "-m", "hold", "-k", "5", TO }, "--mode hold" },
	{ "warming up for nothing", { "-m", "hold", "-w", "5", TO }, "--mode hold" },
	{ "an answer to nothing", { "-m", "hold", "--echo", TO }, "--message" },
	{ "a time and a gate", { "-m", "hold", "--gate", "-d", "5", TO }, "--gate" },
	{ "a stream elsewhere", { "--stream", "send", TO }, "--mode stream" },
	{ "a stream sideways", { "-m", "stream", "--stream", "left", TO }, "receive" },
	{ "a stream with answers", { "-m", "stream", "--answer", "line", TO }, "--mode stream" },
	{ "a stream that echoes one way", { "-m", "stream", "--stream", "send", "--echo", TO }, "both" },
	{ "a message that is not sent", { "-m", "stream", "--stream", "receive", "--message", "a", TO },
	  "--message" },
	{ "a source that is a name", { "--source", "localhost", TO }, "127.0.0.0/8" },
	{ "a prefix that is too long", { "--source", "127.0.0.0/33", TO }, "127.0.0.0/8" },
	{ "a source of another family", { "--source", "::1", TO }, "families" },
	{ "a source of a unix socket", { "--source", "127.0.0.1", "unix:/x" }, "unix" },
	{ "an unknown header", { "--proxy", "v3", TO }, "v1 or v2" },
	{ "clients without a header", { "--proxy-source", "10.0.0.1", TO }, "--proxy v1" },
	{ "an unknown version", { "--tls", "--tls-version", "1.1", TO }, "1.2 or 1.3" },
	{ "a version without TLS", { "--tls-version", "1.3", TO }, "--tls" },
	{ "authorities without TLS", { "--ca", "ca.pem", TO }, "--tls" },
	{ "a name without TLS", { "--sni", "a.example", TO }, "--tls" },
	{ "a certificate without TLS", { "--cert", "a.pem", TO }, "--tls" },
	{ "a session without TLS", { "--resume", TO }, "--tls" },
#ifdef HAVE_OPENSSL
	{ "a key without its certificate", { "--tls", "--key", "a.key", TO }, "--cert FILE" },
#else
	{ "a program without TLS", { "--tls", TO }, "without OpenSSL" },
#endif
	{ "no time-out", { "-T", "0", TO }, "more than 0" },
};

START_TEST(a_wrong_command_line_is_one_line_that_says_what_would_be_right)
{
	const char *said;

	ck_assert_msg(read_args(bad[_i].args) == EX_USAGE, "%s", bad[_i].name);
	said = unit_read_file("said");
	ck_assert_msg(strncmp(said, "drover-bench: ", 14) == 0 && strstr(said, bad[_i].says) &&
	              strchr(said, '\n') == said + strlen(said) - 1, "%s: %s", bad[_i].name, said);
} END_TEST

START_TEST(defaults_are_those_of_the_manual)
{
	ck_assert_int_eq(READ(TO), -1);
	ck_assert_int_eq(p.mode, BENCH_PING_PONG);
	ck_assert_uint_eq(p.connections, 1);
	ck_assert_uint_eq(p.threads, 1);
	ck_assert_uint_eq(p.opening, 64);
	ck_assert_int_eq(p.duration_ns, INT64_C(10000000000));
	ck_assert_int_eq(p.timeout_ns, INT64_C(10000000000));
	ck_assert_uint_eq(p.count, 0);
	ck_assert_uint_eq(p.max_errors, 1000);
	ck_assert_uint_eq(p.message_bytes, 64);
	ck_assert_uint_eq(p.message.len, 64);
	ck_assert(p.answer.echo && p.answer.kind == ANSWER_LENGTH);
	ck_assert_uint_eq(p.answer.max, 16 << 20);
	ck_assert_int_eq(address_port(&p.to), 7);
	ck_assert(!p.has_message && !p.gate && !p.json && !p.quiet);
} END_TEST

START_TEST(a_count_has_no_end_in_time_unless_one_is_given)
{
	ck_assert_int_eq(READ("-k", "5", TO), -1);
	ck_assert_int_eq(p.duration_ns, 0);
	bench_plan_free(&p);
	ck_assert_int_eq(READ("-k", "5", "-d", "250ms", TO), -1);
	ck_assert_int_eq(p.duration_ns, 250000000);
} END_TEST

START_TEST(options_stand_before_or_behind_the_address)
{
	ck_assert_int_eq(READ("-n", "4", "[::1]:80", "-t2", "--mode=open-loop", "--rate", "90/m"), -1);
	ck_assert_uint_eq(p.connections, 4);
	ck_assert_uint_eq(p.threads, 2);
	ck_assert_double_eq(p.rate, 1.5);
	ck_assert_int_eq(p.to.u.sa.sa_family, AF_INET6);
} END_TEST

START_TEST(an_expectation_says_how_long_the_answer_is)
{
	ck_assert_int_eq(READ("--message", "hi\\r\\n", "--expect", "\\x41b\\0", TO), -1);
	ck_assert(!p.answer.echo);
	ck_assert_uint_eq(p.answer.length, 3);
	ck_assert_mem_eq(p.answer.expect, "Ab", 3);
	ck_assert_uint_eq(p.message.len, 4);
	ck_assert_mem_eq(p.message.bytes, "hi\r\n", 4);
} END_TEST

START_TEST(files_are_taken_as_they_are)
{
	unit_write_file("message", "a\\n\n");
	unit_write_file("expect", "b\\n");
	ck_assert_int_eq(READ("--message-file", "message", "--expect-file", "expect", TO), -1);
	ck_assert_uint_eq(p.message.len, 4);
	ck_assert_mem_eq(p.message.bytes, "a\\n\n", 4);
	ck_assert_uint_eq(p.answer.expect_len, 3);
} END_TEST

START_TEST(what_is_framed_in_the_answer_is_framed_in_the_request)
{
	static const struct { const char *answer, *raw, *want; size_t len; } rows[] = {
		{ "line", NULL, "abc\n", 4 },
		{ "netstring", NULL, "3:abc,", 6 },
		{ "length32", NULL, "\0\0\0\3abc", 7 },
		{ "netstring", "--raw", "abc", 3 },
		{ "length", NULL, "abc", 3 },
	};

	ck_assert_int_eq(READ("--answer", rows[_i].answer, "--message", "abc", TO, rows[_i].raw), -1);
	ck_assert_uint_eq(p.message.len, rows[_i].len);
	ck_assert_mem_eq(p.message.bytes, rows[_i].want, rows[_i].len);
	ck_assert_uint_eq(p.message_bytes, 3);
	ck_assert(!p.answer.echo);
} END_TEST

START_TEST(a_message_may_be_longer_than_the_longest_answer)
{
	ck_assert_int_eq(READ("--answer", "line", "--max-answer", "4", "--message", "hello", TO), -1);
	ck_assert_uint_eq(p.message.len, 6);
} END_TEST

START_TEST(unix_addresses_are_paths_and_names)
{
	ck_assert_int_eq(READ("unix:/run/x.sock"), -1);
	ck_assert_str_eq(p.to.u.un.sun_path, "/run/x.sock");
	bench_plan_free(&p);
	ck_assert_int_eq(READ("unix:@name"), -1);
	ck_assert_int_eq(p.to.u.un.sun_path[0], '\0');
	ck_assert_uint_eq(p.to.len, offsetof(struct sockaddr_un, sun_path) + 5);
} END_TEST

START_TEST(the_host_of_an_address_is_as_it_was_given)
{
	static const struct { const char *address, *host; } rows[] = {
		{ "localhost:80", "localhost" },
		{ TO, "127.0.0.1" },
		{ "[::1]:80", "::1" },
		{ "unix:/run/a:b", "" },
	};
	char host[64];

	ck_assert_int_eq(READ(rows[_i].address), -1);
	bench_plan_host(&p, host, sizeof host);
	ck_assert_str_eq(host, rows[_i].host);
} END_TEST

START_TEST(a_stream_repeats_its_message)
{
	ck_assert_int_eq(READ("-m", "stream", "--message", "abc", TO), -1);
	ck_assert_uint_eq(p.message_bytes, 3);
	ck_assert_uint_ge(p.message.len, 65536);
	ck_assert_uint_eq(p.message.len % 3, 0);
	ck_assert_mem_eq(p.message.bytes + p.message.len - 6, "abcabc", 6);
	ck_assert(!p.answer.echo);
} END_TEST

int main(void)
{
	Suite *s = suite_create("bench_options");
	TCase *tc = unit_case(s, "options", unit_enter_folder, after);

	tcase_add_loop_test(tc, a_wrong_command_line_is_one_line_that_says_what_would_be_right, 0,
	                    ARRAY_SIZE(bad));
	tcase_add_test(tc, defaults_are_those_of_the_manual);
	tcase_add_test(tc, a_count_has_no_end_in_time_unless_one_is_given);
	tcase_add_test(tc, options_stand_before_or_behind_the_address);
	tcase_add_test(tc, an_expectation_says_how_long_the_answer_is);
	tcase_add_test(tc, files_are_taken_as_they_are);
	tcase_add_loop_test(tc, what_is_framed_in_the_answer_is_framed_in_the_request, 0, 5);
	tcase_add_test(tc, a_message_may_be_longer_than_the_longest_answer);
	tcase_add_test(tc, unix_addresses_are_paths_and_names);
	tcase_add_loop_test(tc, the_host_of_an_address_is_as_it_was_given, 0, 4);
	tcase_add_test(tc, a_stream_repeats_its_message);
	return unit_run(s);
}

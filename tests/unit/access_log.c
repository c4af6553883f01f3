/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of the access log, as text, as JSON and by templates.
 */
#include <config.h>
#include "access_log.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "unit.h"

static const struct endpoint peer = { .family = AF_INET, .port = 40000, .ip = { 192, 0, 2, 1 } };
static const struct endpoint local = { .family = AF_INET6, .port = 80, .ip = { [15] = 1 } };
static const struct endpoint unknown = { 0 };

static const struct row {
	const char          *name;
	struct access_record record;
	const char          *text, *json;       /* what follows the time; PID stands for ours */
} rows[] = {
	{ "bytes through us",
	  { .service = "echo", .id = "7-1", .peer = &peer, .local = &local, .duration_us = 1500000,
	    .counted = true, .bytes_in = 5, .bytes_out = UINT64_MAX, .how = "closed" },
	  " service=echo id=7-1 peer=192.0.2.1:40000 local=[::1]:80 duration=1.500000 in=5 "
	  "out=18446744073709551615 how=closed pid=PID\n",
	  ",\"service\":\"echo\",\"id\":\"7-1\",\"peer\":\"192.0.2.1:40000\",\"local\":\"[::1]:80\","
	  "\"duration\":1.500000,\"in\":5,\"out\":18446744073709551615,\"how\":\"closed\","
	  "\"pid\":PID}\n" },
	{ "a program that has ended",
	  { .service = "cgi", .id = "7-2", .peer = &peer, .local = &peer, .duration_us = 42,
	    .how = "exit", .has_status = true, .status = 3 << 8 },
	  " service=cgi id=7-2 peer=192.0.2.1:40000 local=192.0.2.1:40000 duration=0.000042 "
	  "how=exit pid=PID exit=3\n",
	  ",\"service\":\"cgi\",\"id\":\"7-2\",\"peer\":\"192.0.2.1:40000\","
	  "\"local\":\"192.0.2.1:40000\",\"duration\":0.000042,\"how\":\"exit\",\"pid\":PID,"
	  "\"exit\":3}\n" },
	{ "a program that was killed",
	  { .service = "cgi", .id = "7-3", .peer = &unknown, .local = &unknown,
	    .how = "exit", .has_status = true, .status = SIGKILL },
	  " service=cgi id=7-3 peer=unknown local=unknown duration=0.000000 how=exit pid=PID "
	  "signal=KILL\n",
	  ",\"service\":\"cgi\",\"id\":\"7-3\",\"peer\":\"unknown\",\"local\":\"unknown\","
	  "\"duration\":0.000000,\"how\":\"exit\",\"pid\":PID,\"signal\":\"KILL\"}\n" },
	{ "a name that would forge",
	  { .service = "a\"\n\\", .id = "7-4", .peer = &unknown, .local = &unknown, .how = "closed" },
	  " service=a\"\\x0a\\ id=7-4 peer=unknown local=unknown duration=0.000000 how=closed "
	  "pid=PID\n",
	  ",\"service\":\"a\\\"\\\\x0a\\\\\",\"id\":\"7-4\",\"peer\":\"unknown\","
	  "\"local\":\"unknown\",\"duration\":0.000000,\"how\":\"closed\",\"pid\":PID}\n" },
};

/* The text with our pid in it. */
static const char *with_pid(const char *pattern)
{
	static char text[1024];
	const char *at = strstr(pattern, "PID");

	snprintf(text, sizeof text, "%.*s%d%s", (int)(at - pattern), pattern, (int)getpid(), at + 3);
	return text;
}

static void expect_line(enum log_format format, const struct row *row)
{
	struct log_sink *sink = log_sink_open(LOG_TARGET_FILE, "log", format);
	const char *want = with_pid(format == LOG_FORMAT_JSON ? row->json : row->text), *line;

	access_log_put(sink, NULL, &row->record);
	log_sink_close(&sink);
	line = unit_read_file("log");
	ck_assert_uint_ge(strlen(line), strlen(want));
	line += strlen(line) - strlen(want);
	ck_assert_msg(strcmp(line, want) == 0, "%s: %s instead of %s", row->name, line, want);
	ck_assert_int_eq(line - unit_read_file("log"), format == LOG_FORMAT_JSON ? 39 : 29);
	unlink("log");
}

START_TEST(fields_are_the_same_in_both_formats)
{
	expect_line(LOG_FORMAT_TEXT, &rows[_i]);
	expect_line(LOG_FORMAT_JSON, &rows[_i]);
} END_TEST

/* Neither into the log nor to standard error, whatever is open. */
START_TEST(without_an_access_log_nothing_is_written)
{
	struct log_sink *log = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	const int errors = open("errors", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	log_use(log, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(dup2(errors, STDERR_FILENO), STDERR_FILENO);
	access_log_put(NULL, NULL, &rows[0].record);
	ck_assert_str_eq(unit_read_file("log"), "");
	ck_assert_str_eq(unit_read_file("errors"), "");
	close(errors);
	log_use(NULL, LOG_LEVEL_ERROR);
	log_sink_close(&log);
} END_TEST

/* ---- templates ---------------------------------------------------------- */

static const struct tls_link_facts resumed = { .version = "TLSv1.3", .cipher = "TLS_AES_128_GCM_SHA256",
                                               .resumed = true, .sni = "a.example" };
static const struct tls_link_facts failed = { .sni = "x\",\n{how}'|;", .why = "no shared\tcipher" };

static const struct {
	const char          *text;
	struct access_record record;
	const char          *want;      /* PID stands for ours */
} templates[] = {
	{ "{service} {id} {peer} {via} {local} {duration} {in} {out} {how} {pid} {exit} {signal} {tls} {sni}",
	  { .service = "echo", .id = "7-1", .peer = &peer, .local = &local, .duration_us = 1500000,
	    .counted = true, .bytes_in = 5, .how = "closed" },
	  "echo 7-1 192.0.2.1:40000 - [::1]:80 1.500000 5 0 closed PID - - - -" },
	{ "{in}|{out}|{exit}|{signal}",
	  { .service = "cgi", .id = "7-2", .has_status = true, .status = 3 << 8 },
	  "-|-|3|-" },
	{ "{exit},{signal}", { .service = "cgi", .id = "7-2", .has_status = true, .status = SIGKILL },
	  "-,KILL" },
	{ "{tls} {cipher} {resumed} {sni} {tls_error}", { .service = "s", .id = "7-3", .tls = &resumed },
	  "TLSv1.3 TLS_AES_128_GCM_SHA256 yes a.example -" },
	{ "{{\"sni\":\"{sni}\"}}\t{tls} {tls_error}", { .service = "s", .id = "7-4", .tls = &failed },
	  "{\"sni\":\"x\\x22\\x2c\\x0a{how}\\x27\\x7c\\x3b\"}\t- no\\x20shared\\x09cipher" },
	{ "{authority} {unique_id}",
	  { .service = "s", .id = "7-5", .authority = "b.example\\x20", .unique_id = "a\"b" },
	  "b.example\\x20 a\\x22b" },
	{ "% {how} %s%n", { .service = "s", .id = "-", .how = "refused-access" }, "% refused-access %s%n" },
};

static struct access_format parse(const char *text)
{
	static struct access_format_piece pieces[ACCESS_FORMAT_PIECES_MAX];
	struct access_format_fault fault;
	const size_t n = access_format_parse(text, pieces, &fault);

	ck_assert_uint_gt(n, 0);
	return (struct access_format){ text, pieces, n };
}

START_TEST(a_template_says_all_of_the_line)
{
	const struct access_format format = parse(templates[_i].text);
	struct log_sink *sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEMPLATE);
	const bool has_pid = strstr(templates[_i].want, "PID");
	char want[512];

	snprintf(want, sizeof want, "%s\n", has_pid ? with_pid(templates[_i].want) : templates[_i].want);
	access_log_put(sink, &format, &templates[_i].record);
	log_sink_close(&sink);
	ck_assert_str_eq(unit_read_file("log"), want);
} END_TEST

START_TEST(the_time_of_a_template_is_that_of_the_other_formats)
{
	const struct access_format format = parse("at {time}.");
	struct log_sink *sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEMPLATE);
	const char *line;

	access_log_put(sink, &format, &rows[0].record);
	log_sink_close(&sink);
	line = unit_read_file("log");
	ck_assert_msg(strncmp(line, "at 2", 4) == 0 && line[13] == 'T', "%s", line);
	ck_assert_uint_eq(strlen(line), 3 + 29 + 2);
} END_TEST

/* However long its values are, it is one line. */
START_TEST(a_line_that_is_too_long_is_cut)
{
	static char text[ACCESS_FORMAT_TEXT_MAX + 1], name[65];
	struct log_sink *sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEMPLATE);
	struct access_format format;
	const char *line;

	for (int i = 0; i < ACCESS_FORMAT_PIECES_MAX; i += 2)
		strcat(text, "{service}{sni}");
	format = parse(text);
	memset(name, '\n', sizeof name - 1);
	access_log_put(sink, &format, &(struct access_record){
		.service = name, .id = "7-6", .tls = &failed });
	log_sink_close(&sink);
	line = unit_read_file("log");
	ck_assert_uint_lt(strlen(line), LOG_LINE_MAX);
	ck_assert_uint_eq(strcspn(line, "\n"), strlen(line) - 1);
} END_TEST

START_TEST(lines_that_were_dropped_are_counted_in_it)
{
	const struct access_format format = parse("{how}");
	struct log_sink *sink = log_sink_open(LOG_TARGET_FILE, "/dev/full", LOG_FORMAT_TEMPLATE);

	log_sink_hold_fields(sink);
	access_log_put(sink, &format, &rows[0].record);
	log_sink_switch(sink, open("log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
	access_log_put(sink, &format, &rows[0].record);
	log_sink_close(&sink);
	unit_contains(unit_read_file("log"), "00 dropped=1 pid=");
	unit_contains(unit_read_file("log"), "\"\nclosed\n");
} END_TEST

static const enum log_format formats[] = { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Of the longest that the configuration allows: nothing is cut, or JSON would end in its middle. */
START_TEST(the_longest_line_fits)
{
	static const struct endpoint far = { .family = AF_INET6, .port = 65535, .scope = UINT32_MAX,
	                                     .ip = { 0xfe, 0x80, [2 ... 15] = 0xff } };
	char name[64 + 1];
	const struct access_record longest = {
		.service = name, .id = "4194304-18446744073709551615", .peer = &far, .local = &far,
		.duration_us = INT64_MAX, .counted = true, .bytes_in = UINT64_MAX,
		.bytes_out = UINT64_MAX, .how = "session", .has_status = true, .status = SIGVTALRM,
	};
	struct log_sink *sink = log_sink_open(LOG_TARGET_FILE, "log", formats[_i]);
	const char *line;

	memset(name, '"', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	access_log_put(sink, NULL, &longest);
	log_sink_close(&sink);
	line = unit_read_file("log");
	ck_assert_msg(strstr(line, formats[_i] == LOG_FORMAT_JSON ? "\"signal\":\"VTALRM\"}\n"
	                                                          : " signal=VTALRM\n") != NULL,
	              "%s", line);
	unlink("log");
} END_TEST

int main(void)
{
	Suite *s = suite_create("access_log");
	TCase *tc = unit_case(s, "access_log", unit_enter_folder, unit_leave_folder);

	tcase_add_loop_test(tc, fields_are_the_same_in_both_formats, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, without_an_access_log_nothing_is_written);
	tcase_add_loop_test(tc, a_template_says_all_of_the_line, 0, ARRAY_SIZE(templates));
	tcase_add_test(tc, the_time_of_a_template_is_that_of_the_other_formats);
	tcase_add_test(tc, a_line_that_is_too_long_is_cut);
	tcase_add_test(tc, lines_that_were_dropped_are_counted_in_it);
	tcase_add_loop_test(tc, the_longest_line_fits, 0, ARRAY_SIZE(formats));
	return unit_run(s);
}

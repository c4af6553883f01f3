/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reports: as JSON, as text, and two side by side; and progress till then.
 */
#include <config.h>
#include "report.h"

#include <jansson.h>

#include "compare.h"
#include "progress.h"
#include "report_json.h"
#include "unit.h"

static struct bench_plan plan;
static struct report report;

/* Latencies of 1 to 1000 microseconds. */
static void before(void)
{
	unit_enter_folder();
	plan = (struct bench_plan){
		.mode = BENCH_OPEN_LOOP, .target = "127.0.0.1:7", .connections = 3, .threads = 2,
		.rate = 500, .message_bytes = 64,
	};
	report = (struct report){
		.plan = &plan, .started = "2026-11-22T10:00:00Z", .seconds = 2, .client_cpu_seconds = .5,
		.tally = { .operations = 1000, .bytes_sent = 64000, .bytes_received = 64000,
		           .connections_opened = 3 },
	};
	for (uint64_t i = 1; i <= 1000; i++)
		bench_histogram_record(&report.tally.latency, i * 1000);
}

static const char *text_of(unsigned width, bool blocks)
{
	FILE *f = fopen("text", "we");

	report_print(f, &report, width, blocks);
	fclose(f);
	return unit_read_file("text");
}

static const char *compared(const json_t *then, const json_t *now)
{
	FILE *f = fopen("table", "we");

	compare_print(f, then, now);
	fclose(f);
	return unit_read_file("table");
}

/* Written, and read again. */
static json_t *made(void)
{
	json_t *o = report_json_make(&report), *again;
	FILE *f = fopen("report.json", "we");
	char complaint[200];

	ck_assert_int_eq(report_json_write(f, o), 0);
	fclose(f);
	json_decref(o);
	again = report_json_read("report.json", complaint, sizeof complaint);
	ck_assert_msg(again, "%s", complaint);
	return again;
}

static double number(const json_t *o, const char *group, const char *name)
{
	const json_t *value = json_object_get(group ? json_object_get(o, group) : o, name);

	ck_assert_msg(json_is_number(value), "%s", name);
	return json_number_value(value);
}

static const char *const keys[] = {
	"drover_bench", "version", "target", "mode", "connections", "threads", "message_bytes",
	"answer", "rate", "seconds", "operations", "operations_per_second", "bytes_sent",
	"bytes_received", "connections_opened", "arrivals_unserved", "errors", "errors_by_kind",
	"latency_usec", "connect_usec", "histogram_usec", "client_cpu_seconds", "started",
	"arrivals", "new_connections", "stream", "error_reasons", "tls", "tls_cipher", "tls_resume",
	"handshakes", "handshakes_per_second", "resumed", "resumed_share", "handshake_usec",
};

START_TEST(the_keys_are_those_of_the_manual)
{
	json_t *o = made();

	ck_assert_msg(json_object_get(o, keys[_i]), "%s", keys[_i]);
	json_decref(o);
} END_TEST

START_TEST(there_are_no_other_keys_and_the_values_are_those_of_the_run)
{
	json_t *o = made();

	ck_assert_uint_eq(json_object_size(o), ARRAY_SIZE(keys));
	ck_assert_str_eq(json_string_value(json_object_get(o, "mode")), "open-loop");
	ck_assert_str_eq(json_string_value(json_object_get(o, "answer")), "length");
	ck_assert_double_eq(number(o, NULL, "operations_per_second"), 500);
	ck_assert_double_eq(number(o, NULL, "rate"), 500);
	ck_assert(json_is_null(json_object_get(o, "connect_usec")));
	json_decref(o);
} END_TEST

/* In JSON there is no way to write it. */
START_TEST(a_target_that_is_no_utf8_is_null)
{
	json_t *o;

	plan.target = "unix:/\xff";
	o = made();
	ck_assert(json_is_null(json_object_get(o, "target")));
	json_decref(o);
} END_TEST

START_TEST(latencies_are_microseconds)
{
	json_t *o = made();

	ck_assert_double_eq(number(o, "latency_usec", "min"), 1);
	ck_assert_double_eq(number(o, "latency_usec", "max"), 1000);
	ck_assert_double_eq_tol(number(o, "latency_usec", "mean"), 500.5, .001);
	ck_assert_double_eq_tol(number(o, "latency_usec", "p50"), 500, 8);
	ck_assert_double_eq_tol(number(o, "latency_usec", "p99"), 990, 16);
	json_decref(o);
} END_TEST

START_TEST(the_histogram_holds_each_operation_once)
{
	json_t *o = made(), *row;
	double last = 0, sum = 0;
	size_t i;

	json_array_foreach(json_object_get(o, "histogram_usec"), i, row) {
		const double low = json_number_value(json_array_get(row, 0));
		const double high = json_number_value(json_array_get(row, 1));

		ck_assert_double_ge(low + 1e-6, last);
		ck_assert_double_gt(high, low);
		last = high;
		sum += json_number_value(json_array_get(row, 2));
	}
	ck_assert_double_eq(sum, 1000);
	json_decref(o);
} END_TEST

START_TEST(only_errors_that_happened_are_named)
{
	json_t *o;

	tally_failure(&report.tally, FAILURE_RESET, 0, NULL);
	tally_failure(&report.tally, FAILURE_RESET, 0, NULL);
	tally_failure(&report.tally, FAILURE_OTHER, EPERM, NULL);
	o = made();
	ck_assert_double_eq(number(o, NULL, "errors"), 3);
	ck_assert_double_eq(number(o, "errors_by_kind", "reset"), 2);
	ck_assert_double_eq(number(o, "errors_by_kind", "other"), 1);
	ck_assert_uint_eq(json_object_size(json_object_get(o, "errors_by_kind")), 2);
	json_decref(o);
	unit_contains(text_of(80, false), strerror(EPERM));
} END_TEST

START_TEST(an_error_of_tls_has_the_reason_of_the_first)
{
	json_t *made_report, *o;

	tally_failure(&report.tally, FAILURE_CERTIFICATE, 0, "certificate has expired");
	tally_failure(&report.tally, FAILURE_CERTIFICATE, 0, "hostname mismatch");
	tally_failure(&report.tally, FAILURE_OTHER, EPERM, NULL);
	made_report = made();
	o = json_object_get(made_report, "error_reasons");
	ck_assert_uint_eq(json_object_size(o), 2);
	ck_assert_str_eq(json_string_value(json_object_get(o, "certificate")),
	                 "certificate has expired");
	ck_assert_str_eq(json_string_value(json_object_get(o, "other")), strerror(EPERM));
	json_decref(made_report);
	unit_contains(text_of(80, false), "certificate            2  first: certificate has expired");
} END_TEST

static const char *const null_without_tls[] = {
	"tls", "tls_cipher", "tls_resume", "handshakes", "handshakes_per_second", "resumed",
	"resumed_share", "handshake_usec",
};

START_TEST(without_tls_what_is_said_of_it_is_null)
{
	json_t *o = made();

	ck_assert(json_is_null(json_object_get(o, null_without_tls[_i])));
	json_decref(o);
	ck_assert_ptr_null(strstr(text_of(80, false), "handshake"));
} END_TEST

/* 32 in 2 seconds, 3 of 4 resumed. */
static void report_handshakes(void)
{
	plan.tls = (struct bench_tls_plan){ .on = true, .resume = true };
	plan.mode = BENCH_CONNECT;
	for (int i = 0; i < 32; i++) {
		tally_handshake(&report.tally, i ? "TLSv1.2" : "TLSv1.3", i ? "second" : "first", i % 4);
		bench_histogram_record(&report.tally.handshake, 500000);
	}
}

START_TEST(handshakes_are_reported)
{
	json_t *o;
	const char *text;

	report_handshakes();
	o = made();
	ck_assert_str_eq(json_string_value(json_object_get(o, "tls")), "TLSv1.3");
	ck_assert_str_eq(json_string_value(json_object_get(o, "tls_cipher")), "first");
	ck_assert(json_is_true(json_object_get(o, "tls_resume")));
	ck_assert_double_eq(number(o, NULL, "handshakes"), 32);
	ck_assert_double_eq(number(o, NULL, "handshakes_per_second"), 16);
	ck_assert_double_eq(number(o, NULL, "resumed"), 24);
	ck_assert_double_eq(number(o, NULL, "resumed_share"), .75);
	ck_assert_double_eq(number(o, "handshake_usec", "p50"), 500);
	json_decref(o);
	text = text_of(80, false);
	unit_contains(text, "TLSv1.3, first, server not verified");
	unit_contains(text, "16.0/s, 24 resumed (75.0 %)");
	unit_contains(text, "handshake time");
} END_TEST

START_TEST(handshakes_of_connections_that_stay_open_have_no_rate)
{
	json_t *o;

	report_handshakes();
	plan.mode = BENCH_PING_PONG;
	o = made();
	ck_assert_double_eq(number(o, NULL, "handshakes"), 32);
	ck_assert(json_is_null(json_object_get(o, "handshakes_per_second")));
	json_decref(o);
	unit_contains(text_of(80, false), "32     24 resumed (75.0 %)");
} END_TEST

START_TEST(a_run_without_a_handshake_has_tls_all_the_same)
{
	json_t *o;

	plan.tls.on = true;
	o = made();
	ck_assert_str_eq(json_string_value(json_object_get(o, "tls")), "no handshake");
	ck_assert(json_is_null(json_object_get(o, "resumed_share")));
	json_decref(o);
	unit_contains(text_of(80, false), "0 resumed (0.0 %)");
} END_TEST

START_TEST(the_counts_of_threads_are_added)
{
	struct tally sum = { 0 };

	report_handshakes();
	tally_failure(&report.tally, FAILURE_ALERT, 0, "unknown CA");
	tally_merge(&sum, &report.tally);
	tally_merge(&sum, &report.tally);
	ck_assert_uint_eq(sum.handshakes, 64);
	ck_assert_uint_eq(sum.resumed, 48);
	ck_assert_uint_eq(sum.handshake.count, 64);
	ck_assert_str_eq(sum.tls_version, "TLSv1.3");
	ck_assert_str_eq(sum.first_reason[FAILURE_ALERT], "unknown CA");
} END_TEST

START_TEST(handshakes_are_compared)
{
	json_t *then = made(), *now;
	const char *table;

	report_handshakes();
	now = made();
	table = compared(then, now);
	unit_contains(table, "tls: then none, now TLSv1.3");
	table = compared(now, now);
	unit_contains(table, "handshakes/s                    16            16     1.000");
	unit_contains(table, "resumed share");
	unit_contains(table, "handshake p99, us");
	ck_assert_ptr_null(strstr(table, "not alike"));
	json_decref(then);
	json_decref(now);
} END_TEST

START_TEST(without_operations_there_are_no_latencies)
{
	json_t *o;

	report.tally = (struct tally){ 0 };
	report.seconds = 0;
	o = made();
	ck_assert(json_is_null(json_object_get(o, "latency_usec")));
	ck_assert_uint_eq(json_array_size(json_object_get(o, "histogram_usec")), 0);
	ck_assert_double_eq(number(o, NULL, "operations_per_second"), 0);
	json_decref(o);
	ck_assert_ptr_null(strstr(text_of(80, false), "latency"));
} END_TEST

static const char *const no_reports[] = { "", "{", "[]", "{}", "{\"drover_bench\": 2}", "17" };

START_TEST(what_is_no_report_is_refused)
{
	char complaint[200];

	unit_write_file("report.json", no_reports[_i]);
	ck_assert_ptr_null(report_json_read("report.json", complaint, sizeof complaint));
	ck_assert_msg(strstr(complaint, "report.json"), "%s: %s", no_reports[_i], complaint);
} END_TEST

START_TEST(a_report_that_is_not_there_is_refused)
{
	char complaint[200];

	ck_assert_ptr_null(report_json_read("nowhere.json", complaint, sizeof complaint));
	unit_contains(complaint, "nowhere.json");
} END_TEST

/* Columns, not bytes: a byte of UTF-8 that continues a letter takes none. */
static size_t columns(const char *line, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)line[i] & 0xc0) != 0x80;
	return n;
}

static const unsigned text_widths[] = { 60, 80, 132 };

START_TEST(the_text_fits_the_terminal)
{
	const unsigned width = text_widths[_i / 2];
	const char *text = text_of(width, _i % 2);
	size_t widest = 0;

	for (const char *at = strstr(text, "max"); *at; at += strcspn(at, "\n"), at += *at == '\n') {
		const size_t n = columns(at, strcspn(at, "\n"));

		widest = n > widest ? n : widest;
	}
	ck_assert_uint_eq(widest, width);
	ck_assert((strstr(text, "█") != NULL) == (_i % 2 == 1));
} END_TEST

static const unsigned progress_widths[] = { 50, 57, 58, 80, 132 };

START_TEST(progress_fits_the_terminal)
{
	const struct progress_now now = {
		.phase = "warming up", .operations = 1000000, .errors = 1000, .now_ns = 10, .end_ns = 20,
	};
	FILE *f = fopen("progress", "we");
	struct progress p = { .out = f, .width = progress_widths[_i], .blocks = true };
	const char *line;

	progress_show(&p, &now);
	fclose(f);
	line = unit_read_file("progress") + strlen("\r\033[K");
	ck_assert_msg(columns(line, strlen(line)) < progress_widths[_i], "%s", line);
	ck_assert((strchr(line, '[') != NULL) == (progress_widths[_i] >= 58));
} END_TEST

START_TEST(quiet_draws_nothing)
{
	plan.quiet = true;
	ck_assert_ptr_null(strchr(text_of(80, false), '#'));
	unit_contains(unit_read_file("text"), "p99.99");
} END_TEST

START_TEST(a_comparison_has_then_now_and_their_ratio)
{
	json_t *then = made(), *now;
	const char *table;

	report.seconds = 1;
	now = made();
	table = compared(then, now);
	ck_assert_msg(strstr(table, "500          1000     2.000"), "%s", table);
	unit_contains(table, "latency p99, us");
	ck_assert_ptr_null(strstr(table, "not alike"));
	ck_assert_ptr_null(strstr(table, "connect p50"));
	json_decref(then);
	json_decref(now);
} END_TEST

START_TEST(a_comparison_says_what_was_not_alike)
{
	json_t *then = made(), *now;
	const char *table;

	plan.mode = BENCH_CONNECT;
	plan.rate = 0;
	plan.connections = 4;
	now = made();
	table = compared(then, now);
	ck_assert_msg(strstr(table, "mode: then open-loop, now connect"), "%s", table);
	ck_assert_msg(strstr(table, "connections: then 3, now 4"), "%s", table);
	ck_assert_msg(strstr(table, "rate: then 500, now none"), "%s", table);
	ck_assert_msg(strstr(table, "arrivals: then even, now none"), "%s", table);
	ck_assert_ptr_null(strstr(table, "threads"));
	ck_assert_ptr_null(strstr(table, "stream"));
	json_decref(then);
	json_decref(now);
} END_TEST

int main(void)
{
	Suite *s = suite_create("bench_report");
	TCase *tc = unit_case(s, "report", before, unit_leave_folder);

	tcase_add_loop_test(tc, the_keys_are_those_of_the_manual, 0, ARRAY_SIZE(keys));
	tcase_add_test(tc, there_are_no_other_keys_and_the_values_are_those_of_the_run);
	tcase_add_test(tc, a_target_that_is_no_utf8_is_null);
	tcase_add_test(tc, latencies_are_microseconds);
	tcase_add_test(tc, the_histogram_holds_each_operation_once);
	tcase_add_test(tc, only_errors_that_happened_are_named);
	tcase_add_test(tc, an_error_of_tls_has_the_reason_of_the_first);
	tcase_add_loop_test(tc, without_tls_what_is_said_of_it_is_null, 0, ARRAY_SIZE(null_without_tls));
	tcase_add_test(tc, handshakes_are_reported);
	tcase_add_test(tc, handshakes_of_connections_that_stay_open_have_no_rate);
	tcase_add_test(tc, a_run_without_a_handshake_has_tls_all_the_same);
	tcase_add_test(tc, the_counts_of_threads_are_added);
	tcase_add_test(tc, handshakes_are_compared);
	tcase_add_test(tc, without_operations_there_are_no_latencies);
	tcase_add_loop_test(tc, what_is_no_report_is_refused, 0, ARRAY_SIZE(no_reports));
	tcase_add_test(tc, a_report_that_is_not_there_is_refused);
	tcase_add_loop_test(tc, the_text_fits_the_terminal, 0, 2 * ARRAY_SIZE(text_widths));
	tcase_add_loop_test(tc, progress_fits_the_terminal, 0, ARRAY_SIZE(progress_widths));
	tcase_add_test(tc, quiet_draws_nothing);
	tcase_add_test(tc, a_comparison_has_then_now_and_their_ratio);
	tcase_add_test(tc, a_comparison_says_what_was_not_alike);
	return unit_run(s);
}

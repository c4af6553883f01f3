/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of metrics, byte by byte, in both formats.
 */
#include <config.h>
#include "exposition.h"

#include <math.h>

#include "unit.h"

static const struct exposition_family
	gauge     = { "t_open", EXPOSITION_GAUGE, NULL, "What is open." },
	counter   = { "t_sent_bytes", EXPOSITION_COUNTER, "bytes", "What was sent." },
	info      = { "t_build", EXPOSITION_INFO, NULL, "Which version it is." },
	odd_help  = { "t_odd", EXPOSITION_GAUGE, NULL, "One \\ and \"two\"\nin two lines." },
	histogram = { "t_wait_seconds", EXPOSITION_HISTOGRAM, "seconds", "How long it took." };

static struct exposition e;

static void expect(const char *text)
{
	char *got = exposition_close(&e);

	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, text);
	free(got);
}

static void put_one_of_each(void)
{
	exposition_begin(&e, &gauge);
	exposition_sample(&e, EXPOSITION_NO_LABELS, 3);
	exposition_begin(&e, &counter);
	exposition_sample(&e, EXPOSITION_LABELS({ "service", "a" }), 10);
	exposition_sample(&e, EXPOSITION_LABELS({ "service", "b" }, { "worker", "0" }), 11);
	exposition_begin(&e, &info);
	exposition_sample(&e, EXPOSITION_LABELS({ "version", "1.0" }), 1);
}

START_TEST(prometheus_names_families_as_their_samples)
{
	exposition_open(&e, EXPOSITION_PROMETHEUS);
	put_one_of_each();
	expect("# HELP t_open What is open.\n"
	       "# TYPE t_open gauge\n"
	       "t_open 3\n"
	       "# HELP t_sent_bytes_total What was sent.\n"
	       "# TYPE t_sent_bytes_total counter\n"
	       "t_sent_bytes_total{service=\"a\"} 10\n"
	       "t_sent_bytes_total{service=\"b\",worker=\"0\"} 11\n"
	       "# HELP t_build_info Which version it is.\n"
	       "# TYPE t_build_info gauge\n"
	       "t_build_info{version=\"1.0\"} 1\n");
} END_TEST

START_TEST(openmetrics_has_suffixes_only_at_samples_and_units_and_an_end)
{
	exposition_open(&e, EXPOSITION_OPENMETRICS);
	put_one_of_each();
	expect("# HELP t_open What is open.\n"
	       "# TYPE t_open gauge\n"
	       "t_open 3\n"
	       "# HELP t_sent_bytes What was sent.\n"
	       "# TYPE t_sent_bytes counter\n"
	       "# UNIT t_sent_bytes bytes\n"
	       "t_sent_bytes_total{service=\"a\"} 10\n"
	       "t_sent_bytes_total{service=\"b\",worker=\"0\"} 11\n"
	       "# HELP t_build Which version it is.\n"
	       "# TYPE t_build info\n"
	       "t_build_info{version=\"1.0\"} 1\n"
	       "# EOF\n");
} END_TEST

START_TEST(what_would_end_a_text_is_escaped)
{
	exposition_open(&e, _i ? EXPOSITION_OPENMETRICS : EXPOSITION_PROMETHEUS);
	exposition_begin(&e, &odd_help);
	exposition_sample(&e, EXPOSITION_LABELS({ "x", "a\\b\"c\nd\xc3\xa4{},=#" }, { "y", "" }), 1);
	expect(_i ? "# HELP t_odd One \\\\ and \\\"two\\\"\\nin two lines.\n"
	            "# TYPE t_odd gauge\n"
	            "t_odd{x=\"a\\\\b\\\"c\\nd\xc3\xa4{},=#\",y=\"\"} 1\n"
	            "# EOF\n"
	          : "# HELP t_odd One \\\\ and \"two\"\\nin two lines.\n"
	            "# TYPE t_odd gauge\n"
	            "t_odd{x=\"a\\\\b\\\"c\\nd\xc3\xa4{},=#\",y=\"\"} 1\n");
} END_TEST

static const struct { double value; const char *text; } numbers[] = {
	{ 0, "0" },
	{ -3, "-3" },
	{ 1732290601.125, "1732290601.125" },
	{ 0.001, "0.001" },
	{ 9007199254740992.0, "9007199254740992" },     /* 2^53: the largest count of a worker */
	{ 1e20, "1e+20" },
	{ NAN, "NaN" },
	{ INFINITY, "+Inf" },
	{ -INFINITY, "-Inf" },
};

START_TEST(numbers_keep_all_their_digits)
{
	char line[256];

	snprintf(line, sizeof line, "# HELP t_open What is open.\n# TYPE t_open gauge\nt_open %s\n",
	         numbers[_i].text);
	exposition_open(&e, EXPOSITION_PROMETHEUS);
	exposition_begin(&e, &gauge);
	exposition_sample(&e, EXPOSITION_NO_LABELS, numbers[_i].value);
	expect(line);
} END_TEST

#define HELP_AND_TYPE \
	"# HELP t_wait_seconds How long it took.\n" \
	"# TYPE t_wait_seconds histogram\n"
#define BUCKETS \
	"t_wait_seconds_bucket{service=\"a\",le=\"0.001\"} 1\n" \
	"t_wait_seconds_bucket{service=\"a\",le=\"0.25\"} 1\n" \
	"t_wait_seconds_bucket{service=\"a\",le=\"4.0\"} 3\n" \
	"t_wait_seconds_bucket{service=\"a\",le=\"4096.0\"} 6\n" \
	"t_wait_seconds_bucket{service=\"a\",le=\"+Inf\"} 10\n" \
	"t_wait_seconds_sum{service=\"a\"} 12.5\n" \
	"t_wait_seconds_count{service=\"a\"} 10\n" \
	"t_wait_seconds_bucket{le=\"+Inf\"} 4\n" \
	"t_wait_seconds_sum 1\n" \
	"t_wait_seconds_count 4\n"

START_TEST(buckets_of_a_histogram_are_added_up)
{
	static const double bounds[] = { 0.001, 0.25, 4, 4096 };
	static const uint64_t counts[] = { 1, 0, 2, 3, 4 };
	const struct exposition_histogram h = { bounds, ARRAY_SIZE(bounds), counts, 12.5 };

	exposition_open(&e, _i ? EXPOSITION_OPENMETRICS : EXPOSITION_PROMETHEUS);
	exposition_begin(&e, &histogram);
	exposition_histogram(&e, EXPOSITION_LABELS({ "service", "a" }), &h);
	exposition_histogram(&e, EXPOSITION_NO_LABELS,
	                     &(struct exposition_histogram){ bounds, 0, &counts[4], 1 });
	expect(_i ? HELP_AND_TYPE "# UNIT t_wait_seconds seconds\n" BUCKETS "# EOF\n"
	          : HELP_AND_TYPE BUCKETS);
} END_TEST

START_TEST(one_of_several_states_is_1)
{
	static const char *const states[] = { "up", "down" };

	exposition_open(&e, EXPOSITION_PROMETHEUS);
	exposition_begin(&e, &gauge);
	exposition_one_hot(&e, EXPOSITION_LABELS({ "service", "a" }), "state", states, 2, "down");
	exposition_one_hot(&e, EXPOSITION_NO_LABELS, "state", states, 2, "sideways");
	expect("# HELP t_open What is open.\n"
	       "# TYPE t_open gauge\n"
	       "t_open{service=\"a\",state=\"up\"} 0\n"
	       "t_open{service=\"a\",state=\"down\"} 1\n"
	       "t_open{state=\"up\"} 0\n"
	       "t_open{state=\"down\"} 0\n");
} END_TEST

START_TEST(a_family_without_samples_is_left_out)
{
	exposition_open(&e, EXPOSITION_PROMETHEUS);
	exposition_begin(&e, &counter);
	exposition_begin(&e, &gauge);
	expect("");
	exposition_open(&e, EXPOSITION_OPENMETRICS);
	expect("# EOF\n");
} END_TEST

START_TEST(without_memory_there_is_no_text)
{
	exposition_open(&e, EXPOSITION_PROMETHEUS);
	free(exposition_close(&e));
	e.out = NULL;                   /* as open_memstream leaves it */
	put_one_of_each();
	exposition_one_hot(&e, EXPOSITION_NO_LABELS, "state", NULL, 0, "");
	exposition_histogram(&e, EXPOSITION_NO_LABELS, &(struct exposition_histogram){ .n_bounds = 0 });
	ck_assert_ptr_null(exposition_close(&e));
} END_TEST

int main(void)
{
	Suite *s = suite_create("exposition");
	TCase *tc = unit_case(s, "exposition", NULL, NULL);

	tcase_add_test(tc, prometheus_names_families_as_their_samples);
	tcase_add_test(tc, openmetrics_has_suffixes_only_at_samples_and_units_and_an_end);
	tcase_add_loop_test(tc, what_would_end_a_text_is_escaped, 0, 2);
	tcase_add_loop_test(tc, numbers_keep_all_their_digits, 0, ARRAY_SIZE(numbers));
	tcase_add_loop_test(tc, buckets_of_a_histogram_are_added_up, 0, 2);
	tcase_add_test(tc, one_of_several_states_is_1);
	tcase_add_test(tc, a_family_without_samples_is_left_out);
	tcase_add_test(tc, without_memory_there_is_no_text);
	return unit_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Totals, and how fast they grow.
 */
#include <config.h>
#include "overview.h"

#include "unit.h"

static struct overview o;
static json_t *status;

static void after(void)
{
	json_decref(status);
}

static void take(int64_t now_ms, int pid, int accepted, int bytes)
{
	json_decref(status);
	status = json_pack("{s:i, s:{s:i, s:i, s:i}, s:[{s:{s:i}}, {s:{s:i}}, {}]}", "pid", pid,
	                   "totals", "accepted", accepted, "bytes_in", bytes, "open", 3,
	                   "services", "slots", "max", 4, "slots", "max", 8);
	ck_assert_ptr_nonnull(status);
	overview_take(&o, status, now_ms * 1000);
}

static const char *line(size_t i)
{
	static char buf[512];
	struct text t = text_in(buf, sizeof buf);

	overview_line(&o, status, i, &t);
	return buf;
}

START_TEST(there_is_no_rate_at_first)
{
	take(1000, 7, 10, 2048);
	ck_assert_str_eq(line(1), "workers -, open 3 of 12 (25%), in 2.0k, out -");
	ck_assert_str_eq(line(2), "accepted 10, served -, requests -");
} END_TEST

START_TEST(a_rate_is_a_difference_in_a_second)
{
	take(1000, 7, 10, 2048);
	take(3000, 7, 15, 2048 + 8192);
	ck_assert_str_eq(line(1), "workers -, open 3 of 12 (25%), in 10k (4.0k/s), out -");
	ck_assert_str_eq(line(2), "accepted 15 (2.5/s), served -, requests -");
	take(4000, 7, 15, 2048 + 8192);
	ck_assert_str_eq(line(2), "accepted 15 (0/s), served -, requests -");
} END_TEST

static const struct { const char *name; int64_t now_ms; int pid, accepted; } breaks[] = {
	{ "another server",       2000, 8, 20 },
	{ "counted again",        2000, 7, 5 },
	{ "no time in between",   1000, 7, 20 },
};

START_TEST(there_is_no_rate_between_what_does_not_compare)
{
	take(1000, 7, 10, 0);
	take(breaks[_i].now_ms, breaks[_i].pid, breaks[_i].accepted, 0);
	ck_assert_msg(!strstr(line(2), "/s"), "%s: %s", breaks[_i].name, line(2));
	take(breaks[_i].now_ms + 1000, breaks[_i].pid, breaks[_i].accepted + 1, 0);
	ck_assert_msg(strstr(line(2), "(1.0/s)"), "%s: %s", breaks[_i].name, line(2));
} END_TEST

static const struct { const char *name, *totals, *rest; } troubles[] = {
	{ "none",     "{\"lost\":0,\"refused\":{\"access\":0,\"rate\":0},\"untracked\":0}", "" },
	{ "lost",     "{\"lost\":3}", ", lost 3" },
	{ "refused",  "{\"refused\":{\"access\":7,\"rate\":0,\"source\":5}}", ", refused 12" },
	{ "untracked", "{\"untracked\":2}", ", untracked 2" },
	{ "all",      "{\"lost\":1,\"refused\":{\"memory\":2},\"untracked\":3}",
	  ", lost 1, refused 2, untracked 3" },
	{ "nonsense", "{\"lost\":[],\"refused\":[1],\"untracked\":\"1\"}", "" },
	{ "nonsense among reasons", "{\"refused\":{\"a\":\"9\",\"b\":{},\"c\":1}}", ", refused 1" },
};

START_TEST(what_should_be_zero_is_shown_if_it_is_not)
{
	char expected[128];

	status = json_pack("{s:o}", "totals", json_loads(troubles[_i].totals, 0, NULL));
	ck_assert_ptr_nonnull(status);
	overview_take(&o, status, 1000000);
	snprintf(expected, sizeof expected, "accepted -, served -, requests -%s", troubles[_i].rest);
	ck_assert_msg(strcmp(line(2), expected) == 0, "%s: %s", troubles[_i].name, line(2));
} END_TEST

START_TEST(an_empty_status_has_no_values)
{
	status = json_object();
	overview_take(&o, status, 1000000);
	ck_assert_str_eq(line(0), "drover -, -, up -, generation -, pid -");
	ck_assert_str_eq(line(1), "workers -, open - of 0 (-), in -, out -");
} END_TEST

int main(void)
{
	Suite *s = suite_create("overview");
	TCase *tc = unit_case(s, "overview", NULL, after);

	tcase_add_test(tc, there_is_no_rate_at_first);
	tcase_add_test(tc, a_rate_is_a_difference_in_a_second);
	tcase_add_loop_test(tc, there_is_no_rate_between_what_does_not_compare, 0, ARRAY_SIZE(breaks));
	tcase_add_loop_test(tc, what_should_be_zero_is_shown_if_it_is_not, 0, ARRAY_SIZE(troubles));
	tcase_add_test(tc, an_empty_status_has_no_values);
	return unit_run(s);
}

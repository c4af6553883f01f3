/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of droverctl: what is asked for. What is wrong with a wrong
 * one is told in tests/e2e/droverctl.c.
 */
#include <config.h>
#include "arguments.h"

#include "unit.h"

static struct arguments a;

static void read_words(const char *const *words)
{
	const char *argv[12] = { "droverctl" };
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = words[argc - 1];
	/* getopt(3) permutes at most, and not even that with "+". */
	arguments_read(&a, argc, (char **)argv);
}

#define READ(...) read_words((const char *const[]){ __VA_ARGS__, NULL })

static void after(void)
{
	arguments_free(&a);
}

static const char *request(void)
{
	static char text[512];
	size_t n = json_dumpb(a.request, text, sizeof text - 1, JSON_COMPACT);

	text[n < sizeof text ? n : 0] = '\0';
	return text;
}

START_TEST(there_are_defaults)
{
	READ("top");
	ck_assert_int_eq(a.action, ARGUMENTS_RUN);
	ck_assert_str_eq(a.socket, RUNSTATEDIR "/drover/control.sock");
	ck_assert(!a.json);
	ck_assert_int_eq(a.delay_ms, 2000);
	ck_assert_int_eq(a.count, ARGUMENTS_COUNT_DEFAULT);
} END_TEST

/* Options before and behind the command, values in both forms, words that look like options. */
static const struct { const char *words[9], *socket, *request; bool json; } rows[] = {
	{ { "-s", "/s", "--json", "status" }, "/s", "{\"command\":\"status\"}", true },
	{ { "status", "--json", "-s/s" }, "/s", "{\"command\":\"status\"}", true },
	{ { "--socket=/s", "scale", "a", "-1", "--json" }, "/s",
	  "{\"command\":\"scale\",\"service\":\"a\",\"to\":\"-1\"}", true },
	{ { "-s", "-7", "scale", "-3", "+0" }, "-7",
	  "{\"command\":\"scale\",\"service\":\"-3\",\"to\":\"+0\"}", false },
	{ { "--now", "-s", "/s", "stop" }, "/s", "{\"command\":\"stop\",\"now\":true}", false },
	{ { "-s", "/s", "--", "drain", "-x" }, "/s", "{\"command\":\"drain\",\"service\":\"-x\"}", false },
	{ { "-s", "/s", "drain", "--", "--" }, "/s", "{\"command\":\"drain\",\"service\":\"--\"}", false },
	{ { "-s", "/s", "check" }, "/s", "{\"command\":\"check\"}", false },
	{ { "-s", "/s", "check", "--weight", "a" }, "/s", "{\"command\":\"status\"}", false },
	{ { "-s", "/s", "--weight", "check", "a" }, "/s", "{\"command\":\"status\"}", false },
	{ { "-s", "/s", "check", "--json", "--weight" }, "/s", "{\"command\":\"status\"}", true },
	{ { "-s", "/s", "check", "--ready" }, "/s", "{\"command\":\"status\"}", false },
	{ { "-s", "/s", "--ready", "check", "a" }, "/s", "{\"command\":\"status\"}", false },
	{ { "-s", "/s", "drain", "\"\n" }, "/s", "{\"command\":\"drain\",\"service\":\"\\\"\\n\"}", false },
};

START_TEST(the_request_is_what_was_typed)
{
	read_words(rows[_i].words);
	ck_assert_msg(a.action == ARGUMENTS_RUN, "%s", a.error);
	ck_assert_str_eq(request(), rows[_i].request);
	ck_assert_str_eq(a.socket, rows[_i].socket);
	ck_assert_int_eq(a.json, rows[_i].json);
} END_TEST

static const struct { const char *text; int64_t ms; } delays[] = {
	{ "1", 1000 }, { "0.5", 500 }, { ".1", 100 }, { "250ms", 250 }, { "1m", 60000 }, { "1d", 86400000 },
	{ "0", -1 }, { "0.09", -1 }, { "2d", -1 }, { "", -1 }, { "-1", -1 }, { "1e3", -1 }, { "nan", -1 },
	{ "1.2.3", -1 }, { "inf", -1 }, { ".", -1 },
};

START_TEST(a_delay_is_a_duration)
{
	READ("top", "-n", "7", "-d", delays[_i].text);
	if (delays[_i].ms == -1) {
		ck_assert_msg(a.action == ARGUMENTS_BAD, "%s", delays[_i].text);
		unit_contains(a.error, "--delay takes seconds");
		return;
	}
	ck_assert_msg(a.action == ARGUMENTS_RUN, "%s", a.error);
	ck_assert_int_eq(a.delay_ms, delays[_i].ms);
	ck_assert_int_eq(a.count, 7);
} END_TEST

static const char *const bad_counts[] = { "0", "-1", "", "1x", "99999999999999999999", "+1" };

START_TEST(a_count_is_a_number_from_1)
{
	READ("top", "-n", bad_counts[_i]);
	ck_assert_int_eq(a.action, ARGUMENTS_BAD);
} END_TEST

START_TEST(a_complaint_is_one_line_whatever_was_typed)
{
	READ("sta\ntus\033[2J");
	ck_assert_int_eq(a.action, ARGUMENTS_BAD);
	unit_contains(a.error, "sta\\x0atus\\x1b[2J");
	ck_assert_ptr_null(strpbrk(a.error, "\n\033"));
} END_TEST

START_TEST(every_command_can_be_asked_for)
{
	const struct command *c;

	for (size_t i = 0; (c = commands_at(i)); i++) {
		const char *words[4] = { c->name };

		for (size_t k = 0; k < c->n_required; k++)
			words[k + 1] = strcmp(c->keys[k], "prefix") == 0 ? "192.0.2.7" : "1";
		read_words(words);
		ck_assert_msg(a.action == ARGUMENTS_RUN, "%s", a.error);
		ck_assert_ptr_eq(a.command, c);
		ck_assert_str_eq(commands_suggest(c->name), c->name);
		arguments_free(&a);
	}
	READ("status");
} END_TEST

int main(void)
{
	Suite *s = suite_create("arguments");
	TCase *tc = unit_case(s, "arguments", NULL, after);

	tcase_add_test(tc, there_are_defaults);
	tcase_add_loop_test(tc, the_request_is_what_was_typed, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, a_delay_is_a_duration, 0, ARRAY_SIZE(delays));
	tcase_add_loop_test(tc, a_count_is_a_number_from_1, 0, ARRAY_SIZE(bad_counts));
	tcase_add_test(tc, a_complaint_is_one_line_whatever_was_typed);
	tcase_add_test(tc, every_command_can_be_asked_for);
	return unit_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests taken apart, answers put together.
 */
#include <config.h>
#include "control_request.h"

#include "unit.h"

static struct control_request r;
static char why[256];

static bool parse(const char *line)
{
	control_request_free(&r);
	return control_request_parse(&r, line, strlen(line), why, sizeof why);
}

START_TEST(a_request_is_a_command_and_its_keys)
{
	ck_assert(parse("{\"command\":\"status\"}"));
	ck_assert_str_eq(r.command, "status");
	ck_assert_uint_eq(r.given, 0);
	ck_assert(parse(" {\"to\": \"+1\", \"service\": \"s\", \"command\": \"scale\"} "));
	ck_assert_str_eq(r.service, "s");
	ck_assert_str_eq(r.to, "+1");
	ck_assert_ptr_null(r.connection);
	ck_assert_uint_eq(r.given, CONTROL_HAS(CONTROL_KEY_SERVICE) | CONTROL_HAS(CONTROL_KEY_TO));
	ck_assert(parse("{\"command\":\"stop\",\"now\":true}"));
	ck_assert(r.now);
	ck_assert(parse("{\"command\":\"stop\",\"now\":false}"));
	ck_assert(!r.now);
	control_request_free(&r);
	ck_assert_ptr_null(r.command);
} END_TEST

static const struct {
	const char *line, *want;
} wrong[] = {
	{ "", "not JSON" },
	{ "null", "not JSON" },
	{ "\"status\"", "not JSON" },
	{ "[\"status\"]", "a request is a JSON object" },
	{ "{}", "a request needs a command" },
	{ "{\"service\":\"s\"}", "a request needs a command" },
	{ "{\"command\":[\"status\"]}", "command must be a string" },
	{ "{\"command\":\"status\",\"service\":true}", "service must be a string" },
	{ "{\"command\":\"status\",\"connection\":1}", "connection must be a string" },
	{ "{\"command\":\"unblock\",\"prefix\":1}", "prefix must be a string" },
	{ "{\"command\":\"metrics\",\"format\":true}", "format must be a string" },
	{ "{\"command\":\"status\",\"now\":1}", "now must be true or false" },
	{ "{\"command\":\"status\",\"x\\ny\":1}", "\"x\ny\" is not a known key" },
	{ "{\"command\":\"status\",\"command\":\"stop\"}", "not JSON: duplicate object key" },
	{ "{\"command\":\"status\"}{", "not JSON" },
	{ "{\"command\":\"sta\ttus\"}", "not JSON" },
	{ "{\"command\":\"\\ud800\"}", "not JSON" },
	{ "{\"command\":\"a\\u0000b\"}", "not JSON" },
	{ "{\"command\":\"\xc3\x28\"}", "not JSON" },
};

START_TEST(what_is_wrong_is_said)
{
	ck_assert_msg(!parse(wrong[_i].line), "%s", wrong[_i].line);
	ck_assert_msg(strncmp(why, wrong[_i].want, strlen(wrong[_i].want)) == 0, "%s: %s",
	              wrong[_i].line, why);
	ck_assert_ptr_null(r.root);
} END_TEST

START_TEST(a_nul_does_not_end_a_line)
{
	static const char line[] = "{\"command\":\"status\"}\0x";

	ck_assert(!control_request_parse(&r, line, sizeof line - 1, why, sizeof why));
} END_TEST

static void check_answer(char *text, const char *want)
{
	ck_assert_str_eq(text, want);
	free(text);
}

START_TEST(an_answer_is_one_line)
{
	check_answer(control_answer_text(json_pack("{s:i}", "generation", 7)),
	             "{\"ok\":true,\"result\":{\"generation\":7}}\n");
	check_answer(control_error_text(CONTROL_REFUSED, "a:1: one\nb:2: two"),
	             "{\"ok\":false,\"error\":\"refused\",\"message\":\"a:1: one\\nb:2: two\"}\n");
	check_answer(control_error_text(CONTROL_INTERNAL, "\xff\xc3\xa4"),
	             "{\"ok\":false,\"error\":\"internal\",\"message\":\"\\\\xff\\\\xc3\\\\xa4\"}\n");
	ck_assert_ptr_null(control_answer_text(NULL));
} END_TEST

int main(void)
{
	Suite *s = suite_create("control_request");
	TCase *tc = unit_case(s, "control_request", NULL, NULL);

	tcase_add_test(tc, a_request_is_a_command_and_its_keys);
	tcase_add_loop_test(tc, what_is_wrong_is_said, 0, ARRAY_SIZE(wrong));
	tcase_add_test(tc, a_nul_does_not_end_a_line);
	tcase_add_test(tc, an_answer_is_one_line);
	return unit_run(s);
}

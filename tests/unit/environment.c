/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The environment of programs: from nothing, and the last one wins.
 */
#include <config.h>
#include "environment.h"

#include "unit.h"

#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define NOBODY   { .user = NULL }
#define IDENTITY { .user = "web", .home = "/srv/web", .shell = "/bin/false" }

#define STRINGS_MAX 10

static const struct {
	const char          *name;
	struct conf_identity identity;
	const char          *pass[4], *env[4];
	const char          *want[STRINGS_MAX];
} rows[] = {
	{ "nothing is inherited unasked", NOBODY, { NULL }, { NULL }, { PATH } },
	{ "a user has a home", IDENTITY, { NULL }, { NULL },
	  { PATH, "HOME=/srv/web", "SHELL=/bin/false", "USER=web", "LOGNAME=web" } },
	{ "what is asked for is passed on", NOBODY, { "UNIT_A", "UNIT_EMPTY" }, { NULL },
	  { PATH, "UNIT_A=of ours", "UNIT_EMPTY=" } },
	{ "what is not there is left out", NOBODY, { "UNIT_NONE", "UNIT_A" }, { NULL },
	  { PATH, "UNIT_A=of ours" } },
	{ "what is passed on wins over the identity", IDENTITY, { "USER" }, { NULL },
	  { PATH, "HOME=/srv/web", "SHELL=/bin/false", "USER=operator", "LOGNAME=web" } },
	{ "what is set wins over all", IDENTITY, { "UNIT_A" },
	  { "UNIT_A=set", "PATH=/bin", "HOME=" },
	  { "PATH=/bin", "HOME=", "SHELL=/bin/false", "USER=web", "LOGNAME=web", "UNIT_A=set" } },
	{ "the last one of a name wins", NOBODY, { NULL }, { "A=1", "A=2", "A=3=4" },
	  { PATH, "A=3=4" } },
	{ "a name is not the beginning of another", NOBODY, { NULL }, { "A=1", "AB=2", "B=3" },
	  { PATH, "A=1", "AB=2", "B=3" } },
	{ "names have their case", NOBODY, { NULL }, { "a=1", "A=2" }, { PATH, "a=1", "A=2" } },
};

START_TEST(what_programs_see)
{
	struct conf_service s = { .name = "web", .identity = rows[_i].identity };
	struct environment e;
	size_t n = 0;

	setenv("UNIT_A", "of ours", 1);
	setenv("UNIT_EMPTY", "", 1);
	setenv("USER", "operator", 1);
	unsetenv("UNIT_NONE");
	s.handler.pass_env = (const char **)(uintptr_t)rows[_i].pass;
	s.handler.env = (const char **)(uintptr_t)rows[_i].env;
	ck_assert_int_eq(environment_build(&e, &s), 0);
	for (; rows[_i].want[n]; n++) {
		ck_assert_msg(n < e.n, "%s: %s is missing", rows[_i].name, rows[_i].want[n]);
		ck_assert_msg(strcmp(e.strings[n], rows[_i].want[n]) == 0, "%s: %s instead of %s",
		              rows[_i].name, e.strings[n], rows[_i].want[n]);
	}
	ck_assert_msg(e.n == n, "%s: also %s", rows[_i].name, e.strings[n]);
	ck_assert_ptr_null(e.strings[n]);
	environment_free(&e);
	ck_assert_uint_eq(e.n, 0);
	environment_free(&e);
} END_TEST

START_TEST(what_is_passed_on_and_what_is_set_win_over_a_file)
{
	static const char *file[] = { "HOME=/file", "UNIT_A=file", "B=file", "C=file", NULL };
	static const char *pass[] = { "UNIT_A", NULL }, *env[] = { "B=set", NULL };
	static const char *const want[] = { PATH, "HOME=/file", "SHELL=/bin/false", "USER=web", "LOGNAME=web",
	                                    "UNIT_A=of ours", "B=set", "C=file" };
	struct conf_service s = { .name = "web", .identity = IDENTITY, .handler = {
		.pass_env = pass, .env = env, .env_of_files = file } };
	struct environment e;

	setenv("UNIT_A", "of ours", 1);
	ck_assert_int_eq(environment_build(&e, &s), 0);
	ck_assert_uint_eq(e.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < e.n; i++)
		ck_assert_str_eq(e.strings[i], want[i]);
	environment_free(&e);
} END_TEST

/* What is of one connection comes first, and nothing is copied. */
START_TEST(a_connection_adds_its_own)
{
	static char id[] = "DROVER_ID=1", proto[] = "PROTO=TCP";
	static char *const own[] = { id, proto };
	static const char *const none[] = { NULL };
	struct conf_service s = { .name = "web", .handler = {
		.pass_env = (const char **)(uintptr_t)none, .env = (const char **)(uintptr_t)none } };
	struct environment e;
	char **all;

	ck_assert_int_eq(environment_build(&e, &s), 0);
	all = environment_with(&e, own, 2);
	ck_assert_ptr_eq(all[0], id);
	ck_assert_ptr_eq(all[1], proto);
	ck_assert_ptr_eq(all[2], e.strings[0]);
	ck_assert_str_eq(all[2], PATH);
	ck_assert_ptr_null(all[3]);
	free(all);
	all = environment_with(&e, own, 0);
	ck_assert_str_eq(all[0], PATH);
	ck_assert_ptr_null(all[1]);
	free(all);
	environment_free(&e);
	all = environment_with(&e, own, 1);             /* of an empty one */
	ck_assert_ptr_eq(all[0], id);
	ck_assert_ptr_null(all[1]);
	free(all);
} END_TEST

int main(void)
{
	Suite *s = suite_create("environment");
	TCase *tc = unit_case(s, "environment", NULL, NULL);

	tcase_add_loop_test(tc, what_programs_see, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, what_is_passed_on_and_what_is_set_win_over_a_file);
	tcase_add_test(tc, a_connection_adds_its_own);
	return unit_run(s);
}

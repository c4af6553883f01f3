/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key `env_file`: what it reads, and what is wrong with it, in the configuration or in a file.
 */
#include <config.h>
#include "conf_env_file.h"

#include <sys/stat.h>

#include "conf_harness.h"

/* A service whose handler has that key, with FILE as a file of the test. */
static const char *with_key(const char *value)
{
	static char text[4096];

	snprintf(text, sizeof text, "services = { s = { listen = \"127.0.0.1:0\"; handler = { type = \"exec\";"
	         " argv = \"/bin/sh\";\n env_file = %s; }; }; };\n", value);
	return text;
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", unit_folder, name);
	return path;
}

/* The key with one path, after `before`. */
static const char *with_file(const char *before, const char *name)
{
	char value[256];

	snprintf(value, sizeof value, "\"%s%s\"", before, path_of(name));
	return with_key(value);
}

static const struct conf_handler *handler_of(const struct conf *conf)
{
	ck_assert_msg(conf != NULL, "%s", complaints);
	return &conf->services[0]->handler;
}

START_TEST(the_variables_of_a_file_are_taken)
{
	const struct conf_handler *h;

	unit_write_file("env", "\xef\xbb\xbf# x\nA=1\nB=\"two words\"\n");
	h = handler_of(load(with_file("", "env")));
	ck_assert_str_eq(h->env_of_files[0], "A=1");
	ck_assert_str_eq(h->env_of_files[1], "B=two words");
	ck_assert_ptr_null(h->env_of_files[2]);
	ck_assert_uint_eq(h->n_env_files, 1);
	ck_assert_str_eq(h->env_files[0].path, path_of("env"));
	ck_assert_uint_eq(h->env_files[0].n, 2);
} END_TEST

START_TEST(the_files_come_in_their_order)
{
	const struct conf_handler *h;
	char value[512], line[32];
	FILE *f = fopen("many", "we");

	for (int i = 0; i < 40; i++)
		fprintf(f, "V%d=%d\n", i, i);
	ck_assert_int_eq(fclose(f), 0);
	unit_write_file("last", "A=2\n");
	snprintf(value, sizeof value, "[ \"%s/many\", \"-%s/none\", \"-%s/last\" ]", unit_folder, unit_folder,
	         unit_folder);
	h = handler_of(load(with_key(value)));
	for (int i = 0; i < 40; i++) {
		snprintf(line, sizeof line, "V%d=%d", i, i);
		ck_assert_str_eq(h->env_of_files[i], line);
	}
	ck_assert_str_eq(h->env_of_files[40], "A=2");
	ck_assert_ptr_null(h->env_of_files[41]);
	ck_assert_uint_eq(h->n_env_files, 2);
	ck_assert_uint_eq(h->env_files[0].n, 40);
	ck_assert_uint_eq(h->env_files[1].n, 1);
} END_TEST

START_TEST(the_dump_has_the_key_and_not_the_values)
{
	char *text;

	unit_write_file("env", "SECRET=hush\n");
	text = dump(load(with_file("-", "env")));
	unit_contains(text, "env_file = [ \"-/tmp/drover-unit.");
	ck_assert_ptr_null(strstr(text, "hush"));
	ck_assert_msg(load(text) != NULL, "%s", complaints);
	free(text);
} END_TEST

START_TEST(errors_in_a_file_have_its_name_and_line)
{
	char want[1024];

	unit_write_file("env", "A=1\nfoo\nPROTO=TCP\nB='\n");
	ck_assert_ptr_null(load(with_file("", "env")));
	snprintf(want, sizeof want,
	         "%1$s/env:2: \"foo\" is not a variable (NAME=VALUE; a comment begins with #)\n"
	         "%1$s/env:3: sets PROTO, which drover itself says about each connection\n"
	         "%1$s/env:4: the quote that begins here has no end\n", unit_folder);
	ck_assert_str_eq(complaints, want);
} END_TEST

static const struct {
	const char *value, *want;
} rows[] = {
	{ "\"etc/env\"", "t.conf:2: services.s.handler.env_file holds \"etc/env\" (absolute paths;" },
	{ "\"-env\"", "t.conf:2: services.s.handler.env_file holds \"-env\" (absolute paths;" },
	{ "\"\"", "t.conf:2: services.s.handler.env_file holds \"\" (absolute paths;" },
	{ "\"/nonexistent/env\"", "t.conf:2: cannot open /nonexistent/env: No such file or directory\n" },
	{ "\"/\"", "t.conf:2: / is not a regular file\n" },
	{ "\"-/\"", "t.conf:2: / is not a regular file\n" },
	{ "5", "t.conf:2: services.s.handler.env_file must be a list of strings" },
};

START_TEST(what_cannot_be_read_is_an_error)
{
	ck_assert_ptr_null(load(with_key(rows[_i].value)));
	unit_contains(complaints, rows[_i].want);
} END_TEST

START_TEST(a_handler_without_a_program_has_no_such_key)
{
	ck_assert_ptr_null(load("services = { s = { listen = \"127.0.0.1:0\"; handler = { type = \"echo\";\n"
	                        " env_file = \"/etc/env\"; }; }; };\n"));
	unit_contains(complaints, "t.conf:2: services.s.handler.env_file means nothing for a handler of type echo");
} END_TEST

START_TEST(a_file_of_defaults_is_not_read_for_what_is_no_program)
{
	ck_assert_ptr_nonnull(load("defaults = { handler = { env_file = \"/nonexistent\"; }; };\n"
	                           "services = { s = { listen = \"127.0.0.1:0\"; handler = { type = \"echo\"; }; }; };\n"));
} END_TEST

/* Not for root, which reads everything. */
START_TEST(what_an_ordinary_user_may_not_read_is_a_warning)
{
	const struct conf *conf;

	unit_write_file("env", "A=1\n");
	ck_assert_int_eq(chmod("env", 0), 0);
	complaints[0] = '\0';
	arena_close(&arena);
	ck_assert_int_eq(arena_open(&arena, CONF_ARENA_SIZE), 0);
	conf = conf_load(&arena, "t.conf", with_file("", "env"), keep_complaint, NULL);
	ck_assert_ptr_nonnull(conf);
	unit_contains(complaints, "t.conf:2: warning: services.s.handler.env_file names ");
	unit_contains(complaints, "which could not be read (Permission denied)\n");
	ck_assert_int_ne(conf_check_privileges(conf, keep_complaint, NULL), 0);
	unit_contains(complaints, "service s: env_file: ");
} END_TEST

int main(void)
{
	Suite *s = suite_create("conf_env_file");
	TCase *tc = unit_case(s, "conf_env_file", unit_enter_folder, unit_leave_folder);

	tcase_add_test(tc, the_variables_of_a_file_are_taken);
	tcase_add_test(tc, the_files_come_in_their_order);
	tcase_add_test(tc, the_dump_has_the_key_and_not_the_values);
	tcase_add_test(tc, errors_in_a_file_have_its_name_and_line);
	tcase_add_loop_test(tc, what_cannot_be_read_is_an_error, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, a_handler_without_a_program_has_no_such_key);
	tcase_add_test(tc, a_file_of_defaults_is_not_read_for_what_is_no_program);
	unit_add_if(geteuid() != 0, "root reads every file", tc,
	            what_an_ordinary_user_may_not_read_is_a_warning);
	return unit_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Titles of this process, as the kernel shows them.
 */
#include <config.h>
#include "title.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "unit.h"

static char **arguments;                /* of main() */
static char text[1 << 17];
static size_t len;

static void read_own(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	ck_assert_int_ne(fd, -1);
	for (len = 0; (n = read(fd, text + len, sizeof text - len - 1)) > 0; len += (size_t)n)
		;
	text[len] = '\0';
	close(fd);
}

START_TEST(a_title_is_shown_in_place_of_arguments)
{
	ck_assert_int_eq(title_init(arguments), 0);
	title_set("droverd: worker %s", "a");
	read_own("/proc/self/cmdline");
	ck_assert_str_eq(text, "droverd: worker a");
	title_set("droverd: worker %s", "a name that is longer than the one before and than any arguments");
	read_own("/proc/self/cmdline");
	ck_assert_str_eq(text, "droverd: worker a name that is longer than the one before and than any arguments");
	title_set("short");
	read_own("/proc/self/cmdline");
	ck_assert_str_eq(text, "short");
} END_TEST

START_TEST(a_title_that_has_no_room_is_cut)
{
	static char big[sizeof text];

	memset(big, 'x', sizeof big - 1);
	ck_assert_int_eq(title_init(arguments), 0);
	title_set("%s", big);
	read_own("/proc/self/cmdline");
	ck_assert_uint_ge(strlen(text), 40);
	ck_assert_uint_eq(strspn(text, "x"), strlen(text));
} END_TEST

START_TEST(the_environment_moves_and_is_not_shown)
{
	char *path = strdup(getenv("PATH"));

	ck_assert_int_eq(title_init(arguments), 0);
	title_set("t");
	ck_assert_str_eq(getenv("PATH"), path);
	ck_assert_int_eq(setenv("PATH", "/x", 1), 0);
	ck_assert_int_eq(setenv("TEST_MORE", "1", 1), 0);
	ck_assert_str_eq(getenv("PATH"), "/x");
	read_own("/proc/self/environ");
	ck_assert_ptr_null(memmem(text, len, path, strlen(path)));
	free(path);
} END_TEST

START_TEST(a_short_name_has_15_bytes)
{
	title_set_name("drover:%s", "abcdefghijk");
	read_own("/proc/self/comm");
	ck_assert_str_eq(text, "drover:abcdefgh\n");
} END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("title");
	TCase *tc = unit_case(s, "title", NULL, NULL);

	(void)argc;
	arguments = argv;
	tcase_add_test(tc, a_title_is_shown_in_place_of_arguments);
	tcase_add_test(tc, a_title_that_has_no_room_is_cut);
	tcase_add_test(tc, the_environment_moves_and_is_not_shown);
	tcase_add_test(tc, a_short_name_has_15_bytes);
	return unit_run(s);
}

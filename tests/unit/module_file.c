/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which descriptors of modules are taken, and which files are opened and loaded.
 */
#include <config.h>
#include "module_file.h"

#include <sys/stat.h>

#include "unit.h"

#define SIZE_1_0 sizeof(struct drover_module)

static int an_open(struct drover_connection *c)
{
	(void)c;
	return 0;
}

static const struct {
	const char *name;
	struct drover_module it;
	const char *why;                /* a part; NULL: it is taken */
} rows[] = {
	{ "as it should be", { DROVER_MODULE("a", "1"), .open = an_open }, NULL },
	{ "another magic", { 0x21222324, 1, 0, SIZE_1_0, "a", "1", .flags = 0 }, "begins with 0x21222324" },
	{ "a newer minor version", { DROVER_MODULE_MAGIC, 1, 1, SIZE_1_0, "a", "1", .flags = 0 }, "needs a newer drover" },
	{ "a newer major version", { DROVER_MODULE_MAGIC, 2, 0, SIZE_1_0, "a", "1", .flags = 0 }, "2.0 of the interface" },
	{ "no major version", { DROVER_MODULE_MAGIC, 0, 9, SIZE_1_0, "a", "1", .flags = 0 }, "build it again" },
	{ "a smaller size", { DROVER_MODULE_MAGIC, 1, 0, SIZE_1_0 - 1, "a", "1", .flags = 0 }, "its descriptor has" },
	{ "no size", { DROVER_MODULE_MAGIC, 1, 0, 0, "a", "1", .flags = 0 }, "its descriptor has 0 bytes" },
	{ "no name", { DROVER_MODULE(NULL, "1"), .flags = 0 }, "its name is missing" },
	{ "an empty name", { DROVER_MODULE("", "1"), .flags = 0 }, "its name is missing" },
	{ "a long name", { DROVER_MODULE("12345678901234567890123456789012", "1"), .flags = 0 }, "its name" },
	{ "the longest name", { DROVER_MODULE("1234567890123456789012345678901", "1"), .flags = 0 }, NULL },
	{ "a name with a space", { DROVER_MODULE("a b", "1"), .flags = 0 }, "its name" },
	{ "a name that is not printable", { DROVER_MODULE("a\n", "1"), .flags = 0 }, "not printable" },
	{ "a name that is not ASCII", { DROVER_MODULE("\303\244", "1"), .flags = 0 }, "not printable" },
	{ "no version", { DROVER_MODULE("a", NULL), .flags = 0 }, "its version is missing" },
	{ "a long version", { DROVER_MODULE("a", "12345678901234567890123456789012"), .flags = 0 }, "its version" },
	{ "both flags", { DROVER_MODULE("a", "1"), .flags = DROVER_BLOCKING | DROVER_PRODUCER }, NULL },
	{ "an unknown flag", { DROVER_MODULE("a", "1"), .flags = 6 }, "the flag 0x4" },
};

START_TEST(a_descriptor_is_taken_or_it_is_said_why_not)
{
	char why[MODULE_WHY_MAX] = "";
	struct drover_module m;
	const int result = module_file_take(&rows[_i].it, &m, why);

	ck_assert_msg(result == (rows[_i].why ? -1 : 0), "%s: %s", rows[_i].name, why);
	if (rows[_i].why)
		unit_contains(why, rows[_i].why);
	else
		ck_assert_mem_eq(&m, &rows[_i].it, sizeof m);
} END_TEST

/* A module of a later drover that asks for no more than version 1.0. */
START_TEST(of_a_longer_descriptor_the_part_that_is_known_is_taken)
{
	const struct {
		struct drover_module it;
		void (*more)(void);
	} longer = { .it = { DROVER_MODULE_MAGIC, 1, 0, sizeof longer, "a", "1", .open = an_open } };
	struct drover_module m;
	char why[MODULE_WHY_MAX];

	ck_assert_int_eq(module_file_take(&longer.it, &m, why), 0);
	ck_assert_ptr_eq(m.open, an_open);
	ck_assert_ptr_null(m.close);
} END_TEST

/* ---- files ---------------------------------------------------------------- */

static struct module_identity id;
static char why[MODULE_WHY_MAX];

static void set_up(void)
{
	FILE *out;

	unit_enter_folder();
	out = fopen("text", "we");
	ck_assert_ptr_nonnull(out);
	fputs("this is no shared object\n", out);
	fclose(out);
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(mkfifo("fifo", 0700), 0);
	ck_assert_int_eq(symlink("text", "link"), 0);
}

static const struct { const char *path, *why; } no_files[] = {
	{ "none", "No such file or directory" },
	{ "folder", "it is no regular file" },
	{ "fifo", "it is no regular file" },
	{ "/dev/null", "it is no regular file" },
};

START_TEST(what_is_no_file_is_not_opened)
{
	ck_assert_int_eq(module_file_open(no_files[_i].path, &id, why), -1);
	ck_assert_str_eq(why, no_files[_i].why);
} END_TEST

START_TEST(a_file_is_known_by_what_it_is_and_not_by_its_path)
{
	struct module_identity again;
	int fd = module_file_open("text", &id, why);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
	close(module_file_open("link", &again, why));
	ck_assert(module_identity_is_same(&id, &again));
	ck_assert_int_eq(system("cp -p text other && mv other text"), 0);
	close(module_file_open("text", &again, why));
	ck_assert(!module_identity_is_same(&id, &again));
} END_TEST

START_TEST(what_is_no_shared_object_is_not_loaded)
{
	struct drover_module m;
	int fd = module_file_open("text", &id, why);

	ck_assert_int_eq(module_file_load(fd, &m, why), -1);
	ck_assert_msg(strcmp(why, "invalid ELF header") == 0 || strcmp(why, "file too short") == 0, "%s", why);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("module_file");
	TCase *tc = unit_case(s, "descriptors", NULL, NULL);

	tcase_add_loop_test(tc, a_descriptor_is_taken_or_it_is_said_why_not, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, of_a_longer_descriptor_the_part_that_is_known_is_taken);
	tc = unit_case(s, "files", set_up, unit_leave_folder);
	tcase_add_loop_test(tc, what_is_no_file_is_not_opened, 0, ARRAY_SIZE(no_files));
	tcase_add_test(tc, a_file_is_known_by_what_it_is_and_not_by_its_path);
	tcase_add_test(tc, what_is_no_shared_object_is_not_loaded);
	return unit_run(s);
}

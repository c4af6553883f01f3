/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folder of crash reports: what is written there, what has to go, and what
 * is left alone.
 */
#include <config.h>
#include "crash_files.h"

#include <sys/stat.h>

#include "unit.h"

#define STATE "state"

static json_t *report;

static void set_up(void)
{
	unit_enter_folder();
	ck_assert_int_eq(mkdir(STATE, 0755), 0);
	report = json_pack("{s:s}", "service", "echo");
}

static void tear_down(void)
{
	json_decref(report);
	unit_leave_folder();
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* A file with that name, written that number of days ago. */
static void leave_file(const char *name, int days)
{
	const time_t then = time(NULL) - (time_t)days * 24 * 60 * 60;
	const struct timespec times[2] = { { .tv_sec = then }, { .tv_sec = then } };
	char path[256];

	if (mkdir(STATE "/crashes", 0700) == -1)
		ck_assert_int_eq(errno, EEXIST);
	snprintf(path, sizeof path, STATE "/crashes/%s", name);
	unit_write_file(path, "{}");
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(names_tell_time_service_and_pid)
{
	const struct timespec when = { .tv_sec = 1795365001, .tv_nsec = 123999999 };
	char name[CRASH_NAME_MAX];

	ck_assert_str_eq(crash_files_name(&when, "my-echo_2", 812, name),
	                 "20261122T163001.123Z-my-echo_2-812");
	ck_assert(crash_files_is_name(name));
} END_TEST

static const char *const no_names[] = {
	"", ".", "..", ".hidden", "a/b", "../a", "/a", "a\n", "a b", "\xc3\xa4",
};

START_TEST(names_cannot_lead_elsewhere)
{
	ck_assert_msg(!crash_files_is_name(no_names[_i]), "\"%s\"", no_names[_i]);
	ck_assert_ptr_null(crash_files_read(STATE, no_names[_i]));
} END_TEST

START_TEST(names_have_a_greatest_length)
{
	char longest[CRASH_NAME_MAX + 1];

	memset(longest, 'a', CRASH_NAME_MAX);
	longest[CRASH_NAME_MAX] = '\0';
	ck_assert(!crash_files_is_name(longest));
	ck_assert(crash_files_is_name(longest + 1));
} END_TEST

START_TEST(what_is_written_is_read_by_its_owner_alone)
{
	json_t *back;

	umask(0);
	ck_assert_int_eq(crash_files_write(STATE, "one", report), 0);
	ck_assert_uint_eq(mode_of(STATE "/crashes"), 0700);
	ck_assert_uint_eq(mode_of(STATE "/crashes/one.json"), 0600);
	back = crash_files_read(STATE, "one");
	ck_assert(json_equal(back, report));
	json_decref(back);
	ck_assert_int_eq(crash_files_write(STATE, "one", report), EEXIST);
} END_TEST

START_TEST(a_folder_that_is_too_open_is_closed)
{
	umask(0);
	ck_assert_int_eq(mkdir(STATE "/crashes", 0777), 0);
	ck_assert_int_eq(crash_files_write(STATE, "one", report), 0);
	ck_assert_uint_eq(mode_of(STATE "/crashes"), 0700);
} END_TEST

START_TEST(a_folder_of_another_user_is_not_used)
{
	ck_assert_int_eq(mkdir(STATE "/crashes", 0777), 0);
	ck_assert_int_eq(chown(STATE "/crashes", 4242, 4242), 0);
	ck_assert_int_eq(crash_files_write(STATE, "one", report), EPERM);
	ck_assert_uint_eq(crash_files_list(STATE).n, 0);
} END_TEST

START_TEST(without_a_folder_nothing_is_made)
{
	ck_assert_int_eq(crash_files_write("nowhere", "one", report), ENOENT);
	ck_assert_int_eq(access("nowhere", F_OK), -1);
	ck_assert_uint_eq(crash_files_list("nowhere").n, 0);
	ck_assert_ptr_null(crash_files_read("nowhere", "one"));
} END_TEST

START_TEST(links_are_not_followed)
{
	ck_assert_int_eq(mkdir("elsewhere", 0700), 0);
	ck_assert_int_eq(symlink("../elsewhere", STATE "/crashes"), 0);
	ck_assert_int_ne(crash_files_write(STATE, "one", report), 0);
	ck_assert_int_eq(access("elsewhere/one.json", F_OK), -1);
	ck_assert_int_eq(unlink(STATE "/crashes"), 0);
	leave_file("other.json", 0);
	unit_write_file("secret.json", "{}");
	ck_assert_int_eq(symlink("../../secret.json", STATE "/crashes/one.json"), 0);
	ck_assert_int_eq(crash_files_write(STATE, "one", report), EEXIST);
	ck_assert_ptr_null(crash_files_read(STATE, "one"));
	ck_assert_str_eq(unit_read_file("secret.json"), "{}");
} END_TEST

START_TEST(what_is_no_report_is_not_read)
{
	leave_file("half.json", 0);
	unit_write_file(STATE "/crashes/half.json", "{\"service\":\"ec");
	leave_file("list.json", 0);
	unit_write_file(STATE "/crashes/list.json", "[]");
	ck_assert_int_eq(mkfifo(STATE "/crashes/fifo.json", 0600), 0);
	ck_assert_ptr_null(crash_files_read(STATE, "half"));
	ck_assert_ptr_null(crash_files_read(STATE, "list"));
	ck_assert_ptr_null(crash_files_read(STATE, "fifo"));
	ck_assert_ptr_null(crash_files_read(STATE, "missing"));
} END_TEST

START_TEST(the_oldest_go_when_there_are_too_many)
{
	struct crash_names names;
	char name[32];

	for (int i = 0; i < CRASH_FILES_MAX + 20; i++) {
		snprintf(name, sizeof name, "n%03d.json", i);
		leave_file(name, 0);
	}
	ck_assert_int_eq(crash_files_write(STATE, "z", report), 0);
	names = crash_files_list(STATE);
	ck_assert_uint_eq(names.n, CRASH_FILES_MAX);
	ck_assert_str_eq(names.all[0], "n021");
	ck_assert_str_eq(names.all[CRASH_FILES_MAX - 1], "z");
	crash_files_free(&names);
} END_TEST

START_TEST(what_is_too_old_goes_and_foreign_files_stay)
{
	struct crash_names names;

	leave_file("old.json", CRASH_FILES_DAYS + 1);
	leave_file("young.json", CRASH_FILES_DAYS - 1);
	leave_file("notes.txt", CRASH_FILES_DAYS + 1);
	leave_file(".hidden.json", CRASH_FILES_DAYS + 1);
	ck_assert_int_eq(crash_files_write(STATE, "new", report), 0);
	names = crash_files_list(STATE);
	ck_assert_uint_eq(names.n, 2);
	ck_assert_str_eq(names.all[0], "new");
	ck_assert_str_eq(names.all[1], "young");
	crash_files_free(&names);
	ck_assert_int_eq(access(STATE "/crashes/notes.txt", F_OK), 0);
	ck_assert_int_eq(access(STATE "/crashes/.hidden.json", F_OK), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("crash_files");
	TCase *tc = unit_case(s, "names", set_up, tear_down);

	tcase_add_test(tc, names_tell_time_service_and_pid);
	tcase_add_loop_test(tc, names_cannot_lead_elsewhere, 0, ARRAY_SIZE(no_names));
	tcase_add_test(tc, names_have_a_greatest_length);

	tc = unit_case(s, "files", set_up, tear_down);
	tcase_add_test(tc, what_is_written_is_read_by_its_owner_alone);
	tcase_add_test(tc, a_folder_that_is_too_open_is_closed);
	unit_add_if(geteuid() == 0, "only root can do that", tc, a_folder_of_another_user_is_not_used);
	tcase_add_test(tc, without_a_folder_nothing_is_made);
	tcase_add_test(tc, links_are_not_followed);
	tcase_add_test(tc, what_is_no_report_is_not_read);
	tcase_add_test(tc, the_oldest_go_when_there_are_too_many);
	tcase_add_test(tc, what_is_too_old_goes_and_foreign_files_stay);
	return unit_run(s);
}

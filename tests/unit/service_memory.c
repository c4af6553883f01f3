/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory of a service is handed over from one program to another: a table of sources that
 * both can read is the same memory, and another one is begun anew.
 */
#include <config.h>
#include "service_memory.h"

#include <sys/stat.h>

#include "unit.h"

#define ENTRIES 64

static struct service_memory made, adopted;
static struct service_memory_past past;

static void set_up(void)
{
	ck_assert_int_eq(service_memory_make(&made, ENTRIES), 0);
	past = service_memory_past(&made);
}

static void tear_down(void)
{
	service_memory_free(&adopted);
	service_memory_free(&made);
}

/* As in another program, which has descriptors of its own. */
static void adopt(int version)
{
	past.sources = (struct pool_memory_part){ fcntl(past.sources.fd, F_DUPFD_CLOEXEC, 0), version };
	ck_assert_int_eq(service_memory_adopt(&adopted, &past), 0);
}

/* A client of the service comes, as that memory says. */
static void take_place(const struct service_memory *m)
{
	struct service_hold hold = { 0 };

	ck_assert(sources_take_service(m->sources, &hold, 0));
}

static ino_t file_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

START_TEST(it_has_room_for_as_many_sources_as_were_asked_for)
{
	ck_assert_uint_eq(sources_entries(made.sources), ENTRIES);
	ck_assert_uint_eq(past.n_sources, ENTRIES);
	ck_assert_int_eq(past.sources.version, SOURCES_VERSION);
	ck_assert_int_eq(past.sources.fd, sources_fd(made.sources));
} END_TEST

START_TEST(what_cannot_be_made_leaves_nothing)
{
	const int fds = unit_count_fds();
	struct service_memory none;

	ck_assert_int_eq(service_memory_make(&none, ENTRIES + 1), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(none.sources);
	service_memory_free(&none);
	ck_assert_int_eq(unit_count_fds(), fds);
} END_TEST

START_TEST(a_table_of_our_version_is_the_same_memory)
{
	adopt(SOURCES_VERSION);
	take_place(&made);
	take_place(&adopted);
	ck_assert_uint_eq(sources_service_count(made.sources), 2);
	ck_assert_uint_eq(sources_service_count(adopted.sources), 2);
	ck_assert_uint_eq(file_of(past.sources.fd), file_of(sources_fd(made.sources)));
} END_TEST

START_TEST(a_source_keeps_its_key)
{
	const struct source_id user = { .prefix.family = AF_UNIX, .uid = 1000 };

	adopt(SOURCES_VERSION + _i);
	if (_i == 0)
		ck_assert_uint_eq(sources_key(adopted.sources, &user), sources_key(made.sources, &user));
	else
		ck_assert_uint_ne(sources_key(adopted.sources, &user), sources_key(made.sources, &user));
} END_TEST

START_TEST(a_table_of_another_version_is_begun_anew)
{
	take_place(&made);
	adopt(SOURCES_VERSION + 1);
	ck_assert_uint_eq(sources_service_count(adopted.sources), 0);
	ck_assert_uint_eq(sources_entries(adopted.sources), ENTRIES);
	ck_assert_int_eq(service_memory_past(&adopted).sources.version, SOURCES_VERSION);
	ck_assert_uint_ne(file_of(sources_fd(adopted.sources)), file_of(sources_fd(made.sources)));
} END_TEST

START_TEST(a_table_that_was_begun_anew_does_not_keep_that_of_the_other_program)
{
	const int fds = unit_count_fds();

	adopt(SOURCES_VERSION + 1);
	ck_assert(!unit_fd_is_open(past.sources.fd));
	ck_assert_int_eq(unit_count_fds(), fds + 1);
} END_TEST

START_TEST(what_was_adopted_is_closed)
{
	struct service_memory_past taken;

	adopt(SOURCES_VERSION + _i);
	taken = service_memory_past(&adopted);
	service_memory_free(&adopted);
	ck_assert_ptr_null(adopted.sources);
	ck_assert(!unit_fd_is_open(taken.sources.fd));
	ck_assert(unit_fd_is_open(sources_fd(made.sources)));
} END_TEST

START_TEST(what_cannot_be_adopted_stays_with_the_caller)
{
	past.n_sources = _i ? ENTRIES + 1 : 64 * ENTRIES;
	past.sources.version = SOURCES_VERSION + _i;
	ck_assert_int_eq(service_memory_adopt(&adopted, &past), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(adopted.sources);
	ck_assert(unit_fd_is_open(past.sources.fd));
	service_memory_free(&adopted);
	ck_assert(unit_fd_is_open(past.sources.fd));
} END_TEST

START_TEST(a_worker_keeps_no_descriptor_and_counts_all_the_same)
{
	const pid_t worker = fork();

	if (worker == 0) {
		if (service_memory_enter(&made) != 0)
			_exit(1);
		if (unit_fd_is_open(past.sources.fd))
			_exit(2);
		sources_take_service(made.sources, &(struct service_hold){ 0 }, 0);
		_exit(0);
	}
	unit_child_succeeds(worker);
	ck_assert(unit_fd_is_open(past.sources.fd));
	ck_assert_uint_eq(sources_service_count(made.sources), 1);
} END_TEST

int main(void)
{
	Suite *s = suite_create("service_memory");
	TCase *tc = unit_case(s, "service_memory", set_up, tear_down);

	tcase_add_test(tc, it_has_room_for_as_many_sources_as_were_asked_for);
	tcase_add_test(tc, what_cannot_be_made_leaves_nothing);
	tcase_add_test(tc, a_table_of_our_version_is_the_same_memory);
	tcase_add_loop_test(tc, a_source_keeps_its_key, 0, 2);
	tcase_add_test(tc, a_table_of_another_version_is_begun_anew);
	tcase_add_test(tc, a_table_that_was_begun_anew_does_not_keep_that_of_the_other_program);
	tcase_add_loop_test(tc, what_was_adopted_is_closed, 0, 2);
	tcase_add_loop_test(tc, what_cannot_be_adopted_stays_with_the_caller, 0, 2);
	tcase_add_test(tc, a_worker_keeps_no_descriptor_and_counts_all_the_same);
	return unit_run(s);
}

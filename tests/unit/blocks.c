/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of blocked sources: the master writes, workers look up clients and count them.
 */
#include <config.h>
#include "blocks.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "endpoint_harness.h"
#include "stepping.h"

#define NOW 1000

static struct blocks *blocks;

static void set_up(void)
{
	blocks = blocks_new();
	ck_assert_ptr_nonnull(blocks);
}

static void tear_down(void)
{
	blocks_free(&blocks);
}

static void set_block(size_t i, const char *text, int64_t until_ms)
{
	struct source_id source;

	ck_assert_int_eq(source_id_parse(text, &source), CIDR_OK);
	blocks_set(blocks, i, &source, until_ms);
}

static bool refuses_user(const char *ip, uid_t uid)
{
	const struct endpoint e = endpoint(ip);

	return blocks_refuse(blocks, &e, uid, NOW);
}

static bool refuses(const char *ip)
{
	return refuses_user(ip, 0);
}

START_TEST(an_empty_table_refuses_nobody)
{
	ck_assert(blocks_is_empty(blocks));
	ck_assert(!refuses("192.0.2.7") && !refuses("2001:db8::1") && !refuses("unix") && !refuses("?"));
} END_TEST

START_TEST(clients_of_a_blocked_source_are_refused_and_no_others)
{
	set_block(3, "192.0.2.0/24", NOW + 1);
	set_block(0, "2001:db8:0:7::/64", NOW + 1);
	set_block(BLOCKS_MAX - 1, "uid:1000", NOW + 1);
	ck_assert(!blocks_is_empty(blocks));
	ck_assert(refuses("192.0.2.0") && refuses("192.0.2.255"));
	ck_assert(!refuses("192.0.3.0") && !refuses("192.0.1.255"));
	ck_assert(refuses("2001:db8:0:7::9") && !refuses("2001:db8:0:8::9"));
	ck_assert(refuses_user("unix", 1000) && !refuses_user("unix", 1001));
	ck_assert(!refuses_user("198.51.100.1", 1000) && !refuses_user("?", 1000));
} END_TEST

START_TEST(a_block_ends_by_its_time_and_by_order)
{
	set_block(0, "192.0.2.7", NOW + 1);
	set_block(1, "192.0.2.8", NOW);
	ck_assert(refuses("192.0.2.7") && !refuses("192.0.2.8"));
	ck_assert(!blocks_is_empty(blocks));
	blocks_clear(blocks, 0);
	ck_assert(!refuses("192.0.2.7"));
	ck_assert(!blocks_is_empty(blocks));
	blocks_clear(blocks, 1);
	ck_assert(blocks_is_empty(blocks));
	blocks_clear(blocks, 1);
	ck_assert(blocks_is_empty(blocks));
} END_TEST

START_TEST(an_entry_can_be_used_again)
{
	set_block(5, "192.0.2.7", NOW + 1);
	ck_assert(refuses("192.0.2.7") && refuses("192.0.2.7"));
	ck_assert_uint_eq(blocks_refused(blocks, 5), 2);
	set_block(5, "uid:7", NOW + 1);
	ck_assert(!refuses("192.0.2.7") && refuses_user("unix", 7));
	ck_assert_uint_eq(blocks_refused(blocks, 5), 1);
	set_block(5, "2001:db8::/32", NOW + 1);
	ck_assert(!refuses_user("unix", 7) && refuses("2001:db8:7::1"));
} END_TEST

/* ---- processes ---------------------------------------------------------- */

START_TEST(a_worker_sees_what_the_master_writes_later_and_counts)
{
	int ready[2], go[2];
	pid_t pid;
	char c = 'x';

	ck_assert(pipe2(ready, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		if (blocks_enter(blocks) == -1 || blocks_fd(blocks) != -1 || refuses("192.0.2.7") ||
		    write(ready[1], &c, 1) != 1 || read(go[0], &c, 1) != 1)
			_exit(1);
		_exit(refuses("192.0.2.7") && refuses("192.0.2.7") && !refuses("192.0.2.8") ? 0 : 2);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	set_block(2, "192.0.2.7", NOW + 1);
	ck_assert_int_eq(write(go[1], &c, 1), 1);
	unit_child_succeeds(pid);
	ck_assert_uint_eq(blocks_refused(blocks, 2), 2);
	close(ready[0]);
	close(go[0]);
	close(go[1]);
} END_TEST

START_TEST(a_worker_cannot_write_by_mistake)
{
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);       /* a sanitizer makes an exit of it */
		if (blocks_enter(blocks) == 0)
			blocks_clear(blocks, 0);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "status %x", status);
} END_TEST

/* It can make the table writable again. Neither the master nor another worker reads beyond the table. */
START_TEST(a_worker_that_was_taken_over_harms_no_other_process)
{
	const size_t len = (size_t)lseek(blocks_fd(blocks), 0, SEEK_END);
	char *all = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, blocks_fd(blocks), 0);

	ck_assert_ptr_ne(all, MAP_FAILED);
	memset(all, 0xff, len);
	blocks_clear(blocks, 0);
	ck_assert(!refuses("192.0.2.7"));
	blocks_clear(blocks, BLOCKS_MAX - 1);
	set_block(BLOCKS_MAX - 1, "192.0.2.7", NOW + 1);
	ck_assert(refuses("192.0.2.7") && !refuses("192.0.2.8"));
	memset(all, 0, len);
	munmap(all, len);
} END_TEST

/*
 * The first source of an entry is replaced by the second, whose time is over. No client of these
 * is refused at any time: the first two are mixtures of both sources.
 */
static const char *const never[] = { "2001:db8::2", "2001:db9::1", "2001:db9::2" };

static void set_first(void)
{
	set_block(0, "2001:db8::1", NOW + 1);
}

static void set_second(void)
{
	set_block(0, "2001:db9::2", NOW);
}

static int write_second(void *arg)
{
	struct source_id second = *(struct source_id *)arg;

	blocks_set(blocks, 0, &second, NOW);
	return 0;
}

static int read_client(void *arg)
{
	const struct endpoint client = *(struct endpoint *)arg;

	return blocks_refuse(blocks, &client, 0, NOW);
}

START_TEST(a_half_written_entry_refuses_nobody_that_it_should_not)
{
	struct source_id second;
	pid_t writer;
	int n = 0;

	ck_assert_int_eq(source_id_parse("2001:db9::2", &second), CIDR_OK);
	set_first();
	set_block(1, "192.0.2.7", NOW + 1);
	writer = stepping_begin(write_second, &second);
	while (stepping_goes_on(writer)) {
		for (size_t i = 0; i < ARRAY_SIZE(never); i++)
			unit_require(!refuses(never[i]));
		unit_require(refuses("192.0.2.7"));
		n++;
	}
	ck_assert_int_gt(n, 10);
	ck_assert(!refuses("2001:db8::1"));
} END_TEST

/* The entry changes under a reader, at each stop. */
START_TEST(an_entry_that_changes_under_a_reader_is_not_mixed)
{
	struct endpoint client = endpoint(never[_i]);
	bool goes_on = true;
	int each;

	set_first();
	each = stepping_stride(read_client, &client);
	for (int after = 1; goes_on; after += each) {
		pid_t reader;

		set_first();
		reader = stepping_begin(read_client, &client);
		for (int i = 0; goes_on && i < after; i++)
			goes_on = stepping_goes_on(reader);
		set_second();
		unit_require(!goes_on || stepping_finish(reader) == 0);
	}
} END_TEST

/* As the master that dies, and the program before that leaves its table. */
START_TEST(an_entry_whose_writer_has_died_can_be_written_again)
{
	struct source_id second;
	bool goes_on = true;
	int each;

	ck_assert_int_eq(source_id_parse("2001:db9::2", &second), CIDR_OK);
	set_first();
	each = stepping_stride(write_second, &second);
	for (int after = 1; goes_on; after += each) {
		pid_t writer;

		set_first();
		writer = stepping_begin(write_second, &second);
		for (int i = 0; goes_on && i < after; i++)
			goes_on = stepping_goes_on(writer);
		if (goes_on) {
			kill(writer, SIGKILL);
			unit_require(waitpid(writer, NULL, 0) == writer);
		}
		set_block(0, "192.0.2.7", NOW + 1);
		unit_require(refuses("192.0.2.7") && !refuses("2001:db8::1"));
	}
} END_TEST

/* ---- the next program --------------------------------------------------- */

START_TEST(a_table_that_is_adopted_is_the_same_memory)
{
	const int fd = fcntl(blocks_fd(blocks), F_DUPFD_CLOEXEC, 0);
	struct blocks *adopted;

	set_block(1, "192.0.2.7", NOW + 1);
	adopted = blocks_adopt(fd);
	ck_assert_ptr_nonnull(adopted);
	ck_assert_int_eq(blocks_fd(adopted), fd);
	ck_assert(refuses("192.0.2.7"));
	ck_assert_uint_eq(blocks_refused(adopted, 1), 1);
	blocks_clear(adopted, 1);
	ck_assert(blocks_is_empty(blocks));
	blocks_free(&adopted);
	ck_assert(!unit_fd_is_open(fd));
} END_TEST

START_TEST(what_is_no_table_is_not_adopted)
{
	const int small = memfd_create("small", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const int unsealed = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(ftruncate(unsealed, lseek(blocks_fd(blocks), 0, SEEK_END)), 0);
	ck_assert_ptr_null(blocks_adopt(small));
	ck_assert_ptr_null(blocks_adopt(unsealed));
	ck_assert_ptr_null(blocks_adopt(STDIN_FILENO));
	ck_assert_ptr_null(blocks_adopt(-1));
	ck_assert(unit_fd_is_open(small) && unit_fd_is_open(unsealed));
	close(small);
	close(unsealed);
} END_TEST

int main(void)
{
	Suite *s = suite_create("blocks");
	TCase *tc = unit_case(s, "blocks", set_up, tear_down);

	tcase_add_test(tc, an_empty_table_refuses_nobody);
	tcase_add_test(tc, clients_of_a_blocked_source_are_refused_and_no_others);
	tcase_add_test(tc, a_block_ends_by_its_time_and_by_order);
	tcase_add_test(tc, an_entry_can_be_used_again);
	tcase_add_test(tc, a_worker_sees_what_the_master_writes_later_and_counts);
	tcase_add_test(tc, a_worker_cannot_write_by_mistake);
	tcase_add_test(tc, a_worker_that_was_taken_over_harms_no_other_process);
	unit_add_if(stepping_is_possible(), "ptrace(2) is refused here", tc,
	            a_half_written_entry_refuses_nobody_that_it_should_not);
	unit_add_rows_if(stepping_is_possible(), "ptrace(2) is refused here", tc,
	                 an_entry_that_changes_under_a_reader_is_not_mixed, ARRAY_SIZE(never));
	unit_add_if(stepping_is_possible(), "ptrace(2) is refused here", tc,
	            an_entry_whose_writer_has_died_can_be_written_again);
	tcase_add_test(tc, a_table_that_is_adopted_is_the_same_memory);
	tcase_add_test(tc, what_is_no_table_is_not_adopted);
	return unit_run(s);
}

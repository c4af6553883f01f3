/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of blocked sources: the master writes, workers look up clients and count them.
 */
#include <config.h>
#include "blocks.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

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

static struct endpoint endpoint(const char *ip)
{
	struct endpoint e = { .port = 4711 };

	if (strcmp(ip, "unix") == 0)
		e.family = AF_UNIX;
	else if (inet_pton(AF_INET, ip, e.ip) == 1)
		e.family = AF_INET;
	else if (inet_pton(AF_INET6, ip, e.ip) == 1)
		e.family = AF_INET6;
	return e;
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

/*
 * Two sources take turns in an entry; an address that mixes their halves is blocked at no time, nor
 * is the second one until the time of the first.
 */
START_TEST(a_reader_never_sees_a_half_written_entry)
{
	static const char *const never[] = { "2001:db8::2", "2001:db9::1", "2001:db9::2" };
	struct endpoint clients[ARRAY_SIZE(never)];
	struct source_id first, second;
	int status;
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		clients[i] = endpoint(never[i]);
	ck_assert_int_eq(source_id_parse("2001:db8::1", &first), CIDR_OK);
	ck_assert_int_eq(source_id_parse("2001:db9::2", &second), CIDR_OK);
	pid = fork();
	for (int i = 0; pid == 0 && i < 3000000; i++) {
		blocks_set(blocks, 0, &first, NOW + 1);
		blocks_set(blocks, 0, &second, NOW);
	}
	if (pid == 0)
		_exit(0);
	while (waitpid(pid, &status, WNOHANG) == 0)
		for (size_t i = 0; i < 100 * ARRAY_SIZE(never); i++)
			unit_require(!blocks_refuse(blocks, &clients[i % ARRAY_SIZE(never)], 0, NOW));
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
	tcase_add_test(tc, a_reader_never_sees_a_half_written_entry);
	tcase_add_test(tc, a_table_that_is_adopted_is_the_same_memory);
	tcase_add_test(tc, what_is_no_table_is_not_adopted);
	return unit_run(s);
}

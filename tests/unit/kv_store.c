/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store of examples/kv, in a folder of its own: values, expiry, positions, and what is left when it
 * is full, damaged, shared by processes, or when one of them is killed while it writes.
 */
#include <config.h>
#include "../../examples/kv/store.h"

#include <sys/stat.h>

#include "unit.h"

#define MANY 2000

static struct store store;

static bool open_store(struct store *s)
{
	return store_open(s, ".", STORE_MAP_SIZE_MIN, MDB_NOSYNC | MDB_NOMETASYNC);
}

static void enter(void)
{
	unit_enter_folder();
	ck_assert_msg(open_store(&store), "%s", store_why(store.error));
}

static void leave(void)
{
	store_abort(&store);
	store_end_read(&store);
	store_close(&store);
	unit_leave_folder();
}

static struct slice text(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static void put(const char *key, const char *value, int64_t expires_ms)
{
	ck_assert(store_begin(&store));
	ck_assert(store_put(&store, text(key), text(value), expires_ms));
	ck_assert(store_commit(&store));
}

static const char *get_from(struct store *s, const char *key)
{
	static char value[64];
	struct entry e;

	if (!store_get(s, text(key), &e))
		return NULL;
	snprintf(value, sizeof value, "%.*s", (int)e.value.len, e.value.at);
	store_end_read(s);
	return value;
}

static const char *get(const char *key)
{
	const char *value = get_from(&store, key);

	ck_assert_int_eq(store.error, 0);
	store_end_read(&store);
	return value;
}

static size_t count(void)
{
	const size_t n = store_count(&store);

	store_end_read(&store);
	return n;
}

/* ---- values -------------------------------------------------------------- */

START_TEST(what_is_committed_is_there_and_what_is_aborted_is_not)
{
	put("a", "1", 0);
	ck_assert(store_begin(&store));
	store_put(&store, text("a"), text("2"), 0);
	store_put(&store, text("b"), text("2"), 0);
	ck_assert_str_eq(get_from(&store, "a"), "2");
	store_abort(&store);
	ck_assert_str_eq(get("a"), "1");
	ck_assert_ptr_null(get("b"));
} END_TEST

START_TEST(a_read_sees_one_state_until_it_ends)
{
	struct store other;
	struct entry e;
	pid_t pid;

	put("a", "1", 0);
	ck_assert(store_get(&store, text("a"), &e));
	pid = fork();
	if (pid == 0) {
		if (!open_store(&other) || !store_begin(&other))
			_exit(1);
		store_put(&other, text("a"), text("2"), 0);
		_exit(!store_commit(&other));
	}
	unit_child_succeeds(pid);
	ck_assert(store_get(&store, text("a"), &e));
	ck_assert_int_eq(e.value.at[0], '1');
	store_end_read(&store);
	ck_assert_str_eq(get("a"), "2");
} END_TEST

START_TEST(a_key_has_a_limit)
{
	static char key[STORE_KEY_MAX + 2];
	struct entry e;

	memset(key, 'k', STORE_KEY_MAX);
	put(key, "1", 0);
	ck_assert_str_eq(get(key), "1");
	key[STORE_KEY_MAX] = 'k';
	ck_assert(store_begin(&store));
	ck_assert(!store_put(&store, text(key), text("1"), 0));
	ck_assert_str_eq(store_why(store.error), "ERR a key has at most 507 bytes");
	store_abort(&store);
	ck_assert(!store_get(&store, text(key), &e));
} END_TEST

START_TEST(keys_and_values_may_be_empty_or_hold_anything)
{
	const struct slice odd = { "\0\r\n\xff", 4 };
	struct entry e;

	ck_assert(store_begin(&store));
	ck_assert(store_put(&store, text(""), odd, 0));
	ck_assert(store_put(&store, odd, text(""), 0));
	ck_assert(store_commit(&store));
	ck_assert(store_get(&store, text(""), &e));
	ck_assert_mem_eq(e.value.at, odd.at, odd.len);
	ck_assert(store_get(&store, odd, &e));
	ck_assert_uint_eq(e.value.len, 0);
} END_TEST

START_TEST(del_says_what_was_there)
{
	put("a", "1", 0);
	put("old", "1", 1);
	ck_assert(store_begin(&store));
	ck_assert(store_del(&store, text("a")));
	ck_assert(!store_del(&store, text("a")));
	ck_assert(!store_del(&store, text("old")));
	ck_assert(store_commit(&store));
	ck_assert_uint_eq(count(), 0);
} END_TEST

START_TEST(clear_leaves_nothing)
{
	put("a", "1", 0);
	ck_assert(store_begin(&store));
	store_clear(&store);
	ck_assert(store_commit(&store));
	ck_assert_uint_eq(count(), 0);
	put("b", "1", 0);
	ck_assert_str_eq(get("b"), "1");
} END_TEST

/* ---- expiry, and visits -------------------------------------------------- */

static void add_to(void *arg, struct slice key)
{
	int *seen = arg;
	char name[16];

	snprintf(name, sizeof name, "%.*s", (int)key.len, key.at);      /* a key has no NUL at its end */
	seen[atoi(name)]++;
}

START_TEST(what_has_expired_is_not_there_and_a_visit_removes_it)
{
	int seen[10] = { 0 };

	put("1", "x", store_now_ms() - 1);
	put("2", "x", store_now_ms() + 1000000);
	put("3", "x", 0);
	ck_assert_ptr_null(get("1"));
	ck_assert_str_eq(get("2"), "x");
	ck_assert_uint_eq(count(), 3);
	ck_assert_uint_eq(store_visit(&store, 0, 10, add_to, seen), 0);
	store_end_read(&store);
	ck_assert(seen[1] == 0 && seen[2] == 1 && seen[3] == 1);
	ck_assert_uint_eq(count(), 3);
	ck_assert(store_begin(&store));
	ck_assert_uint_eq(store_visit(&store, 0, 10, add_to, seen), 0);
	ck_assert(store_commit(&store));
	ck_assert_uint_eq(count(), 2);
} END_TEST

/* Between visits, every other key goes, and new ones come. */
START_TEST(keys_that_stay_are_visited_once_whatever_happens_to_others)
{
	static int seen[2 * MANY];
	uint32_t from = 0;
	char key[16];
	int next = 0;

	ck_assert(store_begin(&store));
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof key, "%d.", i);
		ck_assert(store_put(&store, text(key), text("x"), 0));
	}
	ck_assert(store_commit(&store));
	do {
		from = store_visit(&store, from, 10, add_to, seen);
		ck_assert(store_begin(&store));
		for (int i = 0; i < 20 && next < MANY; i++, next += 2) {
			snprintf(key, sizeof key, "%d.", next);
			store_del(&store, text(key));
			snprintf(key, sizeof key, "%d.", MANY + next);
			store_put(&store, text(key), text("x"), 0);
		}
		ck_assert(store_commit(&store));
	} while (from != 0);
	for (int i = 1; i < MANY; i += 2)
		unit_require(seen[i] == 1);
	for (int i = 0; i < 2 * MANY; i++)
		unit_require(seen[i] <= 1);
} END_TEST

/* ---- trouble ------------------------------------------------------------- */

START_TEST(a_full_map_takes_no_more_and_loses_nothing)
{
	static char large[64 * 1024];
	char key[16];
	int n = 0;

	memset(large, 'x', sizeof large - 1);
	for (;; n++) {
		ck_assert(store_begin(&store));
		snprintf(key, sizeof key, "%d", n);
		if (!store_put(&store, text(key), text(large), 0) || !store_commit(&store))
			break;
	}
	ck_assert_int_eq(store.error, MDB_MAP_FULL);
	ck_assert_str_eq(store_why(store.error), "OOM command not allowed: the map is full (map_size)");
	store_abort(&store);
	ck_assert_int_gt(n, 5);
	ck_assert_uint_eq(count(), (size_t)n);
	ck_assert(store_begin(&store));
	ck_assert(store_del(&store, text("0")));
	ck_assert(store_commit(&store));
	ck_assert_uint_eq(count(), (size_t)n - 1);
} END_TEST

START_TEST(a_process_with_a_larger_map_does_not_stop_one_with_a_smaller)
{
	static char large[4 * STORE_MAP_SIZE_MIN];
	struct store other;
	pid_t pid = fork();

	if (pid == 0) {
		memset(large, 'x', sizeof large - 1);
		if (!store_open(&other, ".", 16 * STORE_MAP_SIZE_MIN, MDB_NOSYNC) || !store_begin(&other))
			_exit(1);
		store_put(&other, text("large"), text(large), 0);
		_exit(!store_commit(&other));
	}
	unit_child_succeeds(pid);
	ck_assert_ptr_nonnull(get("large"));
	put("a", "1", 0);
	ck_assert_str_eq(get("a"), "1");
} END_TEST

START_TEST(a_damaged_file_is_refused)
{
	struct store other;

	store_close(&store);
	unit_write_file("data.mdb", "these are no data, and there are too few of them");
	ck_assert(!open_store(&other));
	ck_assert_int_eq(other.error, MDB_INVALID);
	ck_assert(!store_open(&other, ".", STORE_MAP_SIZE_MIN, MDB_RDONLY | MDB_NOLOCK));
	ck_assert(!store_open(&other, "nowhere", STORE_MAP_SIZE_MIN, 0));
	ck_assert_int_eq(other.error, ENOENT);
} END_TEST

/* In a child that is an ordinary user: root may write to what is only for reading. */
static void expect_refused_to_user(void)
{
	struct store other;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) == -1)
			_exit(1);
		_exit(open_store(&other) || other.error != EACCES);
	}
	unit_child_succeeds(pid);
}

START_TEST(what_is_only_for_reading_is_refused)
{
	put("a", "1", 0);
	store_close(&store);
	ck_assert_int_eq(chmod(".", 0555), 0);
	ck_assert_int_eq(chmod("data.mdb", 0444), 0);
	ck_assert_int_eq(chmod("lock.mdb", 0666), 0);
	expect_refused_to_user();               /* data that it may read */
	ck_assert_int_eq(chmod(".", 0755), 0);
	ck_assert_int_eq(rename("data.mdb", "before.mdb"), 0);
	ck_assert_int_eq(unlink("lock.mdb"), 0);
	ck_assert_int_eq(chmod(".", 0555), 0);
	expect_refused_to_user();               /* a folder in which it may make no file */
	ck_assert_int_eq(chmod(".", 0755), 0);
	ck_assert_int_eq(rename("before.mdb", "data.mdb"), 0);
	ck_assert_int_eq(chmod("data.mdb", 0600), 0);
	ck_assert(open_store(&store));
	ck_assert_str_eq(get("a"), "1");
} END_TEST

/* ---- processes ----------------------------------------------------------- */

/* Forks a child that puts "a", and says so through a pipe; then it waits to be killed. */
static pid_t start_writer(bool commits)
{
	struct store other;
	int said[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		if (!open_store(&other) || !store_begin(&other) || !store_put(&other, text("a"), text("2"), 0) ||
		    (commits && !store_commit(&other)) || write(said[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(said[1]);
	ck_assert_int_eq(read(said[0], &byte, 1), 1);
	close(said[0]);
	return pid;
}

static void kill_writer(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_writer_that_is_killed_leaves_what_was_committed_and_no_lock)
{
	put("a", "1", 0);
	kill_writer(start_writer(false));
	ck_assert_str_eq(get("a"), "1");
	put("b", "1", 0);
	ck_assert_str_eq(get("b"), "1");
	kill_writer(start_writer(true));
	ck_assert_str_eq(get("a"), "2");
} END_TEST

START_TEST(the_slot_of_a_killed_reader_is_free_when_the_next_process_opens)
{
	struct store other;
	struct entry e;
	int said[2], dead;
	char byte;
	pid_t pid;

	put("a", "1", 0);
	ck_assert_int_eq(pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		if (!open_store(&other) || !store_get(&other, text("a"), &e) || write(said[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(said[0], &byte, 1), 1);
	kill_writer(pid);
	pid = fork();
	if (pid == 0)
		_exit(!open_store(&other));
	unit_child_succeeds(pid);
	ck_assert_int_eq(mdb_reader_check(store.env, &dead), 0);
	ck_assert_int_le(dead, 1);      /* that of the second child, which closed nothing either */
} END_TEST

int main(void)
{
	Suite *s = suite_create("kv_store");
	TCase *tc = unit_case(s, "store", enter, leave);

	tcase_add_test(tc, what_is_committed_is_there_and_what_is_aborted_is_not);
	tcase_add_test(tc, a_read_sees_one_state_until_it_ends);
	tcase_add_test(tc, a_key_has_a_limit);
	tcase_add_test(tc, keys_and_values_may_be_empty_or_hold_anything);
	tcase_add_test(tc, del_says_what_was_there);
	tcase_add_test(tc, clear_leaves_nothing);
	tcase_add_test(tc, what_has_expired_is_not_there_and_a_visit_removes_it);
	tcase_add_test(tc, keys_that_stay_are_visited_once_whatever_happens_to_others);
	tcase_add_test(tc, a_full_map_takes_no_more_and_loses_nothing);
	tcase_add_test(tc, a_process_with_a_larger_map_does_not_stop_one_with_a_smaller);
	tcase_add_test(tc, a_damaged_file_is_refused);
	tcase_add_test(tc, what_is_only_for_reading_is_refused);
	tcase_add_test(tc, a_writer_that_is_killed_leaves_what_was_committed_and_no_lock);
	tcase_add_test(tc, the_slot_of_a_killed_reader_is_free_when_the_next_process_opens);
	return unit_run(s);
}

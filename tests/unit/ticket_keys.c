/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shared keys of tickets: their generations, and what a reader sees while one is made.
 */
#include <config.h>
#include "ticket_keys.h"

#include <sys/mman.h>

#include "service_memory.h"
#include "unit.h"

static struct ticket_keys *made;
static struct ticket_key keys[TICKET_KEYS_MAX], before[TICKET_KEYS_MAX];
static uint64_t turn;
static size_t n;

static void set_up(void)
{
	turn = 0;
	n = 0;
	made = ticket_keys_new(1000);
	ck_assert_ptr_nonnull(made);
}

static void tear_down(void)
{
	ticket_keys_free(&made);
}

static bool is_key(const struct ticket_key *a, const struct ticket_key *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

static void read_keys(const struct ticket_keys *t)
{
	memcpy(before, keys, sizeof keys);
	ck_assert(ticket_keys_read(t, &turn, keys, &n));
}

START_TEST(there_is_a_first_key_at_once)
{
	static const struct ticket_key none;

	read_keys(made);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(keys[0].len, 32);
	ck_assert(!is_key(&keys[0], &none));
	ck_assert(is_key(&keys[1], &none));
	ck_assert_int_eq(ticket_keys_due_ms(made), 1000 + TICKET_KEYS_MS);
} END_TEST

START_TEST(what_has_been_read_is_not_read_again)
{
	read_keys(made);
	ck_assert(!ticket_keys_read(made, &turn, keys, &n));
	ck_assert_int_eq(ticket_keys_rotate(made, 2000), 0);
	ck_assert(ticket_keys_read(made, &turn, keys, &n));
	ck_assert(!ticket_keys_read(made, &turn, keys, &n));
} END_TEST

START_TEST(a_new_key_comes_first_and_three_are_kept)
{
	read_keys(made);
	for (size_t i = 2; i <= 5; i++) {
		ck_assert_int_eq(ticket_keys_rotate(made, 1000 * (int64_t)i), 0);
		read_keys(made);
		ck_assert_uint_eq(n, i < TICKET_KEYS_MAX ? i : TICKET_KEYS_MAX);
		for (size_t k = 1; k < n; k++)
			ck_assert(is_key(&keys[k], &before[k - 1]));
		ck_assert(!is_key(&keys[0], &keys[1]));
	}
	ck_assert_int_eq(ticket_keys_due_ms(made), 5000 + TICKET_KEYS_MS);
} END_TEST

START_TEST(two_services_share_no_key)
{
	struct ticket_keys *other = ticket_keys_new(1000);

	read_keys(made);
	turn = 0;
	read_keys(other);
	ck_assert(!is_key(&keys[0], &before[0]));
	ticket_keys_free(&other);
} END_TEST

START_TEST(another_state_of_the_service_can_have_the_same_keys)
{
	struct ticket_keys *other = ticket_keys_new(5000);

	ck_assert_int_eq(ticket_keys_rotate(made, 2000), 0);
	read_keys(made);
	ticket_keys_copy(other, made);
	turn = 0;
	read_keys(other);
	ck_assert_uint_eq(n, 2);
	ck_assert(is_key(&keys[0], &before[0]) && is_key(&keys[1], &before[1]));
	ck_assert_int_eq(ticket_keys_due_ms(other), 2000 + TICKET_KEYS_MS);
	ticket_keys_free(&other);
} END_TEST

START_TEST(another_program_goes_on_with_the_keys)
{
	struct ticket_keys *adopted = ticket_keys_adopt(fcntl(ticket_keys_fd(made), F_DUPFD_CLOEXEC, 0));

	read_keys(made);
	turn = 0;
	read_keys(adopted);
	ck_assert(is_key(&keys[0], &before[0]));
	ck_assert_int_eq(ticket_keys_rotate(adopted, 3000), 0);
	ck_assert(ticket_keys_read(made, &turn, keys, &n));
	ck_assert_uint_eq(n, 2);
	ticket_keys_free(&adopted);
} END_TEST

/* The number that readers look at is the third word. */
static _Atomic uint64_t *turn_of(const struct ticket_keys *t)
{
	uint64_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ticket_keys_fd(t), 0);

	ck_assert_ptr_ne(page, MAP_FAILED);
	return (_Atomic uint64_t *)&page[2];
}

START_TEST(keys_that_a_program_has_written_by_half_are_replaced)
{
	_Atomic uint64_t *at = turn_of(made);

	read_keys(made);
	*at |= 1;
	ck_assert(!ticket_keys_read(made, &turn, keys, &n));
	ck_assert_int_eq(ticket_keys_due_ms(made), 0);
	ck_assert_int_eq(ticket_keys_rotate(made, 9000), 0);
	read_keys(made);
	ck_assert_uint_eq(n, 1);
	ck_assert(!is_key(&keys[0], &before[0]));
} END_TEST

START_TEST(a_worker_can_only_read)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (ticket_keys_enter(made) == -1 || ticket_keys_fd(made) != -1 ||
		    !ticket_keys_read(made, &turn, keys, &n))
			_exit(1);
		signal(SIGSEGV, SIG_DFL);
		ticket_keys_rotate(made, 2000);
		_exit(2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "status %x", status);
} END_TEST

START_TEST(a_service_has_keys_only_if_it_wants_them)
{
	struct service_memory m, like, adopted;
	struct service_memory_past past;

	ck_assert_int_eq(service_memory_make(&m, 64), 0);
	ck_assert_ptr_null(m.tickets);
	past = service_memory_past(&m);
	ck_assert_int_eq(past.tickets.fd, -1);
	ck_assert_int_eq(service_memory_make_tickets(&m, NULL, 1000), 0);
	read_keys(m.tickets);
	ck_assert_int_eq(service_memory_make_tickets(&m, NULL, 2000), 0);
	ck_assert(!ticket_keys_read(m.tickets, &turn, keys, &n));

	ck_assert_int_eq(service_memory_make(&like, 128), 0);
	ck_assert_int_eq(service_memory_make_tickets(&like, &m, 3000), 0);
	turn = 0;
	read_keys(like.tickets);
	ck_assert(is_key(&keys[0], &before[0]));

	past = service_memory_past(&m);
	past.sources.fd = fcntl(past.sources.fd, F_DUPFD_CLOEXEC, 0);
	past.tickets.fd = fcntl(past.tickets.fd, F_DUPFD_CLOEXEC, 0);
	past.tickets.version += _i;
	ck_assert_int_eq(service_memory_adopt(&adopted, &past), 0);
	ck_assert_int_eq(adopted.tickets != NULL, _i == 0);
	if (_i == 1)
		ck_assert(!unit_fd_is_open(past.tickets.fd));
	service_memory_free(&adopted);
	service_memory_free(&like);
	service_memory_free(&m);
} END_TEST

int main(void)
{
	Suite *s = suite_create("ticket_keys");
	TCase *tc = unit_case(s, "keys", set_up, tear_down);

	tcase_add_test(tc, there_is_a_first_key_at_once);
	tcase_add_test(tc, what_has_been_read_is_not_read_again);
	tcase_add_test(tc, a_new_key_comes_first_and_three_are_kept);
	tcase_add_test(tc, two_services_share_no_key);
	tcase_add_test(tc, another_state_of_the_service_can_have_the_same_keys);
	tcase_add_test(tc, another_program_goes_on_with_the_keys);
	tcase_add_test(tc, keys_that_a_program_has_written_by_half_are_replaced);
	tcase_add_test(tc, a_worker_can_only_read);
	tcase_add_loop_test(tc, a_service_has_keys_only_if_it_wants_them, 0, 2);
	return unit_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients of an outlet: which are taken, and what becomes of a listener that fails or is shut down.
 * The listeners are real ones; the clock is the test's.
 */
#include <config.h>
#include "outlet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "turned_loop.h"

#define LISTENERS 2
#define TAKEN_MAX 8

static struct outlet outlet;
static struct arena arena;
static int listeners[LISTENERS];        /* a copy of each: how the master has them */
static struct sockaddr_in at[LISTENERS];
static int taken[TAKEN_MAX];
static size_t n_taken;
static int accept_error;                /* of the next call; 0: it works */

int __real_accept4(int fd, struct sockaddr *a, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *a, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *a, socklen_t *len, int flags)
{
	if (accept_error == 0)
		return __real_accept4(fd, a, len, flags);
	errno = accept_error;
	accept_error = 0;
	return -1;
}

static void on_taken(void *arg, int fd, const struct address *client)
{
	ck_assert_ptr_eq(arg, &loop);
	ck_assert(unit_fd_is_well_born(fd));
	ck_assert_int_ne(client->len, 0);
	taken[n_taken++] = fd;
}

static int listen_at(size_t i)
{
	socklen_t len = sizeof at[i];
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	at[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at[i], len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at[i], &len), 0);
	listeners[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd;
}

static void set_up(void)
{
	int fds[LISTENERS];

	open_turned_loop();
	n_taken = 0;
	accept_error = 0;
	ck_assert_int_eq(arena_open(&arena, 1 << 16), 0);
	for (size_t i = 0; i < LISTENERS; i++)
		fds[i] = listen_at(i);
	outlet = (struct outlet){ .loop = &loop, .taken = on_taken, .arg = &loop };
	ck_assert_int_eq(outlet_open(&outlet, fds, LISTENERS), 0);
	turn();
}

static void tear_down(void)
{
	outlet_close(&outlet);
	outlet_close(&outlet);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
	for (size_t i = 0; i < LISTENERS; i++)
		close(listeners[i]);
	for (size_t i = 0; i < n_taken; i++)
		close(taken[i]);
	arena_close(&arena);
	loop_fini(&loop);
}

static int client_from(const char *ip, size_t i)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, ip, &own.sin_addr);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at[i], sizeof at[i]), 0);
	return fd;
}

static void allow(const char *prefix)
{
	struct prefix_entry e = { .verdict = PREFIX_ALLOW };

	ck_assert_int_eq(cidr_parse(prefix, &e.cidr), CIDR_OK);
	outlet.allowed = prefix_set_build(&arena, &e, 1);
	ck_assert_ptr_nonnull(outlet.allowed);
}

/* ---- clients ------------------------------------------------------------ */

START_TEST(each_listener_has_its_turn)
{
	int fds[4];

	for (size_t i = 0; i < 4; i++)
		fds[i] = client_from("127.0.0.1", i / 2);
	turn();
	ck_assert_uint_eq(n_taken, 2);
	turn();
	ck_assert_uint_eq(n_taken, 4);
	turn();
	ck_assert_uint_eq(n_taken, 4);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
} END_TEST

START_TEST(only_those_that_are_allowed_are_taken)
{
	char byte;
	int other, one;

	allow("127.0.0.1");
	other = client_from("127.0.0.2", 0);
	turn();
	ck_assert_uint_eq(n_taken, 0);
	ck_assert_int_eq(recv(other, &byte, 1, 0), 0);
	one = client_from("127.0.0.1", 0);
	turn();
	ck_assert_uint_eq(n_taken, 1);
	close(one);
	close(other);
} END_TEST

START_TEST(clients_of_unix_sockets_have_no_address_and_are_taken)
{
	struct sockaddr_un { sa_family_t family; char path[108]; } a = { .family = AF_UNIX };
	socklen_t len = sizeof a.family;
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	outlet_close(&outlet);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, len), 0);      /* the kernel finds an abstract name */
	len = sizeof a;
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	allow("192.0.2.1");
	ck_assert_int_eq(outlet_open(&outlet, &fd, 1), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&a, len), 0);
	turn();
	ck_assert_uint_eq(n_taken, 1);
	close(client);
} END_TEST

/* ---- trouble ------------------------------------------------------------ */

static const int passing[] = { EAGAIN, EINTR, ECONNABORTED };

START_TEST(an_error_of_one_client_is_nothing_to_the_next)
{
	const int fd = client_from("127.0.0.1", 0);

	accept_error = passing[_i];
	turn();
	ck_assert_uint_eq(n_taken, 0);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
	turn();
	ck_assert_uint_eq(n_taken, 1);
	close(fd);
} END_TEST

static const int lasting[] = { EMFILE, ENFILE, ENOMEM, ENOBUFS };

START_TEST(without_descriptors_all_listeners_pause_for_a_second)
{
	const int a = client_from("127.0.0.1", 0);
	int b;

	accept_error = lasting[_i];
	turn();
	b = client_from("127.0.0.1", 1);
	turn();
	pass(999);
	ck_assert_uint_eq(n_taken, 0);
	pass(1);                        /* they are watched again, */
	turn();                         /* and have their turn */
	ck_assert_uint_eq(n_taken, 2);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
	close(a);
	close(b);
} END_TEST

START_TEST(a_listener_that_is_shut_down_is_closed_and_the_other_goes_on)
{
	int fd;

	ck_assert_int_eq(shutdown(listeners[0], SHUT_RDWR), 0);
	turn();
	ck_assert_int_eq(outlet.listeners[0].watch.fd, -1);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
	fd = client_from("127.0.0.1", 1);
	turn();
	ck_assert_uint_eq(n_taken, 1);
	accept_error = EMFILE;
	close(fd);
	fd = client_from("127.0.0.1", 1);
	turn();
	pass(1000);                     /* what is closed does not begin again */
	turn();
	ck_assert_uint_eq(n_taken, 2);
	ck_assert_int_eq(outlet.listeners[0].watch.fd, -1);
	close(fd);
} END_TEST

START_TEST(a_pause_ends_with_the_outlet)
{
	const int fd = client_from("127.0.0.1", 0);

	accept_error = EMFILE;
	turn();
	ck_assert_int_ne(timer_next(&loop.timers), CLOCK_NEVER);
	outlet_close(&outlet);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("outlet");
	TCase *tc = unit_case(s, "clients", set_up, tear_down);

	tcase_add_test(tc, each_listener_has_its_turn);
	tcase_add_test(tc, only_those_that_are_allowed_are_taken);
	tcase_add_test(tc, clients_of_unix_sockets_have_no_address_and_are_taken);
	tc = unit_case(s, "trouble", set_up, tear_down);
	tcase_add_loop_test(tc, an_error_of_one_client_is_nothing_to_the_next, 0, ARRAY_SIZE(passing));
	tcase_add_loop_test(tc, without_descriptors_all_listeners_pause_for_a_second, 0, ARRAY_SIZE(lasting));
	tcase_add_test(tc, a_listener_that_is_shut_down_is_closed_and_the_other_goes_on);
	tcase_add_test(tc, a_pause_ends_with_the_outlet);
	return unit_run(s);
}

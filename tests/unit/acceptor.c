/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking connections: no more than there is room for, and what happens to those
 * that wait. The listeners are real ones on the loopback.
 */
#include <config.h>
#include "acceptor.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "log.h"
#include "unit.h"

#define LISTENERS   3
#define CLIENTS_MAX 16

static struct loop loop;
static struct timer guard, tick;
static struct acceptor *acceptor;
static int listeners[LISTENERS];
static struct sockaddr_in at[LISTENERS];
static int clients[CLIENTS_MAX];
static size_t n_clients;

/* The owner. */
static struct {
	int         fds[CLIENTS_MAX];
	size_t      from[CLIENTS_MAX];  /* the listener of each */
	size_t      n, room;
	bool        ahead;
	uint64_t    others_done;
	unsigned    n_paused, n_resumed, n_emptied, n_declined;
	int64_t     limited_ms;         /* the service is at a limit: ask again after that time */
	bool        is_late;            /* another worker takes the client first */
	unsigned    n_left_waiting;
	int         n_reserved;         /* places that were reserved, and neither used nor given back */
	bool        refuses;            /* all clients, which then take no room */
	int         n_refused;
	const char *reason;
} owner;

static int64_t reserve(void *arg)
{
	(void)arg;
	owner.n_reserved += owner.limited_ms == 0;
	if (owner.is_late)
		close(accept(listeners[0], NULL, NULL));
	owner.is_late = false;
	return owner.limited_ms;
}

static void left_waiting(void *arg)
{
	(void)arg;
	owner.n_left_waiting++;
}

static void unreserve(void *arg)
{
	(void)arg;
	owner.n_reserved--;
}

static void on_accepted(void *arg, int fd, size_t listener, const struct endpoint *peer)
{
	(void)arg;
	owner.n_reserved--;
	ck_assert_int_eq(peer->family, AF_INET);
	ck_assert(unit_fd_is_well_born(fd));
	if (owner.refuses) {
		owner.n_refused++;
		close(fd);
		return;
	}
	owner.from[owner.n] = listener;
	owner.fds[owner.n++] = fd;
}

static bool has_room(void *arg)
{
	(void)arg;
	return owner.n < owner.room;
}

static bool is_ahead(void *arg, uint64_t *done)
{
	(void)arg;
	*done = owner.others_done;
	return owner.ahead;
}

static void on_declined(void *arg)
{
	(void)arg;
	owner.n_declined++;
}

static void on_paused(void *arg, const char *reason)
{
	(void)arg;
	owner.n_paused++;
	owner.reason = reason;
}

static void on_resumed(void *arg)
{
	(void)arg;
	owner.n_resumed++;
}

static void on_emptied(void *arg)
{
	(void)arg;
	owner.n_emptied++;
}

/* accept4(2) fails so often, with that errno; or returns so many clients, whatever waits. */
static int n_failures, failure;
static int n_more;

static int make_client(struct sockaddr *from)
{
	n_more--;
	from->sa_family = AF_INET;
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int __real_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	if (n_failures > 0) {
		n_failures--;
		errno = failure;
		return -1;
	}
	if (n_more > 0)
		return make_client(from);
	return __real_accept4(fd, from, len, flags);
}

static void stop(struct timer *t)
{
	(void)t;
	loop_stop(&loop);
}

static void fail_late(struct timer *t)
{
	(void)t;
	ck_abort_msg("nothing happened for too long");
}

static void set_up(void)
{
	static const struct acceptor_options options = { .accept_flags = SOCK_NONBLOCK,
	                                                 .service = "test" };
	static const struct acceptor_owner us = {
		.reserve = reserve, .unreserve = unreserve, .left_waiting = left_waiting,
		.accepted = on_accepted, .has_room = has_room, .is_ahead = is_ahead,
		.declined = on_declined, .paused = on_paused, .resumed = on_resumed,
		.emptied = on_emptied,
	};

	log_use(NULL, LOG_LEVEL_ERROR);
	ck_assert_int_eq(loop_init(&loop), 0);
	guard.fire = fail_late;
	tick.fire = stop;
	loop_timer(&loop, &guard, 15000);
	owner.room = CLIENTS_MAX;
	for (int i = 0; i < LISTENERS; i++) {
		socklen_t len = sizeof at[i];

		at[i] = (struct sockaddr_in){ .sin_family = AF_INET,
		                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		ck_assert_int_eq(bind(listeners[i], (struct sockaddr *)&at[i], len), 0);
		ck_assert_int_eq(listen(listeners[i], CLIENTS_MAX), 0);
		ck_assert_int_eq(getsockname(listeners[i], (struct sockaddr *)&at[i], &len), 0);
	}
	acceptor = acceptor_new(&loop, &us, &options, listeners, LISTENERS);
	ck_assert_int_eq(acceptor_begin(acceptor), 0);
}

/* The number of a closed one may be another's by now. */
static bool is_listening(int fd)
{
	int value = 0;
	socklen_t len = sizeof value;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 && value;
}

static void tear_down(void)
{
	acceptor_close(&acceptor);
	ck_assert_ptr_null(acceptor);
	for (int i = 0; i < LISTENERS; i++)
		ck_assert(!is_listening(listeners[i]));
	timer_unset(&loop.timers, &guard);
	timer_unset(&loop.timers, &tick);
	ck_assert_uint_eq(loop.timers.n, 0);
	loop_fini(&loop);
}

static void turns(int n)
{
	while (n-- > 0) {
		loop_timer_at(&loop, &tick, 0);
		loop_run(&loop);
	}
}

static void pass(int64_t ms)
{
	loop_timer(&loop, &tick, ms);
	loop_run(&loop);
}

static void come(int listener)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at[listener], sizeof at[0]), 0);
	clients[n_clients++] = fd;
}

static bool rests(void)
{
	struct epoll_event e;

	return epoll_wait(loop.epoll_fd, &e, 1, 0) == 0;
}

/* ---- room --------------------------------------------------------------- */

START_TEST(clients_are_taken_from_each_listener)
{
	for (int i = 0; i < 2 * LISTENERS; i++)
		come(i % LISTENERS);
	turns(4);
	ck_assert_uint_eq(owner.n, 2 * LISTENERS);
	for (size_t i = 0; i < owner.n; i++) {
		struct sockaddr_in ours;
		socklen_t len = sizeof ours;

		ck_assert_int_eq(getsockname(owner.fds[i], (struct sockaddr *)&ours, &len), 0);
		ck_assert_int_eq(ours.sin_port, at[owner.from[i]].sin_port);
	}
	ck_assert(rests());
} END_TEST

START_TEST(no_more_are_taken_than_there_is_room_for)
{
	owner.room = 2;
	for (int i = 0; i < 6; i++)
		come(i % LISTENERS);
	turns(10);
	ck_assert_uint_eq(owner.n, 2);
	ck_assert(rests());                     /* it does not even look */
	owner.n--;
	acceptor_one_less(acceptor);
	turns(10);
	ck_assert_uint_eq(owner.n, 2);
	owner.room = CLIENTS_MAX;
	acceptor_one_less(acceptor);
	turns(10);
	ck_assert_uint_eq(owner.n, 5);
} END_TEST

START_TEST(a_worker_that_is_ahead_leaves_what_comes_to_the_others)
{
	owner.ahead = true;
	come(0);
	come(0);
	turns(1);
	ck_assert_uint_eq(owner.n_declined, 1); /* they are told: they may all be asleep */
	ck_assert(rests());                     /* it does not even look */
	for (int i = 0; i < 40; i++) {
		owner.others_done++;            /* they are at it */
		pass(5);
	}
	ck_assert_uint_eq(owner.n, 0);
} END_TEST

START_TEST(a_worker_that_is_ahead_of_others_that_do_nothing_goes_on_without_them)
{
	owner.ahead = true;
	for (int i = 0; i < 4; i++)
		come(0);
	while (owner.n < 1)
		pass(1);
	ck_assert_uint_eq(owner.n, 1);          /* one at first */
	while (owner.n < 3)
		pass(1);                        /* then more */
	owner.others_done++;                    /* they are back: it is their turn again */
	turns(1);
	for (int i = 0; i < 20; i++) {
		owner.others_done++;
		pass(2);
	}
	ck_assert_uint_le(owner.n, 3);
} END_TEST

START_TEST(a_worker_that_is_not_ahead_any_more_comes_forward_at_once)
{
	owner.ahead = true;
	come(0);
	turns(1);
	ck_assert_uint_eq(owner.n, 0);
	owner.ahead = false;
	acceptor_one_less(acceptor);
	turns(1);
	ck_assert_uint_eq(owner.n, 1);
} END_TEST

/* Another worker was woken and could not take it: no event would come here. */
START_TEST(a_worker_that_is_told_to_look_takes_what_waits)
{
	owner.room = 2;
	for (int i = 0; i < LISTENERS; i++) {
		ck_assert_int_eq(epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, listeners[i], NULL), 0);
		come(i);
	}
	turns(1);
	ck_assert_uint_eq(owner.n, 0);
	acceptor_look(acceptor);
	turns(2);
	ck_assert_uint_eq(owner.n, 2);
	owner.room = CLIENTS_MAX;
	acceptor_drop(acceptor);
	acceptor_look(acceptor);
	turns(2);
	ck_assert_uint_eq(owner.n, 2);
} END_TEST

/* ---- limits ------------------------------------------------------------- */

START_TEST(at_a_limit_clients_wait_and_no_place_is_taken)
{
	owner.limited_ms = 60000;
	come(0);
	turns(2);
	ck_assert_uint_eq(owner.n, 0);
	ck_assert_int_eq(owner.n_reserved, 0);
	ck_assert(rests());                     /* it does not even look */
	ck_assert_uint_eq(owner.n_left_waiting, 1);
} END_TEST

START_TEST(at_a_limit_a_client_that_another_worker_has_taken_does_not_wait)
{
	owner.limited_ms = 60000;
	owner.is_late = true;
	come(0);
	turns(2);
	ck_assert_uint_eq(owner.n_left_waiting, 0);
	owner.limited_ms = 0;
	come(0);                                /* it still looks */
	turns(1);
	ck_assert_uint_eq(owner.n, 1);
} END_TEST

static void wait_over(void)
{
	while (owner.n == 0)
		pass(1);
}

static void one_less(void)
{
	acceptor_one_less(acceptor);
	turns(1);
}

static void look(void)
{
	acceptor_look(acceptor);
	turns(1);
}

START_TEST(behind_a_limit_it_goes_on)
{
	static void (*const ways[])(void) = { wait_over, one_less, look };

	owner.limited_ms = _i == 0 ? 1 : 60000;
	come(0);
	turns(1);
	ck_assert_uint_eq(owner.n, 0);
	owner.limited_ms = 0;
	ways[_i]();
	ck_assert_uint_eq(owner.n, 1);
} END_TEST

/* The second listener is tried as well, and has none. */
START_TEST(a_place_without_a_client_is_given_back)
{
	come(1);
	turns(3);
	ck_assert_uint_eq(owner.n, 1);
	ck_assert_uint_eq(owner.from[0], 1);
	ck_assert_int_eq(owner.n_reserved, 0);
	n_failures = 1;
	failure = ECONNABORTED;
	come(0);
	turns(3);
	ck_assert_int_eq(owner.n_reserved, 0);
} END_TEST

START_TEST(a_drained_listener_waits_at_a_limit)
{
	owner.limited_ms = 60000;
	come(0);
	acceptor_drain(acceptor, 1);
	turns(2);
	ck_assert(is_listening(listeners[0]));
	ck_assert_uint_eq(owner.n, 0);
	owner.limited_ms = 0;
	acceptor_one_less(acceptor);
	turns(2);
	ck_assert_uint_eq(owner.n, 1);
	ck_assert(acceptor_is_empty(acceptor));
} END_TEST

/* ---- trouble ------------------------------------------------------------ */

START_TEST(without_descriptors_it_pauses_and_goes_on)
{
	static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM };

	n_failures = 1;
	failure = errors[_i];
	come(0);
	turns(5);
	ck_assert_uint_eq(owner.n, 0);
	ck_assert_uint_eq(owner.n_paused, 1);
	ck_assert_str_eq(owner.reason, "descriptors");
	ck_assert(rests());
	acceptor_one_less(acceptor);            /* does not end the pause */
	turns(2);
	ck_assert_uint_eq(owner.n, 0);
	while (owner.n_resumed == 0)
		pass(ACCEPTOR_PAUSE_MS / 4);
	turns(2);
	ck_assert_uint_eq(owner.n, 1);
	ck_assert_uint_eq(owner.n_paused, 1);
} END_TEST

START_TEST(trouble_of_one_connection_does_not_stop_the_next)
{
	static const int errors[] = { ECONNABORTED, EINTR, EPROTO, ENETDOWN, EHOSTUNREACH };

	n_failures = 1;
	failure = errors[_i];
	come(0);
	turns(2);
	ck_assert_uint_eq(owner.n, 1);
	ck_assert_uint_eq(owner.n_paused, 0);
} END_TEST

START_TEST(a_pause_can_be_asked_for)
{
	acceptor_pause(acceptor, "program");
	acceptor_pause(acceptor, "again");      /* already does */
	come(0);
	turns(3);
	ck_assert_uint_eq(owner.n, 0);
	ck_assert_uint_eq(owner.n_paused, 1);
	ck_assert_str_eq(owner.reason, "program");
} END_TEST

/*
 * The arrival on another listener may have woken a worker that had no room left
 * when it got to it. Here it is hidden from the worker's own epoll.
 */
START_TEST(a_worker_that_is_woken_for_nothing_looks_at_the_other_listeners)
{
	ck_assert_int_eq(epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, listeners[1], NULL), 0);
	come(1);
	turns(2);
	ck_assert_uint_eq(owner.n, 0);
	n_failures = 1;                         /* another one was faster */
	failure = EAGAIN;
	come(0);
	turns(1);
	ck_assert_uint_eq(owner.n, 1);
	turns(1);
	ck_assert_uint_eq(owner.n, 2);
} END_TEST

/* ---- the end ------------------------------------------------------------ */

START_TEST(draining_takes_what_waits_and_closes)
{
	for (int i = 0; i < 6; i++)
		come(i % LISTENERS);
	acceptor_drain(acceptor, 0);
	turns(2);
	ck_assert_uint_eq(owner.n, 6);
	ck_assert(acceptor_is_empty(acceptor));
	for (int i = 0; i < LISTENERS; i++)
		ck_assert(!is_listening(listeners[i]));
} END_TEST

START_TEST(without_room_draining_leaves_what_waits_to_the_others)
{
	owner.room = 1;
	come(0);
	come(0);
	come(1);
	acceptor_drain(acceptor, 0);
	turns(2);
	ck_assert_uint_eq(owner.n, 1);
	ck_assert(acceptor_is_empty(acceptor));
} END_TEST

/* No other process has them: closing would reset the clients that wait there. */
START_TEST(removed_listeners_stay_until_they_are_empty)
{
	owner.room = 2;
	for (int i = 0; i < 4; i++)
		come(1);
	acceptor_drain(acceptor, 1u << 1);
	turns(2);
	ck_assert_uint_eq(owner.n, 2);
	ck_assert(!acceptor_is_empty(acceptor));
	ck_assert(!is_listening(listeners[0]) && is_listening(listeners[1]));
	ck_assert(rests());
	owner.n = 1;
	acceptor_one_less(acceptor);
	turns(3);
	ck_assert_uint_eq(owner.n, 2);
	ck_assert(is_listening(listeners[1]));
	ck_assert_uint_eq(owner.n_emptied, 0);
	ck_assert(rests());                     /* there is nothing to watch */
	owner.n = 0;
	acceptor_one_less(acceptor);
	turns(3);
	ck_assert_uint_eq(owner.n, 1);
	ck_assert(acceptor_is_empty(acceptor));
	ck_assert_uint_eq(owner.n_emptied, 1);
} END_TEST

/* As connection.c does: the end of one must not begin another under its feet. */
START_TEST(room_while_draining_is_used_at_the_end_of_the_turn)
{
	owner.room = 1;
	come(0);
	come(0);
	acceptor_drain(acceptor, 1);
	turns(2);
	ck_assert_uint_eq(owner.n, 1);
	owner.n = 0;
	acceptor_one_less(acceptor);
	ck_assert_uint_eq(owner.n, 0);
	turns(2);
	ck_assert_uint_eq(owner.n, 1);
} END_TEST

START_TEST(an_empty_removed_listener_is_closed_at_once)
{
	acceptor_drain(acceptor, ~UINT64_C(0));
	turns(2);
	ck_assert(acceptor_is_empty(acceptor));
} END_TEST

START_TEST(draining_in_a_pause_goes_on_after_it)
{
	acceptor_pause(acceptor, "program");
	come(0);
	acceptor_drain(acceptor, 1);
	turns(2);
	ck_assert_uint_eq(owner.n, 0);
	ck_assert(!acceptor_is_empty(acceptor));
	while (owner.n_emptied == 0)
		pass(ACCEPTOR_PAUSE_MS / 4);
	ck_assert_uint_eq(owner.n, 1);
} END_TEST

/* Its connections have their turn meanwhile, however fast new clients come. */
START_TEST(a_flood_of_clients_that_are_refused_does_not_hold_up_a_drain)
{
	owner.refuses = true;
	n_more = 5000;
	acceptor_drain(acceptor, 0);
	turns(2);
	ck_assert_int_le(owner.n_refused, 2 * LISTENERS * 100);
	ck_assert(!acceptor_is_empty(acceptor));
	while (owner.n_emptied == 0)
		pass(1);
	ck_assert_int_eq(owner.n_refused, 5000);
	ck_assert(acceptor_is_empty(acceptor));
} END_TEST

START_TEST(dropping_takes_nothing_more)
{
	char byte;

	come(0);
	acceptor_drop(acceptor);
	ck_assert(acceptor_is_empty(acceptor));
	ck_assert_uint_eq(owner.n, 0);
	ck_assert_int_eq(recv(clients[0], &byte, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
} END_TEST

int main(void)
{
	Suite *s = suite_create("acceptor");
	TCase *room = unit_case(s, "room", set_up, tear_down);
	TCase *trouble = unit_case(s, "trouble", set_up, tear_down);
	TCase *end = unit_case(s, "end", set_up, tear_down);

	tcase_add_test(room, clients_are_taken_from_each_listener);
	tcase_add_test(room, no_more_are_taken_than_there_is_room_for);
	tcase_add_test(room, a_worker_that_is_ahead_leaves_what_comes_to_the_others);
	tcase_add_test(room, a_worker_that_is_ahead_of_others_that_do_nothing_goes_on_without_them);
	tcase_add_test(room, a_worker_that_is_not_ahead_any_more_comes_forward_at_once);
	tcase_add_test(room, a_worker_that_is_told_to_look_takes_what_waits);
	tcase_add_test(room, at_a_limit_clients_wait_and_no_place_is_taken);
	tcase_add_test(room, at_a_limit_a_client_that_another_worker_has_taken_does_not_wait);
	tcase_add_loop_test(room, behind_a_limit_it_goes_on, 0, 3);
	tcase_add_test(room, a_place_without_a_client_is_given_back);
	tcase_add_test(end, a_drained_listener_waits_at_a_limit);
	tcase_add_loop_test(trouble, without_descriptors_it_pauses_and_goes_on, 0, 4);
	tcase_add_loop_test(trouble, trouble_of_one_connection_does_not_stop_the_next, 0, 5);
	tcase_add_test(trouble, a_pause_can_be_asked_for);
	tcase_add_test(trouble, a_worker_that_is_woken_for_nothing_looks_at_the_other_listeners);
	tcase_add_test(end, draining_takes_what_waits_and_closes);
	tcase_add_test(end, without_room_draining_leaves_what_waits_to_the_others);
	tcase_add_test(end, removed_listeners_stay_until_they_are_empty);
	tcase_add_test(end, room_while_draining_is_used_at_the_end_of_the_turn);
	tcase_add_test(end, an_empty_removed_listener_is_closed_at_once);
	tcase_add_test(end, draining_in_a_pause_goes_on_after_it);
	tcase_add_test(end, a_flood_of_clients_that_are_refused_does_not_hold_up_a_drain);
	tcase_add_test(end, dropping_takes_nothing_more);
	return unit_run(s);
}

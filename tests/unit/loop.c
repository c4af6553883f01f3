/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event loop: who is called, and who is not any more.
 */
#include <config.h>
#include "loop.h"

#include "clock.h"
#include "list.h"
#include "unit.h"

static struct loop loop;
static struct timer guard, tick;

/* One pipe; its reading end is watched. Always on the heap: a touch after its end is seen. */
struct thing {
	struct watch  watch;
	int           writer;
	unsigned      n_ready;
	uint32_t      events;
	struct thing *victim;           /* reclaimed when this one is ready */
};

static unsigned n_buried;
static struct thing *survivor;         /* the last one that reclaimed another */

static void stop(struct timer *t)
{
	(void)t;
	loop_stop(&loop);
}

static void fail_late(struct timer *t)
{
	(void)t;
	ck_abort_msg("nothing happened");
}

static void set_up(void)
{
	n_buried = 0;
	ck_assert_int_eq(loop_init(&loop), 0);
	guard = (struct timer){ .fire = fail_late };
	tick = (struct timer){ .fire = stop };
	loop_timer(&loop, &guard, 10000);
}

static void tear_down(void)
{
	loop_fini(&loop);
}

/* Turns until all that is ready now was served. */
static void turn(void)
{
	loop_timer_at(&loop, &tick, 0);
	ck_assert_int_eq(loop_run(&loop), 0);
}

static void reclaim(struct watch *w)
{
	struct thing *t = container_of(w, struct thing, watch);

	close(t->watch.fd);
	close(t->writer);
	n_buried++;
	free(t);
}

static void on_ready(struct watch *w, uint32_t events)
{
	struct thing *t = container_of(w, struct thing, watch);
	char c;

	t->n_ready++;
	t->events = events;
	ck_assert_ptr_null(w->reclaim);
	if (events & EPOLLIN)
		ck_assert_int_eq(read(w->fd, &c, 1), 1);
	if (t->victim) {
		struct thing *victim = t->victim;

		t->victim = victim->victim = NULL;
		survivor = t;
		loop_reclaim(&loop, &victim->watch, reclaim);
		ck_assert_uint_eq(n_buried, 0); /* a caller may still use it */
	}
}

static struct thing *thing_new(void)
{
	struct thing *t = calloc(1, sizeof *t);
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	t->watch = (struct watch){ .fd = ends[0], .ready = on_ready };
	t->writer = ends[1];
	ck_assert_int_eq(loop_watch(&loop, &t->watch, EPOLLIN), 0);
	return t;
}

static void poke(const struct thing *t)
{
	ck_assert_int_eq(write(t->writer, "x", 1), 1);
}

START_TEST(events_reach_the_watch_they_are_for)
{
	struct thing *a = thing_new(), *b = thing_new();

	poke(a);
	turn();
	ck_assert_uint_eq(a->n_ready, 1);
	ck_assert_uint_eq(a->events, EPOLLIN);
	ck_assert_uint_eq(b->n_ready, 0);
	turn();
	ck_assert_uint_eq(a->n_ready, 1);
	loop_reclaim(&loop, &a->watch, reclaim);
	loop_reclaim(&loop, &b->watch, reclaim);
} END_TEST

START_TEST(what_is_not_taken_is_told_again)
{
	struct thing *a = thing_new();

	poke(a);
	poke(a);
	turn();
	turn();
	ck_assert_uint_eq(a->n_ready, 2);
	loop_reclaim(&loop, &a->watch, reclaim);
} END_TEST

START_TEST(an_unwatched_one_hears_nothing_until_it_is_watched_again)
{
	struct thing *a = thing_new();

	loop_unwatch(&loop, &a->watch);
	loop_unwatch(&loop, &a->watch);
	ck_assert_uint_eq(a->watch.events, 0);
	poke(a);
	turn();
	ck_assert_uint_eq(a->n_ready, 0);
	ck_assert_int_eq(loop_watch(&loop, &a->watch, EPOLLIN), 0);
	turn();
	ck_assert_uint_eq(a->n_ready, 1);
	loop_reclaim(&loop, &a->watch, reclaim);
} END_TEST

START_TEST(what_it_is_watched_for_can_be_changed)
{
	struct thing *a = thing_new();

	ck_assert_int_eq(loop_rewatch(&loop, &a->watch, EPOLLIN), 0);
	ck_assert_int_eq(loop_rewatch(&loop, &a->watch, EPOLLPRI), 0);
	poke(a);
	turn();
	ck_assert_uint_eq(a->n_ready, 0);
	ck_assert_int_eq(loop_rewatch(&loop, &a->watch, EPOLLIN), 0);
	turn();
	ck_assert_uint_eq(a->n_ready, 1);
	loop_reclaim(&loop, &a->watch, reclaim);
} END_TEST

START_TEST(what_is_not_watched_yet_can_be_changed_to_be)
{
	struct thing *a = thing_new();

	loop_unwatch(&loop, &a->watch);
	poke(a);
	ck_assert_int_eq(loop_rewatch(&loop, &a->watch, EPOLLIN), 0);
	ck_assert_uint_eq(a->watch.events, EPOLLIN);
	turn();
	ck_assert_uint_eq(a->n_ready, 1);
	loop_reclaim(&loop, &a->watch, reclaim);
} END_TEST

/* Not even of the end, which epoll(7) tells unasked. */
START_TEST(changed_to_nothing_it_hears_nothing)
{
	struct thing *a = thing_new();

	poke(a);
	ck_assert_int_eq(loop_rewatch(&loop, &a->watch, 0), 0);
	ck_assert_int_eq(loop_rewatch(&loop, &a->watch, 0), 0);
	ck_assert_uint_eq(a->watch.events, 0);
	close(a->writer);
	a->writer = -1;
	turn();
	ck_assert_uint_eq(a->n_ready, 0);
	ck_assert_int_eq(loop_rewatch(&loop, &a->watch, EPOLLIN), 0);
	turn();
	ck_assert_uint_eq(a->n_ready, 1);
	ck_assert_uint_eq(a->events, EPOLLIN | EPOLLHUP);
	ck_assert_int_eq(loop_rewatch(&loop, &a->watch, 0), 0);
	loop_unwatch(&loop, &a->watch);
	loop_reclaim(&loop, &a->watch, reclaim);
} END_TEST

/* No system call is asked, which would say EBADF. */
START_TEST(no_change_costs_nothing)
{
	struct watch w = { .fd = -1, .ready = on_ready };

	ck_assert_int_eq(loop_rewatch(&loop, &w, 0), 0);
	w.events = EPOLLIN;
	ck_assert_int_eq(loop_rewatch(&loop, &w, EPOLLIN), 0);
} END_TEST

START_TEST(a_change_that_fails_changes_nothing)
{
	struct watch w = { .fd = 999, .ready = on_ready };

	ck_assert_int_eq(loop_rewatch(&loop, &w, EPOLLIN), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_uint_eq(w.events, 0);
	w.events = EPOLLIN;
	ck_assert_int_eq(loop_rewatch(&loop, &w, EPOLLOUT), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_uint_eq(w.events, EPOLLIN);
} END_TEST

START_TEST(what_cannot_be_watched_gives_errno)
{
	struct watch w = { .fd = 999, .ready = on_ready };

	ck_assert_int_eq(loop_watch(&loop, &w, EPOLLIN), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_uint_eq(w.events, 0);
	w.fd = open("/tmp", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	ck_assert_int_eq(loop_watch(&loop, &w, EPOLLIN), -1);
	ck_assert_int_eq(errno, EPERM);
	loop_unwatch(&loop, &w);
	close(w.fd);
} END_TEST

/* Both are ready in one turn: whichever is served first ends the other. */
START_TEST(nothing_reaches_a_reclaimed_watch)
{
	struct thing *a = thing_new(), *b = thing_new();

	a->victim = b;
	b->victim = a;
	poke(a);
	poke(b);
	turn();
	ck_assert_uint_eq(n_buried, 1);
	ck_assert_uint_eq(survivor->n_ready, 1);
	loop_reclaim(&loop, &survivor->watch, reclaim);
	turn();
	ck_assert_uint_eq(n_buried, 2);
} END_TEST

START_TEST(one_can_reclaim_itself)
{
	struct thing *a = thing_new();

	a->victim = a;
	poke(a);
	poke(a);
	turn();
	ck_assert_uint_eq(n_buried, 1);
} END_TEST

START_TEST(what_waits_is_reclaimed_when_the_loop_ends)
{
	struct thing *a = thing_new(), *b = thing_new();

	loop_reclaim(&loop, &a->watch, reclaim);
	loop_reclaim(&loop, &b->watch, reclaim);
	ck_assert_uint_eq(n_buried, 0);
	loop_fini(&loop);
	ck_assert_uint_eq(n_buried, 2);
	ck_assert_int_eq(loop.epoll_fd, -1);
	ck_assert_int_eq(loop_init(&loop), 0);
} END_TEST

/* The program of a connection may be buried with it. */
static struct thing *second;

static void reclaim_and_reclaim_second(struct watch *w)
{
	loop_reclaim(&loop, &second->watch, reclaim);
	reclaim(w);
}

START_TEST(reclaiming_one_may_reclaim_another)
{
	struct thing *a = thing_new();

	second = thing_new();
	loop_reclaim(&loop, &a->watch, reclaim_and_reclaim_second);
	turn();
	ck_assert_uint_eq(n_buried, 2);
} END_TEST

/* ---- timers ------------------------------------------------------------- */

static struct timer first, later;
static int64_t first_ms, later_ms;

static void note_first(struct timer *t)
{
	(void)t;
	first_ms = clock_ms();
	ck_assert_int_eq(later_ms, 0);
}

static void note_later(struct timer *t)
{
	(void)t;
	later_ms = clock_ms();
	loop_stop(&loop);
}

START_TEST(timers_wake_the_loop_in_their_order_and_not_early)
{
	int64_t begun = loop.now_ms;

	first.fire = note_first;
	later.fire = note_later;
	loop_timer(&loop, &later, 40);
	loop_timer(&loop, &first, 20);
	loop_run(&loop);
	ck_assert_int_ge(first_ms - begun, 20);
	ck_assert_int_ge(later_ms - begun, 40);
} END_TEST

START_TEST(an_unset_timer_does_not_fire)
{
	first.fire = fail_late;
	loop_timer(&loop, &first, 5);
	loop_timer_at(&loop, &first, CLOCK_NEVER);
	later.fire = note_later;
	loop_timer(&loop, &later, 10);
	loop_run(&loop);
	ck_assert_int_ne(later_ms, 0);
} END_TEST

static void poke_second(struct timer *t)
{
	(void)t;
	poke(second);
}

static void stop_when_ready(struct watch *w, uint32_t events)
{
	(void)w, (void)events;
	loop_stop(&loop);
}

START_TEST(the_loop_sleeps_for_an_event_when_no_timer_is_near)
{
	second = thing_new();
	second->watch.ready = stop_when_ready;
	loop_timer_at(&loop, &guard, CLOCK_NEVER);
	first.fire = poke_second;
	loop_timer(&loop, &first, 1);
	later.fire = fail_late;
	loop_timer(&loop, &later, (int64_t)INT32_MAX * 4);      /* more than epoll can wait */
	loop_run(&loop);
	loop_reclaim(&loop, &second->watch, reclaim);
} END_TEST

/* Before anybody is called: who gets stuck then, has said since when. */
static _Atomic int64_t woke_ms;

static void expect_told(struct timer *t)
{
	ck_assert_int_eq(atomic_load(&woke_ms), loop.now_ms);
	stop(t);
}

START_TEST(each_turn_tells_others_its_time)
{
	int64_t begun = loop.now_ms;

	loop.woke_ms = &woke_ms;
	first.fire = expect_told;
	loop_timer(&loop, &first, 5);
	loop_run(&loop);
	ck_assert_int_ge(atomic_load(&woke_ms), begun + 5);
	loop_timer(&loop, &first, 5);
	loop_run(&loop);
	ck_assert_int_ge(atomic_load(&woke_ms), begun + 10);
} END_TEST

START_TEST(a_loop_that_cannot_go_on_says_so)
{
	close(loop.epoll_fd);
	ck_assert_int_eq(loop_run(&loop), -1);
	loop.epoll_fd = -1;
} END_TEST

int main(void)
{
	Suite *s = suite_create("loop");
	TCase *tc = unit_case(s, "loop", set_up, tear_down);

	tcase_add_test(tc, events_reach_the_watch_they_are_for);
	tcase_add_test(tc, what_is_not_taken_is_told_again);
	tcase_add_test(tc, an_unwatched_one_hears_nothing_until_it_is_watched_again);
	tcase_add_test(tc, what_it_is_watched_for_can_be_changed);
	tcase_add_test(tc, what_is_not_watched_yet_can_be_changed_to_be);
	tcase_add_test(tc, changed_to_nothing_it_hears_nothing);
	tcase_add_test(tc, no_change_costs_nothing);
	tcase_add_test(tc, a_change_that_fails_changes_nothing);
	tcase_add_test(tc, what_cannot_be_watched_gives_errno);
	tcase_add_test(tc, nothing_reaches_a_reclaimed_watch);
	tcase_add_test(tc, one_can_reclaim_itself);
	tcase_add_test(tc, what_waits_is_reclaimed_when_the_loop_ends);
	tcase_add_test(tc, reclaiming_one_may_reclaim_another);
	tcase_add_test(tc, timers_wake_the_loop_in_their_order_and_not_early);
	tcase_add_test(tc, an_unset_timer_does_not_fire);
	tcase_add_test(tc, the_loop_sleeps_for_an_event_when_no_timer_is_near);
	tcase_add_test(tc, each_turn_tells_others_its_time);
	tcase_add_test(tc, a_loop_that_cannot_go_on_says_so);
	return unit_run(s);
}

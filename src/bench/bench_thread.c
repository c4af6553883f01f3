/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event loop of a thread: it waits, reads the clock and obeys orders. It waits without a
 * time-out as long as there is enough to do, because a time-out costs a timer in each turn.
 */
#include <config.h>
#include "bench_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bench_turn.h"
#include "bench_work.h"
#include "clock.h"
#include "fd.h"

#define MS              INT64_C(1000000)
#define SECOND          (1000 * MS)
#define LOOK_MIN_NS     (1 * MS)
#define LOOK_MAX_NS     (250 * MS)
#define EVENTS_AT_ONCE  256

/* ---- the clock ---------------------------------------------------------- */

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

/* Time-outs are found by looking at all clients at intervals: a tenth of the time-out, 1 to 250 ms. */
static int64_t look_again_ns(const struct bench_thread *t)
{
	const int64_t tenth = t->plan->timeout_ns / 10;
	const int64_t step = tenth < LOOK_MIN_NS ? LOOK_MIN_NS : tenth > LOOK_MAX_NS ? LOOK_MAX_NS : tenth;

	return t->lane.now_ns + step;
}

static void set_timer(struct bench_thread *t)
{
	const int64_t end_ns = t->stopping ? t->grace_ns : t->now.end_ns;
	int64_t at_ns = look_again_ns(t);

	if (t->active && end_ns < at_ns)
		at_ns = end_ns;
	timerfd_settime(t->timer_fd, TFD_TIMER_ABSTIME,
	                &(struct itimerspec){ .it_value = timespec_of(at_ns) }, NULL);
}

/* ---- orders ------------------------------------------------------------- */

static void enter_phase(struct bench_thread *t, unsigned nr)
{
	t->done_nr = nr;
	t->now = t->command;
	t->active = t->now.phase != BENCH_PHASE_WAIT;
	t->stopping = t->no_tickets = false;
	bench_work_begin(t);
}

/* A stop that came together with its phase is left for the next turn, after the events until now. */
static void take_command(struct bench_thread *t)
{
	const unsigned nr = atomic_load_explicit(&t->command_nr, memory_order_acquire);
	const bool stop = atomic_load_explicit(&t->shared->stop, memory_order_relaxed);

	if (nr != t->done_nr) {
		enter_phase(t, nr);
		if (stop)
			bench_thread_wake(t);
	} else if (stop && t->active) {
		bench_work_stop(t);
	}
	set_timer(t);
}

static void tell_through(struct bench_thread *t)
{
	atomic_fetch_add_explicit(&t->shared->through, 1, memory_order_release);
	eventfd_write(t->shared->event_fd, 1);
}

/* ---- turns -------------------------------------------------------------- */

/*
 * Calls epoll_pwait2(2) by its number, because older C libraries lack it. With the timer slack of
 * run_thread() it is late only by what the scheduler takes, some ten microseconds.
 */
static int wait_for_events(const struct bench_thread *t, struct epoll_event *events)
{
	const int64_t due_ns = bench_turn_due(t);
	struct timespec wait;
	int64_t left_ns;

	if (due_ns == INT64_MAX)
		return epoll_wait(t->lane.epoll_fd, events, EVENTS_AT_ONCE, -1);
	left_ns = due_ns - clock_ns();
	if (left_ns <= 0)
		return epoll_wait(t->lane.epoll_fd, events, EVENTS_AT_ONCE, 0);
	wait = timespec_of(left_ns);
	return (int)syscall(SYS_epoll_pwait2, t->lane.epoll_fd, events, EVENTS_AT_ONCE, &wait, NULL, 0);
}

/* True if there may be an order. It is obeyed after all events of this turn. */
static bool dispatch(struct bench_thread *t, const struct epoll_event *ev)
{
	uint64_t count;

	if (ev->data.ptr == &t->wake_fd)
		return read(t->wake_fd, &count, sizeof count) > 0;
	if (ev->data.ptr != &t->timer_fd) {
		bench_work_step(t, ev->data.ptr, ev->events);
	} else if (read(t->timer_fd, &count, sizeof count) > 0) {
		bench_work_look(t);
		set_timer(t);
	}
	return false;
}

static void turn_once(struct bench_thread *t)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	const int n = wait_for_events(t, events);
	bool woken = false;

	for (int i = 0; i < n; i++)
		woken |= dispatch(t, &events[i]);
	if (woken)
		take_command(t);
	bench_turn_advance(t);
	if (bench_work_is_over(t))
		tell_through(t);
}

static void *run_thread(void *arg)
{
	struct bench_thread *t = arg;

	prctl(PR_SET_TIMERSLACK, 1);
	while (t->now.phase != BENCH_PHASE_CLOSE)
		turn_once(t);
	for (unsigned i = 0; i < t->n_clients; i++)
		bench_client_close(&t->clients[i]);
	return NULL;
}

/* ---- from outside ------------------------------------------------------- */

static int watch_fd(struct bench_thread *t, int *fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = fd };

	return *fd == -1 ? -1 : epoll_ctl(t->lane.epoll_fd, EPOLL_CTL_ADD, *fd, &ev);
}

static void init_clients(struct bench_thread *t)
{
	list_init(&t->to_open);
	list_init(&t->retrying);
	list_init(&t->ready);
	list_init(&t->idle);
	for (unsigned i = 0; i < t->n_clients; i++) {
		t->clients[i].fd = -1;
		list_init(&t->clients[i].link);
	}
}

static int open_all(struct bench_thread *t)
{
	t->clients = calloc(t->n_clients, sizeof *t->clients);
	t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	t->lane.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!t->clients || t->lane.epoll_fd == -1)
		return -1;
	init_clients(t);
	return watch_fd(t, &t->wake_fd) == -1 || watch_fd(t, &t->timer_fd) == -1 ? -1 : 0;
}

static void close_all(struct bench_thread *t)
{
	fd_close(&t->lane.epoll_fd);
	fd_close(&t->timer_fd);
	fd_close(&t->wake_fd);
	free(t->clients);
	t->clients = NULL;
}

int bench_thread_start(struct bench_thread *t)
{
	int err;

	t->lane.plan = t->plan;
	t->lane.origin = bench_origin_of(t->index, t->plan->threads);
	t->lane.message_turn = t->index * 64;
	if (open_all(t) == -1) {
		close_all(t);
		return -1;
	}
	err = pthread_create(&t->thread, NULL, run_thread, t);
	if (err) {
		close_all(t);
		errno = err;
		return -1;
	}
	return 0;
}

void bench_thread_wake(struct bench_thread *t)
{
	eventfd_write(t->wake_fd, 1);
}

void bench_thread_command(struct bench_thread *t, const struct bench_command *command)
{
	t->command = *command;
	atomic_fetch_add_explicit(&t->command_nr, 1, memory_order_release);
	bench_thread_wake(t);
}

void bench_thread_join(struct bench_thread *t)
{
	pthread_join(t->thread, NULL);
	close_all(t);
}

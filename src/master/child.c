/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forking, telling, ending and burying one worker.
 */
#include <config.h>
#include "child.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "exit_status.h"
#include "fd.h"
#include "list.h"
#include "log.h"
#include "programs.h"
#include "signals.h"

#define KILL_AFTER_MS (PROGRAM_KILL_MS + 2000)  /* from TERM: its programs have PROGRAM_KILL_MS */
#define ABORT_MS      2000                      /* from ABRT; a core has to be written */

static void on_timer(struct timer *t)
{
	struct child *c = container_of(t, struct child, timer);

	switch (c->state) {
	case CHILD_NONE:
	case CHILD_ACCEPTING:
		break;
	case CHILD_STARTING:
		log_warn("%s: worker (pid %d) did not start in time; killing it", c->service,
		         (int)c->pid);
		kill(c->pid, SIGKILL);
		break;
	case CHILD_DRAINING:
		log_info("%s: worker (pid %d) drained for as long as it may; stopping it", c->service,
		         (int)c->pid);
		child_stop(c);
		break;
	case CHILD_STOPPING:
		log_warn("%s: worker (pid %d) did not end on TERM; killing it", c->service,
		         (int)c->pid);
		kill(c->pid, SIGKILL);
		break;
	case CHILD_HANGING:
		log_warn("%s: worker (pid %d) did not end on ABRT; killing it", c->service,
		         (int)c->pid);
		kill(c->pid, SIGKILL);
		break;
	}
}

/* What the worker says of itself. False if it does not fit its state. */
static bool believe(struct child *c, enum leash_word word)
{
	switch (word) {
	case LEASH_READY:
		if (c->state != CHILD_STARTING)
			return false;
		c->state = CHILD_ACCEPTING;
		timer_unset(&c->loop->timers, &c->timer);
		return true;
	case LEASH_DRAIN:
		if (c->state != CHILD_ACCEPTING)
			return false;
		c->state = CHILD_DRAINING;
		return true;
	case LEASH_LOOK:
		return true;
	case LEASH_SLOTS:
		c->watches = false;
		return c->state == CHILD_ACCEPTING;
	case LEASH_RETIRE:
		c->retiring = true;
		return c->state == CHILD_ACCEPTING;
	case LEASH_LOGS:
	case LEASH_KICK:
	case LEASH_NO_SUCH:
	case LEASH_PING:
		break;
	}
	return false;
}

static void on_leash(struct watch *w, uint32_t events)
{
	struct child *c = container_of(w, struct child, leash);
	struct leash_message m;

	(void)events;
	switch (leash_receive(w->fd, &m)) {
	case LEASH_EMPTY:
		return;
	case LEASH_CLOSED:      /* SIGCHLD will tell the rest */
		loop_unwatch(c->loop, w);
		return;
	case LEASH_OK:
		break;
	}
	for (int i = 0; i < LEASH_FDS; i++)
		fd_close(&m.fds[i]);    /* a worker has none to give */
	if (m.word == LEASH_KICK || m.word == LEASH_NO_SUCH)
		c->kicked(c, m.number, m.word == LEASH_KICK);
	else if (believe(c, m.word))
		c->heard(c, m.word);
}

/* From now on c is that process, whose end of the leash is ours. */
static void take_charge(struct child *c, pid_t pid, int leash)
{
	c->pid = pid;
	c->watches = false;
	c->watchdog = (struct watchdog){ 0 };
	c->leash = (struct watch){ .fd = leash, .ready = on_leash };
	c->timer.fire = on_timer;
	if (loop_watch(c->loop, &c->leash, EPOLLIN) == -1)
		log_err("%s: watch a worker: %m", c->service);  /* one that starts, will not in time */
}

struct child_past child_past(const struct child *c)
{
	return (struct child_past){
		.pid = c->pid, .leash = c->leash.fd, .state = c->state, .retiring = c->retiring,
		.born_ms = c->born_ms,
		.until_ms = timer_is_set(&c->timer) ? c->timer.at_ms : CLOCK_NEVER,
	};
}

void child_adopt(struct child *c, const struct child_past *past)
{
	c->state = past->state;
	c->retiring = past->retiring;
	c->born_ms = past->born_ms;
	take_charge(c, past->pid, past->leash);
	loop_timer_at(c->loop, &c->timer, past->until_ms);
}

pid_t child_fork(struct child *c, int64_t start_ms, int *leash)
{
	int ours, its;
	pid_t pid;

	if (leash_open(&ours, &its) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		*leash = its;
		return 0;
	}
	fd_drop(its);
	if (pid == -1)
		return fd_drop(ours);
	c->state = CHILD_STARTING;
	c->retiring = false;
	c->born_ms = c->loop->now_ms;
	take_charge(c, pid, ours);
	loop_timer_at(c->loop, &c->timer, clock_deadline(c->loop->now_ms, start_ms));
	return pid;
}

int child_tell(const struct child *c, const struct leash_message *m)
{
	return leash_send(c->leash.fd, m);
}

void child_stop(struct child *c)
{
	if (c->state == CHILD_NONE || c->state >= CHILD_STOPPING)
		return;
	c->state = CHILD_STOPPING;
	kill(c->pid, SIGTERM);
	loop_timer(c->loop, &c->timer, KILL_AFTER_MS);
}

void child_drain(struct child *c, uint64_t removed, int64_t drain_ms)
{
	const struct leash_message order = { .word = LEASH_DRAIN, .removed = removed };

	if (c->state == CHILD_STARTING) {
		child_stop(c);          /* it has no connections yet */
		return;
	}
	if (c->state != CHILD_ACCEPTING && c->state != CHILD_DRAINING)
		return;
	loop_timer_at(c->loop, &c->timer, clock_deadline(c->loop->now_ms, drain_ms));
	c->state = CHILD_DRAINING;
	if (child_tell(c, &order) == -1)
		kill(c->pid, SIGQUIT);          /* means the same, but for `removed` */
	notify_send(c->events, "worker-drain service=%s pid=%d", c->service, (int)c->pid);
}

void child_abort(struct child *c)
{
	c->state = CHILD_HANGING;
	kill(c->pid, SIGABRT);
	loop_timer(c->loop, &c->timer, ABORT_MS);
}

/* One line: a death that was asked for is nothing to worry about. */
static void log_death(const struct child *c, const struct evidence *e)
{
	const int status = e->status;
	const bool by_signal = WIFSIGNALED(status);
	const bool expected = c->state >= CHILD_DRAINING && !by_signal && WEXITSTATUS(status) == 0;
	char how[64], doing[512] = "";
	struct text t = text_in(doing, sizeof doing);

	if (by_signal) {
		text_add(&t, ", %llu requests; it was ", (unsigned long long)e->said.requests);
		evidence_put_work(&t, e);
	}
	if (by_signal)
		snprintf(how, sizeof how, "was ended by signal %s%s", signals_name(WTERMSIG(status)),
		         WCOREDUMP(status) ? " (core dumped)" : "");
	else
		snprintf(how, sizeof how, "exited with status %d", WEXITSTATUS(status));
	log_line(expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
	         "%s: worker (pid %d) %s%s after %lld.%03lld s, %llu connections served, %u open%s",
	         c->service, (int)c->pid, how,
	         c->state == CHILD_STARTING ? " before it accepted" : "", (long long)e->age_ms / 1000,
	         (long long)e->age_ms % 1000, (unsigned long long)e->said.served, e->said.open, doing);
	notify_send(c->events, "worker-end service=%s pid=%d how=%s value=%d served=%llu open=%u",
	            c->service, (int)c->pid, exit_status_how(status), exit_status_value(status),
	            (unsigned long long)e->said.served, e->said.open);
}

void child_bury(struct child *c, const struct evidence *e)
{
	log_death(c, e);
	timer_unset(&c->loop->timers, &c->timer);
	loop_unwatch(c->loop, &c->leash);
	fd_close(&c->leash.fd);
	c->state = CHILD_NONE;
}

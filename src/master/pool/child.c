/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forks one worker, sends it orders, ends it, and takes note of its end.
 */
#include <config.h>
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "clock.h"
#include "exit_status.h"
#include "fd.h"
#include "list.h"
#include "log.h"
#include "programs.h"
#include "signals.h"

#define KILL_AFTER_MS (PROGRAM_KILL_MS + 2000)  /* after TERM; its programs have PROGRAM_KILL_MS */
#define CLOSED_MS     2000                      /* from the end of its words to its exit */
#define ABORT_MS      2000                      /* after ABRT; a core has to be written */

/* What a line about that worker is about. */
#define ABOUT(c, what) LOG_ABOUT(.service = (c)->service, .worker = LOG_WORKER((c)->slot), .event = (what))

/*
 * A worker of another user can only be signalled with CAP_KILL, which a service manager or a
 * container may have taken from root. The pid cannot be that of another process: the kernel does
 * not use it again before the worker was waited for.
 */
static void send_signal(const struct child *c, int signal)
{
	if (kill(c->pid, signal) == 0)
		return;
	log_about(LOG_LEVEL_ERROR, ABOUT(c, LOG_EVENT_NONE),
	          "%s: send %s to worker %d: %m%s", c->service, signals_name(signal), (int)c->pid,
	          errno == EPERM ? " (the worker has another user, and droverd lacks the capability"
	          " CAP_KILL)" : "");
	notify_send(c->events, "signal-refused service=%s pid=%d signal=%d", c->service, (int)c->pid,
	            signal);
}

static void kill_broken(struct child *c, const char *why);

static void start_is_over(struct child *c)
{
	log_about(LOG_LEVEL_WARNING, ABOUT(c, LOG_EVENT_WORKER_LATE),
	          "%s: worker (pid %d) did not start in time; killing it", c->service, (int)c->pid);
	send_signal(c, SIGKILL);
}

static void on_child_timer(struct timer *t)
{
	struct child *c = container_of(t, struct child, timer);

	switch (c->state) {
	case CHILD_NONE:
		break;
	case CHILD_ACCEPTING:
		kill_broken(c, "it has closed its end of the leash and has not exited");
		break;
	case CHILD_STARTING:
		start_is_over(c);
		break;
	case CHILD_DRAINING:
		if (!child_has_started(c) && c->loop->now_ms < c->drain_until_ms) {
			start_is_over(c);
			break;
		}
		log_about(LOG_LEVEL_INFO, ABOUT(c, LOG_EVENT_WORKER_LATE),
		          "%s: worker (pid %d) did not finish draining in time; stopping it", c->service,
		          (int)c->pid);
		child_stop(c);
		break;
	case CHILD_STOPPING:
		log_about(LOG_LEVEL_WARNING, ABOUT(c, LOG_EVENT_WORKER_LATE),
		          "%s: worker (pid %d) did not end when told to; killing it", c->service,
		          (int)c->pid);
		send_signal(c, SIGKILL);
		break;
	case CHILD_HANGING:
		log_about(LOG_LEVEL_WARNING, ABOUT(c, LOG_EVENT_WORKER_LATE),
		          "%s: worker (pid %d) did not end on ABRT; killing it", c->service, (int)c->pid);
		send_signal(c, SIGKILL);
		break;
	}
}

static void set_drain_timer(struct child *c)
{
	const bool start_ends_first = !child_has_started(c) && c->start_until_ms < c->drain_until_ms;

	loop_timer_at(c->loop, &c->timer, start_ends_first ? c->start_until_ms : c->drain_until_ms);
}

/* It has said READY. True if it starts to accept; false if it was told to drain in the meantime. */
static bool note_start(struct child *c)
{
	const bool is_late = c->state == CHILD_DRAINING && !child_has_started(c);

	c->start_until_ms = 0;
	if (is_late)
		set_drain_timer(c);
	return c->state == CHILD_STARTING;
}

/* Applies a word of the worker to its state. False if the word does not fit that state. */
static bool accept_report(struct child *c, enum leash_word word)
{
	switch (word) {
	case LEASH_READY:
		if (!note_start(c))
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
	case LEASH_PROGRAMS:
	case LEASH_REFUSING:
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
	case LEASH_END:
	case LEASH_KEYS:
	case LEASH_FACTS:
	case LEASH_WORDS:
		break;
	}
	return false;
}

/*
 * A sound worker never does what `why` says: a client may have taken this one over. No more words
 * are read from it.
 */
static void kill_broken(struct child *c, const char *why)
{
	log_about(LOG_LEVEL_ERROR, ABOUT(c, LOG_EVENT_WORKER_BROKEN),
	          "%s: worker (pid %d) is broken: %s; killing it", c->service, (int)c->pid, why);
	notify_send(c->events, "worker-broken service=%s pid=%d", c->service, (int)c->pid);
	loop_unwatch(c->loop, &c->ear);
	if (c->state < CHILD_STOPPING) {
		c->state = CHILD_HANGING;
		c->waited_in[0] = '\0';
		timer_unset(&c->loop->timers, &c->timer);
	}
	send_signal(c, SIGKILL);
	c->broken(c);
}

/* False if the worker has said too much: it is killed then. */
static bool is_within_limits(struct child *c, enum leash_word word)
{
	char why[WORD_METER_TEXT];

	if (word_meter_count(&c->said, word, c->loop->now_ms))
		return true;
	word_meter_describe(&c->said, c->loop->now_ms, why);
	kill_broken(c, why);
	return false;
}

/* Whether workers of this version say that word; those of another version may have other words. */
static bool is_of_workers(enum leash_word word)
{
	switch (word) {
	case LEASH_READY: case LEASH_DRAIN: case LEASH_LOOK: case LEASH_SLOTS: case LEASH_RETIRE:
	case LEASH_KICK: case LEASH_NO_SUCH: case LEASH_PROGRAMS: case LEASH_REFUSING:
		return true;
	case LEASH_LOGS: case LEASH_PING: case LEASH_END: case LEASH_KEYS: case LEASH_FACTS: case LEASH_WORDS:
		break;
	}
	return false;
}

static void on_worker_word(struct watch *w, uint32_t events)
{
	struct child *c = container_of(w, struct child, ear);
	struct leash_message m;
	char why[128];

	(void)events;
	switch (leash_hear(&c->leash, &m)) {
	case LEASH_EMPTY:
		return;
	case LEASH_CLOSED:      /* SIGCHLD follows, if the worker has ended */
		loop_unwatch(c->loop, w);
		if (c->state == CHILD_ACCEPTING)
			loop_timer(c->loop, &c->timer, CLOSED_MS);
		return;
	case LEASH_MALFORMED:
		snprintf(why, sizeof why, "it sent a malformed message over the leash (length %llu)",
		         (unsigned long long)m.number);
		kill_broken(c, why);
		return;
	case LEASH_OK:
		break;
	}
	if (!is_within_limits(c, m.word))
		return;
	if (!c->adopted && !is_of_workers(m.word)) {
		snprintf(why, sizeof why, "sent %s (word %u), which workers never send",
		         leash_word_name(m.word), (unsigned)m.word);
		kill_broken(c, why);
		return;
	}
	if (m.word == LEASH_KICK || m.word == LEASH_NO_SUCH)
		c->kicked(c, m.number, m.word == LEASH_KICK);
	else if (accept_report(c, m.word))
		c->heard(c, m.word);
}

/* From now on c is the worker with that pid. *leash is the master's end of its leash. */
static void take_charge(struct child *c, pid_t pid, const struct leash *leash)
{
	c->pid = pid;
	c->said = (struct word_meter){ 0 };
	c->watches = false;
	c->hang = (struct hang_detector){ 0 };
	c->leash = *leash;
	c->ear = (struct watch){ .fd = leash_ear(leash), .ready = on_worker_word };
	c->timer.fire = on_child_timer;
	if (loop_watch(c->loop, &c->ear, EPOLLIN) == -1)
		/* One that starts will miss its time limit. */
		log_about(LOG_LEVEL_ERROR, ABOUT(c, LOG_EVENT_NONE), "%s: watch a worker: %m", c->service);
}

struct child_past child_past(const struct child *c)
{
	return (struct child_past){
		.pid = c->pid, .leash = c->leash, .state = c->state, .retiring = c->retiring,
		.born_ms = c->born_ms,
		.until_ms = c->state == CHILD_DRAINING && !child_has_started(c) ? c->drain_until_ms :
		            timer_is_set(&c->timer) ? c->timer.at_ms : CLOCK_NEVER,
	};
}

void child_adopt(struct child *c, const struct child_past *past)
{
	c->state = past->state;
	c->retiring = past->retiring;
	c->born_ms = past->born_ms;
	c->start_until_ms = past->state == CHILD_STARTING ? past->until_ms : 0;
	c->adopted = true;
	leash_adopt(&past->leash);
	take_charge(c, past->pid, &past->leash);
	loop_timer_at(c->loop, &c->timer, past->until_ms);
}

pid_t child_fork(struct child *c, int64_t start_ms, struct leash *leash)
{
	const pid_t pid = leash_fork(leash);

	if (pid <= 0)
		return pid;
	c->state = CHILD_STARTING;
	c->retiring = c->adopted = false;
	c->born_ms = c->loop->now_ms;
	take_charge(c, pid, leash);
	c->start_until_ms = clock_deadline(c->loop->now_ms, start_ms);
	loop_timer_at(c->loop, &c->timer, c->start_until_ms);
	return pid;
}

int child_tell(const struct child *c, const struct leash_message *m)
{
	return leash_order(&c->leash, m);
}

void child_stop(struct child *c)
{
	if (c->state == CHILD_NONE || c->state >= CHILD_STOPPING)
		return;
	c->state = CHILD_STOPPING;
	child_tell(c, &(struct leash_message){ .word = LEASH_END });
	/* A worker that says its words over the socket is of an older version, which ignores INT. */
	send_signal(c, c->leash.words == -1 ? SIGTERM : SIGINT);
	loop_timer(c->loop, &c->timer, KILL_AFTER_MS);
}

void child_drain(struct child *c, uint64_t removed, int64_t drain_ms)
{
	const struct leash_message order = { .word = LEASH_DRAIN, .removed = removed };

	if (c->state == CHILD_NONE || c->state > CHILD_DRAINING)
		return;
	/* One that starts may accept already: its READY may not have reached us yet. */
	c->drain_until_ms = clock_deadline(c->loop->now_ms, drain_ms);
	set_drain_timer(c);
	c->state = CHILD_DRAINING;
	if (child_tell(c, &order) == -1)
		send_signal(c, SIGQUIT);        /* the same order, without `removed` */
	notify_send(c->events, "worker-drain service=%s pid=%d", c->service, (int)c->pid);
}

void child_abort(struct child *c)
{
	c->state = CHILD_HANGING;
	/* If it cannot be aborted, it ends when its loop goes on: by then it has been replaced. */
	child_tell(c, &(struct leash_message){ .word = LEASH_END });
	send_signal(c, SIGABRT);
	loop_timer(c->loop, &c->timer, ABORT_MS);
}

/* Logs the end in one line: as a warning, unless it was expected. */
static void log_death(const struct child *c, const struct evidence *e)
{
	const int status = e->status;
	const bool by_signal = WIFSIGNALED(status);
	const bool expected = c->state >= CHILD_DRAINING && !by_signal && WEXITSTATUS(status) == 0;
	char how[SIGNALS_END_TEXT], doing[512] = "";
	struct text t = text_in(doing, sizeof doing);

	if (by_signal) {
		text_add(&t, ", %llu requests; ", (unsigned long long)e->said.requests);
		evidence_put_module(&t, e);
		text_add(&t, "it was ");
		evidence_put_work(&t, e);
	}
	log_about(expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
	          ABOUT(c, by_signal ? LOG_EVENT_WORKER_DIED : LOG_EVENT_WORKER_EXITED),
	          "%s: worker (pid %d) %s%s after %lld.%03lld s, %llu connections served, %u open%s",
	          c->service, (int)c->pid, signals_describe_end(status, how), c->state == CHILD_STARTING ? " before it accepted" : "",
	          (long long)e->age_ms / 1000, (long long)e->age_ms % 1000,
	          (unsigned long long)e->said.served, e->said.open, doing);
	notify_send(c->events, "worker-end service=%s pid=%d how=%s value=%d served=%llu open=%u",
	            c->service, (int)c->pid, exit_status_how(status), exit_status_value(status),
	            (unsigned long long)e->said.served, e->said.open);
}

void child_reclaim(struct child *c, const struct evidence *e)
{
	log_death(c, e);
	timer_unset(&c->loop->timers, &c->timer);
	loop_unwatch(c->loop, &c->ear);
	leash_close(&c->leash);
	c->state = CHILD_NONE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forks the log process, reads what it says, and replaces it when it dies.
 */
#include <config.h>
#include "log_process.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "backoff.h"
#include "clock.h"
#include "exit_status.h"
#include "fd.h"
#include "list.h"
#include "log.h"
#include "signals.h"

struct log_process {
	struct log_process_owner owner;
	struct log_input        *inputs;
	size_t                   n_inputs;
	pid_t                    pid;           /* 0: it does not run */
	struct leash             leash;
	struct watch             ear;
	bool                     switching;     /* it has not answered the order yet */
	size_t                   switched;      /* access logs that it has, or was told of */
	bool                     switch_again;  /* an order came meanwhile: at most one is on its way */
	bool                     ending;        /* no worker is left: */
	bool                     told_end;      /* it has that order */
	bool                     over;          /* it has ended properly */
	int64_t                  born_ms;
	int64_t                  delay_ms;      /* the last one; 0: none */
	struct timer             retry;
};

/* ---- new files ---------------------------------------------------------- */

/*
 * One access log a message: each is sent when the one before it was answered, so that any number of
 * them needs no room in the leash. The log itself goes with the first.
 */
static void send_next(struct log_process *p)
{
	const struct logs *l = p->owner.logs;
	const struct log_sink *log = p->switched == 0 ? l->log : NULL;
	const struct log_sink *access_log = logs_nth_access_log(l, p->switched);
	const struct leash_message m = {
		.word = LEASH_LOGS, .number = p->switched++,
		.fds = { [LEASH_FD_LOG] = log ? log_sink_fd(log) : -1,
		         [LEASH_FD_ACCESS_LOG] = access_log ? log_sink_fd(access_log) : -1 },
	};

	p->switching = leash_order(&p->leash, &m) == 0;
	if (!p->switching && errno != EPIPE && errno != ECONNRESET)    /* it has ended, and will be reaped */
		log_err("hand the logs to the log process (pid %d): %m", (int)p->pid);
}

/* ---- what it says ------------------------------------------------------- */

static void on_word(struct watch *w, uint32_t events)
{
	struct log_process *p = container_of(w, struct log_process, ear);
	struct leash_message m;
	const enum leash_result result = leash_hear(&p->leash, &m);

	(void)events;
	if (result == LEASH_CLOSED || result == LEASH_MALFORMED)
		loop_unwatch(p->owner.loop, w);         /* SIGCHLD will tell the rest */
	if (result != LEASH_OK || m.word != LEASH_LOGS || !p->switching)
		return;
	if (p->switched < p->owner.logs->n_access_logs) {
		send_next(p);
		return;
	}
	p->switching = false;
	if (p->switch_again)
		log_process_switch(p);
	notify_send(p->owner.events, "log-process-switched generation=%u pid=%d",
	            p->owner.generation, (int)p->pid);
	p->owner.changed(p->owner.arg);
}

static int listen_to(struct log_process *p, pid_t pid, const struct leash *leash)
{
	p->pid = pid;
	p->leash = *leash;
	p->born_ms = p->owner.loop->now_ms;
	p->ear = (struct watch){ .fd = leash_ear(leash), .ready = on_word };
	return loop_watch(p->owner.loop, &p->ear, EPOLLIN);
}

static void forget_process(struct log_process *p)
{
	loop_unwatch(p->owner.loop, &p->ear);
	leash_close(&p->leash);
	p->pid = 0;
	p->switching = p->switch_again = false;         /* another one has the logs as they are now */
	p->told_end = false;
}

/* ---- the last order ----------------------------------------------------- */

static void tell_process_end(struct log_process *p)
{
	if (p->pid == 0 || p->told_end)
		return;
	p->told_end = leash_order(&p->leash, &(struct leash_message){ .word = LEASH_END }) == 0;
	if (!p->told_end && errno != EPIPE && errno != ECONNRESET)
		log_err("tell the log process (pid %d) to end: %m", (int)p->pid);
}

void log_process_end(struct log_process *p)
{
	if (!p)
		return;
	p->ending = true;
	tell_process_end(p);
}

/* ---- birth -------------------------------------------------------------- */

static _Noreturn void be_process(const struct log_process *p, const struct leash *its)
{
	const struct log_writer_start start = {
		.inputs = p->inputs, .n_inputs = p->n_inputs, .logs = p->owner.logs, .leash = *its,
		.detached = p->owner.detached,
	};

	p->owner.forget(p->owner.arg);
	log_writer_main(&start);
}

int log_process_start(struct log_process *p)
{
	struct leash leash;
	pid_t pid;

	if (p->pid != 0)
		return 0;
	pid = leash_fork(&leash);
	if (pid == 0)
		be_process(p, &leash);
	if (pid == -1)
		return -1;
	notify_send(p->owner.events, "log-process-start generation=%u pid=%d", p->owner.generation,
	            (int)pid);
	if (listen_to(p, pid, &leash) == -1)
		log_warn("watch the log process: %m");
	if (p->ending)
		tell_process_end(p);
	return 0;
}

/* ---- death -------------------------------------------------------------- */

static void start_later(struct log_process *p, int64_t lived_ms)
{
	p->delay_ms = backoff_of_process(p->delay_ms, lived_ms);
	loop_timer(p->owner.loop, &p->retry, p->delay_ms);
}

static void on_start_again(struct timer *t)
{
	struct log_process *p = container_of(t, struct log_process, retry);

	if (log_process_start(p) == 0)
		return;
	log_err("start the log process: %m; lines of workers wait, and are dropped when there are"
	        " too many");
	start_later(p, 0);
}

void log_process_resume(struct log_process *p)
{
	if (!p->over)
		on_start_again(&p->retry);
}

static void log_death(const struct log_process *p, int status)
{
	char how[SIGNALS_END_TEXT];

	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.event = LOG_EVENT_LOG_PROCESS_DIED),
	          "the log process (pid %d) %s; another one goes on", (int)p->pid,
	          signals_describe_end(status, how));
}

bool log_process_reaped(struct log_process *p, pid_t pid, int status)
{
	const bool properly = WIFEXITED(status) && WEXITSTATUS(status) == EX_OK;

	if (!p || p->pid == 0 || p->pid != pid)
		return false;
	if (!properly)
		log_death(p, status);
	notify_send(p->owner.events, "log-process-end generation=%u pid=%d how=%s value=%d",
	            p->owner.generation, (int)pid, exit_status_how(status), exit_status_value(status));
	forget_process(p);
	p->over = properly;
	if (!properly)
		start_later(p, p->owner.loop->now_ms - p->born_ms);
	p->owner.changed(p->owner.arg);
	return true;
}

bool log_process_is_over(const struct log_process *p)
{
	return !p || p->over;
}

/* Its end of the pipe for words is closed when it ends. False if that takes too long. */
static bool wait_for_end(const struct log_process *p, int64_t until_ms)
{
	struct pollfd ear = { .fd = p->leash.words, .events = POLLIN };
	char words[64];

	for (;;) {
		const int64_t left_ms = until_ms - clock_ms();
		const int n = poll(&ear, 1, left_ms > 0 ? (int)left_ms : 0);

		if (n == 0)
			return false;
		if (n == 1 && read(ear.fd, words, sizeof words) <= 0)
			return true;
	}
}

/* True if it has written all; another one may have to go on if not. */
static bool reclaim_process(struct log_process *p)
{
	int status = 0;

	p->over = waitpid(p->pid, &status, 0) != p->pid ||
	          (WIFEXITED(status) && WEXITSTATUS(status) == EX_OK);
	if (!p->over)
		log_death(p, status);
	forget_process(p);
	return p->over;
}

void log_process_finish(struct log_process *p, int64_t until_ms)
{
	if (log_process_is_over(p))
		return;
	for (int tries = 0; tries < 2; tries++) {
		if (log_process_start(p) == -1) {
			log_err("start the log process: %m; the last lines of workers are lost");
			return;
		}
		if (!wait_for_end(p, until_ms)) {
			log_warn("the log process (pid %d) has not finished: its last lines come later",
			         (int)p->pid);
			return;
		}
		if (reclaim_process(p))
			return;
	}
	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_LOG_PROCESS_DIED),
	          "the log process has died again; the last lines of workers are lost");
}

/* ---- orders ------------------------------------------------------------- */

void log_process_switch(struct log_process *p)
{
	if (p->pid == 0)
		return;                 /* the next one gets them anyway */
	p->switch_again = p->switching;
	if (p->switching)
		return;
	p->switched = 0;
	send_next(p);
}

bool log_process_is_switching(const struct log_process *p)
{
	return p && p->switching;
}

/* ---- all of it ---------------------------------------------------------- */

struct log_process *log_process_new(const struct log_process_owner *owner)
{
	struct log_process *p = calloc(1, sizeof *p);

	if (p)
		*p = (struct log_process){ .owner = *owner, .leash = { -1, -1 }, .ear.fd = -1,
		                           .retry.fire = on_start_again };
	return p;
}

/* Room for n more; NULL with errno. */
static struct log_input *more_inputs(struct log_process *p, size_t n)
{
	struct log_input *inputs = realloc(p->inputs, (p->n_inputs + n) * sizeof *inputs);

	if (!inputs)
		return NULL;
	p->inputs = inputs;
	return inputs + p->n_inputs;
}

int log_process_add(struct log_process *p, const struct log_pipes *readers, size_t access_log)
{
	struct log_input *next = more_inputs(p, LOG_PIPES);

	if (!next)
		return -1;
	for (int i = 0; i < LOG_PIPES; i++)
		if (readers->fds[i] != -1)
			p->inputs[p->n_inputs++] = (struct log_input){ .to = (enum log_pipe)i,
			                                               .access_log = access_log,
			                                               .fd = readers->fds[i] };
	return 0;
}

struct log_process_past log_process_past(const struct log_process *p)
{
	return (struct log_process_past){ .pid = p->pid, .leash = p->leash, .inputs = p->inputs,
	                                  .n_inputs = p->n_inputs };
}

int log_process_adopt(struct log_process *p, const struct log_process_past *past)
{
	struct log_input *next = more_inputs(p, past->n_inputs);

	if (!next)
		return -1;
	memcpy(next, past->inputs, past->n_inputs * sizeof *next);
	p->n_inputs += past->n_inputs;
	if (past->pid != 0 && listen_to(p, past->pid, &past->leash) == -1)
		log_warn("watch the log process: %m");
	return 0;
}

void log_process_free(struct log_process **pp)
{
	struct log_process *p = *pp;

	*pp = NULL;
	if (!p)
		return;
	timer_unset(&p->owner.loop->timers, &p->retry);
	loop_unwatch(p->owner.loop, &p->ear);
	leash_close(&p->leash);
	while (p->n_inputs > 0)
		fd_close(&p->inputs[--p->n_inputs].fd);
	free(p->inputs);
	free(p);
}

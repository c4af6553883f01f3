/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forks the status process, and answers it. Each process asks one question at a time; one that asks
 * another before it has its answer, or faster than an honest one, is broken or waits.
 */
#include <config.h>
#include "status_holder.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backoff.h"
#include "exit_status.h"
#include "fd.h"
#include "fd_passing.h"
#include "list.h"
#include "log.h"
#include "signals.h"
#include "word_meter.h"

/* An honest one asks each question ten times a second at most: facts.h, FACTS_FRESH_MS. */
#define QUESTION_EACH_MS (FACTS_FRESH_MS / FACTS)
#define QUESTION_BURST   (2 * FACTS)
#define GRACE_MS         5000           /* after its own limit: then it does not mean to go */
#define RETRY_MS         500            /* until an answer is tried again, if none could be written */

#define ABOUT_DEATH LOG_ABOUT(.event = LOG_EVENT_STATUS_PROCESS_DIED)

struct status_child {
	struct list           in_holder;
	struct status_holder *holder;
	unsigned int          generation;
	pid_t                 pid;
	int64_t               born_ms;
	struct leash          leash;
	struct watch          ear;
	int                   answers;          /* our end of the socket; -1: none */
	uint64_t              epoch;            /* what READY has to say: it knows the socket for its answers */
	bool                  ready;            /* it has said so: it asks and serves */
	bool                  is_killed;        /* because it is broken; its end is not reaped yet */
	bool                  is_cut_off;       /* an answer was not written as a whole */
	struct word_meter     said;
	bool                  has_asked;        /* and its answer has not been begun */
	enum fact             question;
	struct reporter      *reporter;         /* that answers the one before, or has just done so; or NULL */
	struct timer          turn;             /* when the next one may be answered */
	struct timer          late;             /* when it should be gone, once it was told to go */
	struct pace           pace;
};

struct status_holder {
	struct status_holder_owner owner;
	struct loop         *loop;
	unsigned int         generation;
	struct status_site   site;
	int                  log_fd;
	bool                 is_wanted;
	struct list          children;          /* the current one, and those that go */
	struct status_child *current;           /* NULL: none runs */
	int64_t              delay_ms;          /* before the current one was started; 0: none */
	struct timer         retry;
};

/* A socket on which nothing can be sent to us; *its is the other end. 0, or -1 with errno. */
static int open_answers(int *ours, int *its)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1)
		return -1;
	*ours = pair[0];
	*its = pair[1];
	if (fd_passing_shut(*ours) == 0)
		return 0;
	fd_close(ours);
	fd_close(its);
	return -1;
}

/* ---- answers ------------------------------------------------------------ */

static void answer_in_turn(struct status_child *c);

static void kill_broken(struct status_child *c, const char *why)
{
	log_about(LOG_LEVEL_ERROR, ABOUT_DEATH, "the status process (pid %d) is broken: %s; killing it",
	          (int)c->pid, why);
	c->is_killed = true;
	loop_unwatch(c->holder->loop, &c->ear);
	timer_unset(&c->holder->loop->timers, &c->turn);
	if (kill(c->pid, SIGKILL) == -1)
		log_err("send KILL to the status process (pid %d): %m", (int)c->pid);
}

static void on_late(struct timer *t)
{
	kill_broken(container_of(t, struct status_child, late), "it does not end");
}

static void on_reported(void *arg, bool ok)
{
	struct status_child *c = arg;

	c->reporter = NULL;
	c->is_cut_off = !ok;
	if (c->is_killed && !ok)
		return;
	if (!ok)
		loop_timer(c->holder->loop, &c->turn, RETRY_MS);
	else if (c->has_asked)
		answer_in_turn(c);
}

static void answer(struct status_child *c)
{
	const struct status_holder_owner *owner = &c->holder->owner;
	struct status_question q = { .request.root = NULL };

	pace_count(&c->pace, c->holder->loop->now_ms);
	c->has_asked = false;
	owner->asked(owner->arg, c->question, &q);
	q.job.nice = STATUS_PROCESS_NICE;
	c->reporter = reporter_start(owner->helpers, owner->events, &q.job, &q.request, c->answers,
	                             on_reported, c);
	if (c->reporter)
		return;
	log_warn("start a process that answers the status process: %m");
	c->has_asked = true;
	loop_timer(c->holder->loop, &c->turn, RETRY_MS);
}

/*
 * Gives it another socket for its answers. What it had asked, it asks again: answers carry no names, and
 * what was written of one over the old socket is not a whole line, or is for the program before.
 */
static void connect_again(struct status_child *c)
{
	struct leash_message m = { .word = LEASH_FACTS, .fds = { -1, -1 } };
	int its;

	fd_close(&c->answers);
	c->ready = c->has_asked = c->is_cut_off = false;
	c->epoch = (uint64_t)c->holder->loop->now_ms;
	m.number = c->epoch;
	if (open_answers(&c->answers, &its) == 0) {
		m.fds[LEASH_FD_FACTS] = its;
		if (leash_order(&c->leash, &m) == 0) {
			fd_close(&its);
			return;
		}
		fd_close(&its);
	}
	kill_broken(c, "it cannot be connected");
}

static void on_turn(struct timer *t)
{
	struct status_child *c = container_of(t, struct status_child, turn);

	if (c->is_cut_off)
		connect_again(c);
	else
		answer(c);
}

static void answer_in_turn(struct status_child *c)
{
	const int64_t wait_ms = pace_wait(&c->pace, c->holder->loop->now_ms);

	if (wait_ms > 0)
		loop_timer(c->holder->loop, &c->turn, wait_ms);
	else
		answer(c);
}

/* Answers over the leash, at once: so it does not wait for an answer that takes long. */
static void answer_life(struct status_child *c)
{
	const struct leash_message m = { .word = LEASH_FACTS, .number = FACT_LIFE, .fds = { -1, -1 } };

	if (leash_order(&c->leash, &m) == -1 && errno != EPIPE && errno != ECONNRESET)
		kill_broken(c, "it does not read its orders");
}

/* It may have read its answer, and asked again, before the end of the reporter is known. */
static void take_question(struct status_child *c, uint64_t number)
{
	if (number == FACT_LIFE) {
		answer_life(c);
		return;
	}
	if (!c->ready)
		return;                 /* that was a question to the program before, and comes again */
	if (number >= FACTS || c->has_asked) {
		kill_broken(c, c->has_asked ? "it asks while it is answered" : "there is no such question");
		return;
	}
	c->question = (enum fact)number;
	c->has_asked = true;
	if (!c->reporter && !c->is_cut_off)
		answer_in_turn(c);
}

/* What it says before it has read of another socket means the one before. */
static void note_ready(struct status_child *c, uint64_t epoch)
{
	if (c->ready) {
		kill_broken(c, "it says twice that it is ready");
	} else if (epoch == c->epoch) {
		c->ready = true;
		notify_send(c->holder->owner.events, "status-process-ready generation=%u pid=%d",
		            c->generation, (int)c->pid);
	}
}

static void take_word(struct status_child *c, const struct leash_message *m)
{
	if (!word_meter_count(&c->said, m->word, c->holder->loop->now_ms))
		kill_broken(c, "it says too much");
	else if (m->word == LEASH_READY)
		note_ready(c, m->number);
	else if (m->word == LEASH_FACTS)
		take_question(c, m->number);
	else
		kill_broken(c, "it says what only others say");
}

static void on_word(struct watch *w, uint32_t events)
{
	struct status_child *c = container_of(w, struct status_child, ear);
	struct leash_message m;
	const enum leash_result result = leash_hear(&c->leash, &m);

	(void)events;
	if (result == LEASH_CLOSED)
		loop_unwatch(c->holder->loop, w);       /* SIGCHLD will tell the rest */
	else if (result == LEASH_MALFORMED)
		kill_broken(c, "what it says is malformed");
	else if (result == LEASH_OK)
		take_word(c, &m);
}

/* ---- birth -------------------------------------------------------------- */

static void free_child(struct watch *w)
{
	free(container_of(w, struct status_child, ear));
}

static void forget_child(struct status_child *c)
{
	struct status_holder *h = c->holder;

	reporter_cancel(&c->reporter);
	timer_unset(&h->loop->timers, &c->turn);
	timer_unset(&h->loop->timers, &c->late);
	loop_reclaim(h->loop, &c->ear, free_child);
	leash_close(&c->leash);
	fd_close(&c->answers);
	list_remove(&c->in_holder);
	if (h->current == c)
		h->current = NULL;
}

static struct status_child *new_child(struct status_holder *h, int answers)
{
	struct status_child *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	*c = (struct status_child){ .holder = h, .generation = h->generation, .born_ms = h->loop->now_ms,
	                            .leash = { -1, -1 }, .ear = { .fd = -1, .ready = on_word },
	                            .answers = answers, .turn.fire = on_turn, .late.fire = on_late,
	                            .pace = { .each_ms = QUESTION_EACH_MS, .burst = QUESTION_BURST } };
	list_init(&c->in_holder);
	return c;
}

static void listen_to(struct status_child *c, pid_t pid, const struct leash *leash)
{
	struct status_holder *h = c->holder;

	c->pid = pid;
	c->leash = *leash;
	c->ear.fd = leash_ear(leash);
	list_append(&h->children, &c->in_holder);
	h->current = c;
	if (loop_watch(h->loop, &c->ear, EPOLLIN) == -1)
		log_warn("watch the status process: %m");
}

static _Noreturn void be_process(const struct status_holder *h, const struct leash *its, int answers)
{
	const struct status_process_start start = {
		.site = h->site, .leash = *its, .answers = answers, .log_fd = h->log_fd,
		.detached = h->owner.detached, .forget = h->owner.forget, .arg = h->owner.arg,
	};

	status_process_main(&start);
}

/* 0, or -1 with errno. */
static int start_process(struct status_holder *h)
{
	struct status_child *c;
	struct leash leash;
	int ours, its;
	pid_t pid;

	if (open_answers(&ours, &its) == -1)
		return -1;
	c = new_child(h, ours);
	pid = c ? leash_fork(&leash) : -1;
	if (pid == 0)
		be_process(h, &leash, its);
	fd_close(&its);
	if (pid == -1) {
		fd_close(&ours);
		free(c);
		return -1;
	}
	listen_to(c, pid, &leash);
	notify_send(h->owner.events, "status-process-start generation=%u pid=%d", h->generation, (int)pid);
	return 0;
}

static void start_later(struct status_holder *h, int64_t lived_ms)
{
	h->delay_ms = backoff_of_process(h->delay_ms, lived_ms);
	loop_timer(h->loop, &h->retry, h->delay_ms);
}

static void on_retry(struct timer *t)
{
	struct status_holder *h = container_of(t, struct status_holder, retry);

	if (start_process(h) == 0)
		return;
	log_err("start the status process: %m; trying again");
	start_later(h, 0);
}

/* ---- death -------------------------------------------------------------- */

static void log_death(const struct status_child *c, int status)
{
	char how[SIGNALS_END_TEXT];

	log_about(LOG_LEVEL_WARNING, ABOUT_DEATH, "the status process (pid %d) %s; another one goes on",
	          (int)c->pid, signals_describe_end(status, how));
}

static struct status_child *find_child(const struct status_holder *h, pid_t pid)
{
	struct status_child *c;

	list_each(&h->children, c, struct status_child, in_holder)
		if (c->pid == pid)
			return c;
	return NULL;
}

bool status_holder_reaped(struct status_holder *h, pid_t pid, int status)
{
	struct status_child *c = find_child(h, pid);
	const bool is_missed = c && c == h->current && h->is_wanted;

	if (!c)
		return false;
	notify_send(h->owner.events, "status-process-end generation=%u pid=%d how=%s value=%d",
	            c->generation, (int)pid, exit_status_how(status), exit_status_value(status));
	if (is_missed) {
		log_death(c, status);
		start_later(h, h->loop->now_ms - c->born_ms);
	}
	forget_child(c);
	return true;
}

/* ---- all of it ---------------------------------------------------------- */

struct status_holder *status_holder_new(const struct status_holder_owner *owner)
{
	struct status_holder *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	*h = (struct status_holder){ .owner = *owner, .loop = owner->helpers->loop, .log_fd = -1,
	                             .retry.fire = on_retry };
	list_init(&h->children);
	return h;
}

/* It closes its listeners, and goes when its clients have their answers. */
static void let_go(struct status_child *c)
{
	if (!c)
		return;
	loop_timer(c->holder->loop, &c->late, STATUS_PROCESS_LEAVE_MS + GRACE_MS);
	if (leash_order(&c->leash, &(struct leash_message){ .word = LEASH_END }) == -1 &&
	    kill(c->pid, SIGKILL) == -1)
		log_err("send KILL to the status process (pid %d): %m", (int)c->pid);
}

void status_holder_use(struct status_holder *h, unsigned int generation, const struct status_site *site,
                       int log_fd)
{
	let_go(h->current);
	h->current = NULL;
	h->generation = generation;
	h->site = *site;
	h->log_fd = log_fd;
	h->delay_ms = 0;
	h->is_wanted = site->http.n > 0 || site->balancers.n > 0;
	timer_unset(&h->loop->timers, &h->retry);
	if (h->is_wanted)
		on_retry(&h->retry);
}

struct status_past status_holder_past(const struct status_holder *h)
{
	if (h->current)
		return (struct status_past){ .pid = h->current->pid, .leash = h->current->leash };
	return (struct status_past){ .leash = { -1, -1 } };
}

int status_holder_adopt(struct status_holder *h, const struct status_past *past)
{
	struct status_child *c = new_child(h, -1);

	if (!c)
		return -1;
	listen_to(c, past->pid, &past->leash);
	connect_again(c);
	return 0;
}

void status_holder_refuse_balancers(struct status_holder *h)
{
	h->site.balancers.n = 0;
	h->is_wanted = h->site.http.n > 0;
}

void status_holder_use_log(struct status_holder *h, int log_fd)
{
	h->log_fd = log_fd;
}

void status_holder_free(struct status_holder **hp)
{
	struct status_holder *h = *hp;
	struct status_child *c;

	*hp = NULL;
	if (!h)
		return;
	timer_unset(&h->loop->timers, &h->retry);
	list_each(&h->children, c, struct status_child, in_holder) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, WNOHANG); /* or it is init's */
		forget_child(c);
	}
	free(h);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forks the key process, asks it once a second whether it still works, and starts another one when it
 * dies or does not answer.
 */
#include <config.h>
#include "key_holder.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "backoff.h"
#include "clock.h"
#include "exit_status.h"
#include "fd.h"
#include "list.h"
#include "log.h"
#include "signals.h"
#include "key_process.h"

#define KEY_HOLDER_TEXT KEY_REPORT_MAX
#define START_MS     60000              /* to read all keys */
#define PING_MS      1000               /* from an answer to the next question */
#define TELL_MS      10                 /* until it has read some of the orders that fill its leash */
#define ANSWER_MS    500                /* then it is asked once more, and killed after as long again */
#define REPORT_EACH_MS 10000            /* reports in the log: one in that time, */
#define REPORT_BURST 5                  /* or some at once */

/* A worker. What it has sent stays in its pipe, whether or not there is a key process. */
struct seat {
	size_t             service, place;
	struct key_channel channel;     /* the key process's ends */
	bool               told;        /* the key process has them, or will find them in its leash */
};

struct key_holder {
	struct key_holder_owner owner;
	struct seat       *seats;
	size_t             n_seats, room;
	pid_t              pid;         /* 0: it does not run */
	struct leash       leash;
	struct watch       ear;
	struct key_report *report;      /* shared with the process */
	struct pace        reports;
	bool               adopted;
	bool               ready;       /* one has read all keys */
	bool               answers;     /* this one has said READY */
	int                n_unanswered;
	int64_t            born_ms;
	int64_t            delay_ms;    /* the last one; 0: none */
	struct timer       ping, retry, tell;
	char               failure[KEY_HOLDER_TEXT];    /* "": none */
};

bool key_holder_is_needed(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_services; i++)
		if (conf->services[i]->tls.on && conf->services[i]->tls.isolate_keys)
			return true;
	return false;
}

/* ---- workers ------------------------------------------------------------ */

/* True unless its leash is full, or it could not be told at all. */
static bool tell_seat(const struct key_holder *h, const struct seat *s)
{
	const struct leash_message m = {
		.word = LEASH_KEYS, .number = s->service,
		.fds = { [LEASH_FD_REQUESTS] = s->channel.requests,
		         [LEASH_FD_ANSWERS] = s->channel.answers },
	};

	return leash_order(&h->leash, &m) == 0;
}

static void tell_later(struct key_holder *h)
{
	if (fd_not_yet(errno) || errno == ETOOMANYREFS) {
		loop_timer(h->owner.loop, &h->tell, TELL_MS);
	} else if (errno != EPIPE && errno != ECONNRESET) {
		log_err("connect the key process (pid %d) with a worker: %m; killing it", (int)h->pid);
		kill(h->pid, SIGKILL);
	}
}

/*
 * Not while it reads keys: all workers of a large generation together would not fit into its leash. If it
 * hangs, that is found by asking it, and the next one gets all seats.
 */
static void tell_seats(struct key_holder *h)
{
	for (size_t i = 0; h->answers && i < h->n_seats; i++) {
		if (!h->seats[i].told && !tell_seat(h, &h->seats[i])) {
			tell_later(h);
			return;
		}
		h->seats[i].told = true;
	}
}

static void on_tell(struct timer *t)
{
	tell_seats(container_of(t, struct key_holder, tell));
}

/* ---- what it says ------------------------------------------------------- */

/* The text of its report, as far as it ends. */
static const char *text_of_report(const struct key_holder *h, char text[static KEY_HOLDER_TEXT])
{
	snprintf(text, KEY_HOLDER_TEXT, "%.*s", KEY_HOLDER_TEXT - 1, h->report ? h->report->text : "");
	return text;
}

static void log_report(struct key_holder *h)
{
	char text[KEY_HOLDER_TEXT];

	if (pace_wait(&h->reports, h->owner.loop->now_ms) > 0)
		return;
	pace_count(&h->reports, h->owner.loop->now_ms);
	log_err("%s", text_of_report(h, text));
	notify_send(h->owner.events, "key-process-report generation=%u pid=%d", h->owner.generation,
	            (int)h->pid);
}

static void note_ready(struct key_holder *h)
{
	h->answers = h->ready = true;
	h->failure[0] = '\0';
	h->n_unanswered = 0;
	loop_timer(h->owner.loop, &h->ping, PING_MS);
	notify_send(h->owner.events, "key-process-ready generation=%u pid=%d", h->owner.generation,
	            (int)h->pid);
	tell_seats(h);
	h->owner.changed(h->owner.arg);
}

static void on_word(struct watch *w, uint32_t events)
{
	struct key_holder *h = container_of(w, struct key_holder, ear);
	struct leash_message m;
	const enum leash_result result = leash_hear(&h->leash, &m);

	(void)events;
	if (result == LEASH_CLOSED || result == LEASH_MALFORMED)
		loop_unwatch(h->owner.loop, w);         /* SIGCHLD will tell the rest */
	if (result != LEASH_OK)
		return;
	if (m.word == LEASH_READY && !h->answers) {
		note_ready(h);
	} else if (m.word == LEASH_PING && h->n_unanswered > 0) {
		h->n_unanswered = 0;
		loop_timer(h->owner.loop, &h->ping, PING_MS);
	} else if (m.word == LEASH_KEYS) {
		log_report(h);
	}
}

static void listen_to(struct key_holder *h, pid_t pid, const struct leash *leash)
{
	h->pid = pid;
	h->leash = *leash;
	h->answers = false;
	h->born_ms = h->owner.loop->now_ms;
	h->ear = (struct watch){ .fd = leash_ear(leash), .ready = on_word };
	if (loop_watch(h->owner.loop, &h->ear, EPOLLIN) == -1)
		log_warn("watch the key process: %m");
	if (!h->adopted)
		loop_timer(h->owner.loop, &h->ping, START_MS);
}

/* ---- whether it works --------------------------------------------------- */

static void kill_hanging(const struct key_holder *h)
{
	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_KEY_PROCESS_DIED),
	          "the key process (pid %d) does not answer; killing it", (int)h->pid);
	notify_send(h->owner.events, "key-process-hang generation=%u pid=%d", h->owner.generation,
	            (int)h->pid);
	if (kill(h->pid, SIGKILL) == -1)
		log_err("send KILL to the key process (pid %d): %m", (int)h->pid);
}

static void on_ping(struct timer *t)
{
	struct key_holder *h = container_of(t, struct key_holder, ping);

	if (!h->answers || h->n_unanswered == 2) {
		kill_hanging(h);
		return;
	}
	h->n_unanswered++;
	leash_order(&h->leash, &(struct leash_message){ .word = LEASH_PING });
	loop_timer(h->owner.loop, t, ANSWER_MS);
}

/* ---- seats -------------------------------------------------------------- */

static struct seat *find_seat(struct key_holder *h, size_t service, size_t place)
{
	for (size_t i = 0; i < h->n_seats; i++)
		if (h->seats[i].service == service && h->seats[i].place == place)
			return &h->seats[i];
	return NULL;
}

/* 0, or -1 with errno. */
static int make_room(struct key_holder *h)
{
	const size_t room = h->room > 0 ? 2 * h->room : 16;
	struct seat *seats;

	if (h->n_seats < h->room)
		return 0;
	seats = realloc(h->seats, room * sizeof *seats);
	if (!seats)
		return -1;
	h->seats = seats;
	h->room = room;
	return 0;
}

int key_holder_connect(struct key_holder *h, size_t service, size_t place, struct key_channel *worker)
{
	struct seat s = { .service = service, .place = place };

	if (make_room(h) == -1 || key_channel_open(&s.channel, worker) == -1)
		return -1;
	h->seats[h->n_seats++] = s;
	tell_seats(h);
	return 0;
}

void key_holder_disconnect(struct key_holder *h, size_t service, size_t place)
{
	struct seat *s = h ? find_seat(h, service, place) : NULL;

	if (!s)
		return;
	key_channel_close(&s->channel);
	*s = h->seats[--h->n_seats];
}

/* ---- birth -------------------------------------------------------------- */

#ifdef HAVE_OPENSSL
static _Noreturn void be_process(struct key_holder *h, const struct leash *its)
{
	struct key_caller *callers = calloc(h->n_seats + 1, sizeof *callers);
	const struct key_process_start start = {
		.conf = h->owner.conf, .callers = callers, .n_callers = callers ? h->n_seats : 0, .leash = *its,
		.detached = h->owner.detached, .needs_all = !h->ready, .report = h->report,
		.forget = h->owner.forget, .arg = h->owner.arg,
	};

	h->report = NULL;               /* so that it is not unmapped with the rest: key_holder_forget */
	for (size_t i = 0; i < start.n_callers; i++)
		callers[i] = (struct key_caller){ h->seats[i].service, h->seats[i].channel };
	key_process_main(&start);
}
#else
static _Noreturn void be_process(struct key_holder *h, const struct leash *its)
{
	(void)h, (void)its;
	abort();                        /* key_holder_is_needed is false without OpenSSL */
}
#endif

int key_holder_start(struct key_holder *h)
{
	struct leash leash;
	pid_t pid;

	if (h->pid != 0)
		return 0;
	h->report->text[0] = '\0';
	pid = leash_fork(&leash);
	if (pid == 0)
		be_process(h, &leash);
	if (pid == -1)
		return -1;
	notify_send(h->owner.events, "key-process-start generation=%u pid=%d", h->owner.generation,
	            (int)pid);
	for (size_t i = 0; i < h->n_seats; i++)
		h->seats[i].told = true;
	listen_to(h, pid, &leash);
	return 0;
}

/* ---- death -------------------------------------------------------------- */

static void start_later(struct key_holder *h, int64_t lived_ms)
{
	h->delay_ms = backoff_of_process(h->delay_ms, lived_ms);
	loop_timer(h->owner.loop, &h->retry, h->delay_ms);
}

static void on_start_again(struct timer *t)
{
	struct key_holder *h = container_of(t, struct key_holder, retry);

	if (key_holder_start(h) == 0)
		return;
	log_err("start the key process: %m; TLS handshakes wait, and fail");
	start_later(h, 0);
}

static void forget_process(struct key_holder *h)
{
	loop_unwatch(h->owner.loop, &h->ear);
	timer_unset(&h->owner.loop->timers, &h->ping);
	timer_unset(&h->owner.loop->timers, &h->tell);
	leash_close(&h->leash);
	h->pid = 0;
	h->answers = false;
	h->n_unanswered = 0;
}

/* How it ended, for the log. */
static const char *describe_end(const struct key_holder *h, int status, char text[static KEY_HOLDER_TEXT])
{
	char how[SIGNALS_END_TEXT];

	if (WIFSIGNALED(status) || text_of_report(h, text)[0] == '\0')
		snprintf(text, KEY_HOLDER_TEXT, "the key process (pid %d) %s", (int)h->pid,
		         signals_describe_end(status, how));
	return text;
}

static void note_death(struct key_holder *h, const char *how)
{
	if (!h->ready) {
		log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_KEY_PROCESS_DIED), "%s", how);
		snprintf(h->failure, sizeof h->failure, "%s", how);
		h->owner.changed(h->owner.arg);
		start_later(h, 0);              /* in case that the generation has to go on nevertheless */
	} else if (h->adopted) {
		log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_KEY_PROCESS_DIED),
		          "%s; the workers of the program before cannot make TLS handshakes any more", how);
	} else {
		log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.event = LOG_EVENT_KEY_PROCESS_DIED),
		          "%s; another one goes on", how);
		start_later(h, h->owner.loop->now_ms - h->born_ms);
	}
}

bool key_holder_reaped(struct key_holder *h, pid_t pid, int status)
{
	char how[KEY_HOLDER_TEXT];

	if (!h || h->pid == 0 || h->pid != pid)
		return false;
	describe_end(h, status, how);
	notify_send(h->owner.events, "key-process-end generation=%u pid=%d how=%s value=%d",
	            h->owner.generation, (int)pid, exit_status_how(status), exit_status_value(status));
	forget_process(h);
	note_death(h, how);
	return true;
}

/* ---- all of it ---------------------------------------------------------- */

struct key_holder *key_holder_new(const struct key_holder_owner *owner)
{
	struct key_holder *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	*h = (struct key_holder){
		.owner = *owner, .leash = { -1, -1 }, .ear.fd = -1, .ping.fire = on_ping, .tell.fire = on_tell,
		.retry.fire = on_start_again, .reports = { .each_ms = REPORT_EACH_MS, .burst = REPORT_BURST },
	};
	h->report = mmap(NULL, sizeof *h->report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	                 -1, 0);
	if (h->report != MAP_FAILED)
		return h;
	free(h);
	return NULL;
}

bool key_holder_is_ready(const struct key_holder *h)
{
	return !h || h->ready;
}

const char *key_holder_failure(const struct key_holder *h)
{
	return h && *h->failure ? h->failure : NULL;
}

struct key_holder_past key_holder_past(const struct key_holder *h)
{
	return (struct key_holder_past){ .pid = h->pid, .leash = h->leash };
}

void key_holder_adopt(struct key_holder *h, const struct key_holder_past *past)
{
	h->adopted = h->ready = true;
	if (past->pid != 0)
		listen_to(h, past->pid, &past->leash);
}

void key_holder_forget(struct key_holder *h)
{
	if (h && h->report)
		munmap(h->report, sizeof *h->report);
	if (h)
		h->report = NULL;
}

void key_holder_free(struct key_holder **hp)
{
	struct key_holder *h = *hp;

	*hp = NULL;
	if (!h)
		return;
	timer_unset(&h->owner.loop->timers, &h->retry);
	if (h->pid != 0) {
		kill(h->pid, SIGKILL);
		waitpid(h->pid, NULL, WNOHANG); /* or later, as any child */
		forget_process(h);
	}
	while (h->n_seats > 0)
		key_channel_close(&h->seats[--h->n_seats].channel);
	free(h->seats);
	key_holder_forget(h);
	free(h);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks one question at a time, and the next one when its answer is there: answers carry no names.
 */
#include <config.h>
#include "facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fd.h"

#define READ_AT_ONCE 65536
#define ANSWER_MAX   (64u << 20)        /* bytes: no server has so much to tell */
#define LENGTH_MAX   20                 /* bytes of a line with the length of a text */

struct known {
	struct list waits;              /* for the next answer */
	json_t     *result;             /* of the last one, while it is fresh; or NULL */
	int64_t     at_ms;              /* when it came */
};

struct facts {
	struct loop  *loop;
	const struct leash *leash;
	struct watch  answers;          /* fd -1: there is no master just now */
	struct timer  orphan;
	struct timer  stale;            /* frees what is not fresh any more */
	void        (*orphaned)(void *arg);
	void         *arg;
	struct known  known[FACTS];
	bool          is_leaving;       /* no answer is used again */
	bool          asked_life;       /* the master has not answered that yet; it comes beside the others */
	int           asked;            /* the question under way; -1: none */
	int           last;             /* the one before: each has its turn */
	char         *answer;           /* as far as it has come */
	size_t        len, room;
};

/* ---- answers ------------------------------------------------------------ */

static void end_wait(struct fact_wait *w, const json_t *result)
{
	facts_forget(w);
	w->ready(w, result);
}

static void tell_waits(struct known *k)
{
	struct list told;

	/* One that is told may ask again: that is another question. */
	list_init(&told);
	while (!list_empty(&k->waits)) {
		struct list *first = k->waits.next;

		list_remove(first);
		list_append(&told, first);
	}
	while (!list_empty(&told))
		end_wait(container_of(told.next, struct fact_wait, in_fact), k->result);
}

static void on_stale(struct timer *t)
{
	struct facts *f = container_of(t, struct facts, stale);

	for (int i = 0; i < FACTS; i++) {
		json_decref(f->known[i].result);
		f->known[i].result = NULL;
	}
}

static bool is_text(int question)
{
	return question == FACT_METRICS || question == FACT_OPENMETRICS;
}

/* Where the text of an answer begins, and how long it will be; NULL: the line that says so is not there yet. */
static const char *find_text(const struct facts *f, size_t *len)
{
	const char *end = memchr(f->answer, '\n', f->len < LENGTH_MAX ? f->len : LENGTH_MAX);

	*len = end ? strtoull(f->answer, NULL, 10) : 0;
	return end ? end + 1 : NULL;
}

static bool is_whole(const struct facts *f)
{
	const char *text;
	size_t len;

	if (!is_text(f->asked))
		return f->answer[f->len - 1] == '\n';
	text = find_text(f, &len);
	return text && (size_t)(f->answer + f->len - text) >= len;
}

/* Its bytes are not looked at: that would cost more than all else that a scrape does here. */
static json_t *text_of(const struct facts *f)
{
	size_t len;
	const char *text = find_text(f, &len);

	return json_stringn_nocheck(text, len);
}

/* What the answer says; NULL if the master could not say it. */
static json_t *result_of(const char *line, size_t len)
{
	json_t *answer = json_loadb(line, len, 0, NULL), *result = NULL;

	if (json_is_true(json_object_get(answer, "ok")))
		result = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return result;
}

static void ask_next(struct facts *f);

static void take_answer(struct facts *f)
{
	struct known *k = &f->known[f->asked];

	json_decref(k->result);
	k->result = is_text(f->asked) ? text_of(f) : result_of(f->answer, f->len);
	k->at_ms = f->loop->now_ms;
	f->len = 0;
	f->asked = -1;
	loop_timer(f->loop, &f->stale, FACTS_FRESH_MS);
	tell_waits(k);
	ask_next(f);
}

/* ---- the socket --------------------------------------------------------- */

static void lose_master(struct facts *f)
{
	loop_unwatch(f->loop, &f->answers);
	fd_close(&f->answers.fd);
	f->len = 0;
	f->asked = -1;
	loop_timer(f->loop, &f->orphan, FACTS_ORPHAN_MS);
}

static void on_orphan(struct timer *t)
{
	struct facts *f = container_of(t, struct facts, orphan);

	f->orphaned(f->arg);
}

static bool has_room(struct facts *f)
{
	char *more;

	if (f->room - f->len >= READ_AT_ONCE)
		return true;
	if (f->room >= ANSWER_MAX)
		return false;
	more = realloc(f->answer, 2 * f->room + READ_AT_ONCE);
	if (!more)
		return false;
	f->answer = more;
	f->room = 2 * f->room + READ_AT_ONCE;
	return true;
}

static void on_answer(struct watch *w, uint32_t events)
{
	struct facts *f = container_of(w, struct facts, answers);
	ssize_t n;

	(void)events;
	if (!has_room(f)) {
		lose_master(f);
		return;
	}
	n = recv(w->fd, f->answer + f->len, READ_AT_ONCE, MSG_DONTWAIT);
	if (n == -1 && fd_not_yet(errno))
		return;
	if (n <= 0 || f->asked == -1) {         /* nothing was asked */
		lose_master(f);
		return;
	}
	f->len += (size_t)n;
	if (is_whole(f))
		take_answer(f);
}

/* ---- questions ---------------------------------------------------------- */

/* The next question whose answer is waited for; -1: none. */
static int choose(const struct facts *f)
{
	for (int i = 1; i <= FACTS; i++) {
		const int which = (f->last + i) % FACTS;

		if (which != FACT_LIFE && !list_empty(&f->known[which].waits))
			return which;
	}
	return -1;
}

static void ask_life(struct facts *f)
{
	const struct leash_message m = { .word = LEASH_FACTS, .number = FACT_LIFE };

	if (!f->asked_life && !list_empty(&f->known[FACT_LIFE].waits))
		f->asked_life = leash_say(f->leash, &m) == 0;
}

void facts_note_life(struct facts *f)
{
	struct known *k = &f->known[FACT_LIFE];

	f->asked_life = false;
	json_decref(k->result);
	k->result = json_true();
	k->at_ms = f->loop->now_ms;
	loop_timer(f->loop, &f->stale, FACTS_FRESH_MS);
	tell_waits(k);
}

static void ask_next(struct facts *f)
{
	const int next = f->answers.fd == -1 || f->asked != -1 ? -1 : choose(f);
	const struct leash_message m = { .word = LEASH_FACTS, .number = (uint64_t)next };

	if (next == -1)
		return;
	if (leash_say(f->leash, &m) == -1)
		return;                 /* the master is gone, which the leash tells as well */
	f->asked = f->last = next;
}

static void on_limit(struct timer *t)
{
	end_wait(container_of(t, struct fact_wait, limit), NULL);
}

/* An order that was not read yet may be that to leave. */
static bool is_fresh(const struct facts *f, const struct known *k)
{
	return k->result && f->loop->now_ms - k->at_ms < FACTS_FRESH_MS && !f->is_leaving &&
	       !leash_has_order(f->leash);
}

void facts_ask(struct facts *f, enum fact what, struct fact_wait *w)
{
	struct known *k = &f->known[what];

	if (is_fresh(f, k)) {
		w->ready(w, k->result);
		return;
	}
	w->facts = f;
	w->limit.fire = on_limit;
	list_append(&k->waits, &w->in_fact);
	loop_timer(f->loop, &w->limit, FACTS_LIMIT_MS);
	if (what == FACT_LIFE)
		ask_life(f);
	else
		ask_next(f);
}

void facts_leave(struct facts *f)
{
	f->is_leaving = true;
}

void facts_forget(struct fact_wait *w)
{
	if (!w->facts)
		return;
	timer_unset(&w->facts->loop->timers, &w->limit);
	list_remove(&w->in_fact);
	w->facts = NULL;
}

/* ---- all of it ---------------------------------------------------------- */

static int watch_answers(struct facts *f, int fd)
{
	f->answers = (struct watch){ .fd = fd, .ready = on_answer };
	return loop_watch(f->loop, &f->answers, EPOLLIN);
}

struct facts *facts_new(struct loop *l, const struct leash *leash, int answers, void (*orphaned)(void *arg),
                        void *arg)
{
	struct facts *f = calloc(1, sizeof *f);

	if (!f) {
		fd_drop(answers);
		return NULL;
	}
	*f = (struct facts){ .loop = l, .leash = leash, .orphan.fire = on_orphan, .stale.fire = on_stale,
	                     .orphaned = orphaned, .arg = arg, .asked = -1 };
	for (int i = 0; i < FACTS; i++)
		list_init(&f->known[i].waits);
	if (watch_answers(f, answers) == 0)
		return f;
	fd_drop(answers);
	free(f);
	return NULL;
}

void facts_switch(struct facts *f, int answers)
{
	if (f->answers.fd != -1)
		lose_master(f);
	timer_unset(&f->loop->timers, &f->orphan);
	f->asked_life = false;
	ask_life(f);
	if (watch_answers(f, answers) == 0)
		ask_next(f);
	else
		lose_master(f);
}

void facts_free(struct facts **fp)
{
	struct facts *f = *fp;

	*fp = NULL;
	if (!f)
		return;
	timer_unset(&f->loop->timers, &f->orphan);
	timer_unset(&f->loop->timers, &f->stale);
	loop_unwatch(f->loop, &f->answers);
	fd_close(&f->answers.fd);
	for (int i = 0; i < FACTS; i++)
		json_decref(f->known[i].result);
	free(f->answer);
	free(f);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the lines of an episode, so that an administrator sees what is short, how much, and what
 * would help.
 */
#include <config.h>
#include "exhaustion.h"

#include "address.h"
#include "log.h"
#include "text.h"

#define LINE_MAX_LEN 1024
#define LONGEST      3

static void add_queue(struct text *t, const struct exhaustion_facts *f, int64_t length)
{
	if (f->queue_limit > 0)
		text_add(t, ", %lld of at most %lld connections wait", (long long)length,
		         (long long)f->queue_limit);
}

/* The connections that have been open for longest, by age. */
struct longest {
	size_t                       n;
	pid_t                        workers[LONGEST];
	struct board_connection_view all[LONGEST];
};

static void insert(struct longest *l, pid_t worker, const struct board_connection_view *c)
{
	size_t at = l->n;

	while (at > 0 && l->all[at - 1].since_ms > c->since_ms)
		at--;
	if (at == LONGEST)
		return;
	if (l->n < LONGEST)
		l->n++;
	for (size_t i = l->n - 1; i > at; i--) {
		l->all[i] = l->all[i - 1];
		l->workers[i] = l->workers[i - 1];
	}
	l->all[at] = *c;
	l->workers[at] = worker;
}

static struct longest find_longest(const struct board *b)
{
	struct longest l = { .n = 0 };
	struct board_connection_view c;
	struct board_worker_view w;

	for (size_t i = 0; i < board_slots(b); i++) {
		board_view(b, i, &w);
		for (size_t k = 0; w.open > 0 && k < board_connections(b); k++)
			if (board_view_connection(b, i, k, &c))
				insert(&l, w.pid, &c);
	}
	return l;
}

/* As in "; open for longest: 812-3 from 192.0.2.1:4711 for 95 s". */
static void add_longest(struct text *t, const struct exhaustion_facts *f)
{
	const struct longest l = find_longest(f->board);
	char from[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < l.n; i++)
		text_add(t, "%s %d-%llu from %s for %lld s", i == 0 ? "; open for longest:" : ",",
		         (int)l.workers[i], (unsigned long long)l.all[i].number,
		         endpoint_format(&l.all[i].peer, from, sizeof from),
		         (long long)(f->now_ms - l.all[i].since_ms) / 1000);
}

static void begin_episode(struct exhaustion *e, const struct exhaustion_facts *f, struct notify *events)
{
	char line[LINE_MAX_LEN];
	struct text t = text_in(line, sizeof line);

	*e = (struct exhaustion){ .lasts = true, .since_ms = f->now_ms };
	text_add(&t, "%s: pool exhausted: %lld of %lld slots of %d workers are busy",
	         f->service->name, (long long)f->busy, (long long)f->slots, f->workers);
	add_queue(&t, f, f->queue);
	add_longest(&t, f);
	log_about(LOG_LEVEL_WARNING,
	          LOG_ABOUT(.service = f->service->name, .event = LOG_EVENT_POOL_EXHAUSTED),
	          "%s (more %s or connections would help)", line,
	          f->service->workers.ranged ? "workers.max" : "workers");
	notify_send(events, "exhausted service=%s busy=%lld slots=%lld queue=%lld",
	            f->service->name, (long long)f->busy, (long long)f->slots, (long long)f->queue);
}

static void end_episode(struct exhaustion *e, int64_t ended_ms, const struct exhaustion_facts *f,
                        struct notify *events)
{
	const int64_t lasted_ms = ended_ms - e->since_ms;
	char line[LINE_MAX_LEN] = "";
	struct text t = text_in(line, sizeof line);

	if (f->queue_limit > 0)
		text_add(&t, ", at most %lld of %lld connections waited",
		         (long long)e->longest_queue, (long long)f->queue_limit);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = f->service->name, .event = LOG_EVENT_POOL_RELIEVED),
	          "%s: pool relieved: exhausted for %lld.%03lld s%s; now %lld of %lld slots are busy",
	          f->service->name, (long long)lasted_ms / 1000, (long long)lasted_ms % 1000, line,
	          (long long)f->busy, (long long)f->slots);
	notify_send(events, "relieved service=%s lasted_ms=%lld queue_max=%lld", f->service->name,
	            (long long)lasted_ms, (long long)e->longest_queue);
	e->lasts = false;
}

bool exhaustion_note(struct exhaustion *e, bool exhausted, int64_t ended_ms,
                     const struct exhaustion_facts *f, struct notify *events)
{
	const bool changes = exhausted != e->lasts;

	if (changes && exhausted)
		begin_episode(e, f, events);
	if (e->lasts && f->queue > e->longest_queue)
		e->longest_queue = f->queue;
	if (changes && !exhausted)
		end_episode(e, ended_ms, f, events);
	return changes;
}

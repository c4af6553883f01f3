/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Works without a regular timer. It looks when a worker says that few slots are free or in use,
 * when a client arrives, and when a worker starts or ends; a timer is set only while something
 * has to last for a time.
 */
#include <config.h>
#include "scaler.h"

#include "list.h"
#include "listener.h"
#include "log.h"

static const struct conf_workers *conf_of(const struct scaler *s)
{
	return &s->service->workers;
}

static struct policy_rule rule_of(const struct scaler *s)
{
	const struct conf_workers *w = conf_of(s);
	struct policy_rule r = {
		.min = s->floor, .max = s->floor, .slots = s->service->connections,
		.spare_min = 1, .spare_max = 1, .calm_ms = w->calm,
	};

	if (w->ranged) {
		r.max = w->max;
		r.spare_min = w->spare_min;
		r.spare_max = w->spare_max;
		r.idle_ms = w->idle_exit;
	}
	return r;
}

static void on_next_review(struct timer *t)
{
	struct scaler *s = container_of(t, struct scaler, again);

	s->look(s);
}

static void on_arrival(struct demand_watch *d)
{
	struct scaler *s = container_of(d, struct scaler, demand);

	s->arrival = true;
	s->look(s);
}

/* False if the listeners cannot be watched: then one worker has to stay or start. */
static bool fall_asleep(struct scaler *s)
{
	if (demand_watch_start(&s->demand, s->listeners, s->n_listeners) == -1) {
		log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.service = s->service->name),
		          "%s: watch the listeners: %m; a worker stays", s->service->name);
		return false;
	}
	notify_send(s->events, "on-demand service=%s", s->service->name);
	return true;
}

void scaler_start(struct scaler *s)
{
	s->again.fire = on_next_review;
	s->demand.loop = s->loop;
	s->demand.arrived = on_arrival;
	s->works = true;
	s->arrival = false;
	s->memory = (struct policy_memory){ 0 };        /* forgets what was before a drain */
	s->floor = s->wanted = conf_of(s)->min;
	if (s->wanted == 0 && !fall_asleep(s))
		s->wanted = 1;
}

static void tell_scaled(const struct scaler *s, enum policy_reason reason)
{
	log_about(LOG_LEVEL_DEBUG, LOG_ABOUT(.service = s->service->name, .event = LOG_EVENT_SCALED),
	          "%s: %d workers wanted: %s", s->service->name, s->wanted, policy_reason_name(reason));
	notify_send(s->events, "scaled service=%s workers=%d reason=%s", s->service->name,
	            s->wanted, policy_reason_name(reason));
}

/* The minimum after an order for n. One down takes back a minimum that one up has set, and nothing else. */
static int floor_after(const struct scaler *s, int n, bool as_least)
{
	return as_least || n > s->wanted || n < s->floor || !conf_of(s)->ranged ? n : s->floor;
}

bool scaler_set(struct scaler *s, int n, bool as_least)
{
	const int floor = floor_after(s, n, as_least);

	if (!s->works || n < 1 || n > conf_of(s)->max || (n == s->wanted && floor == s->floor))
		return false;
	s->floor = floor;
	s->wanted = n;
	s->memory = (struct policy_memory){ .exhausted = s->memory.exhausted,
	                                    .relief_ms = s->memory.relief_ms };
	demand_watch_stop(&s->demand);
	tell_scaled(s, POLICY_SET);
	return true;
}

/* ---- deciding ----------------------------------------------------------- */

static struct policy_census take_census(const struct scaler *s, const struct scaler_counts *counts,
                                        int64_t *queue_limit)
{
	struct policy_census c = {
		.now_ms = s->loop->now_ms, .wanted = s->wanted, .accepting = counts->accepting,
		.open = counts->open, .done = counts->done, .arrival = s->arrival,
	};

	*queue_limit = 0;
	for (size_t i = 0; i < s->n_listeners; i++)
		listener_queue(s->listeners[i], &c.queue, queue_limit);
	return c;
}

static bool note_exhaustion(struct scaler *s, const struct policy_census *c, bool exhausted,
                            int64_t queue_limit, const struct board *board)
{
	const struct exhaustion_facts f = {
		.service = s->service, .now_ms = c->now_ms, .workers = c->accepting,
		.busy = c->open, .slots = (int64_t)c->accepting * s->service->connections,
		.queue = c->queue, .queue_limit = queue_limit, .board = board,
	};

	return exhaustion_note(&s->exhaustion, exhausted, s->memory.relief_ms, &f, s->events);
}

void scaler_end(struct scaler *s, const struct scaler_counts *counts)
{
	int64_t queue_limit;
	struct policy_census c;

	if (!s->works)
		return;
	c = take_census(s, counts, &queue_limit);
	s->memory.relief_ms = s->loop->now_ms;
	note_exhaustion(s, &c, false, queue_limit, counts->board);
	s->works = false;
	s->floor = s->wanted = 0;
	timer_unset(&s->loop->timers, &s->again);
	demand_watch_stop(&s->demand);
}

static bool obey_decision(struct scaler *s, const struct policy_decision *d)
{
	if (d->wanted == s->wanted)
		return false;
	if (d->wanted == 0 && !fall_asleep(s))
		return false;
	s->wanted = d->wanted;
	tell_scaled(s, d->reason);
	return true;
}

bool scaler_review(struct scaler *s, const struct scaler_counts *counts)
{
	const struct policy_rule rule = rule_of(s);
	struct policy_decision d;
	struct policy_census c;
	int64_t queue_limit;
	bool news;

	if (!s->works)
		return false;
	c = take_census(s, counts, &queue_limit);
	d = policy_decide(&rule, &c, &s->memory);
	s->arrival = false;
	s->low_free = d.low_free;
	s->low_open = d.low_open;
	news = obey_decision(s, &d);
	news |= note_exhaustion(s, &c, d.exhausted, queue_limit, counts->board);
	if (d.wanted != s->wanted)
		d.again_ms = rule.calm_ms;      /* no worker is told to watch for anything meanwhile */
	if (d.again_ms > 0)
		loop_timer(s->loop, &s->again, d.again_ms);
	else
		timer_unset(&s->loop->timers, &s->again);
	return news;
}

void scaler_look_soon(struct scaler *s)
{
	if (s->works)
		loop_timer(s->loop, &s->again, 0);
}

bool scaler_is_asleep(const struct scaler *s)
{
	return s->works && s->wanted == 0;
}

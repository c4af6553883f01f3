/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Adds workers at once, twice as many each time while that is not enough; removes them one at a
 * time, and late. A worker ends only if at least spare_max slots are free without it, and one
 * starts only if fewer than spare_min are free: between the two nothing changes.
 */
#include <config.h>
#include "policy.h"

#include <assert.h>

#define LOOKS 4                         /* within a time for which something has to last */

struct outlook {
	int     coming;                 /* workers wanted that do not accept yet */
	int64_t free;                   /* slots of those that accept */
};

static const char *const reason_names[] = {
	[POLICY_NONE] = "none", [POLICY_DEMAND] = "demand", [POLICY_ARRIVAL] = "arrival",
	[POLICY_CALM] = "calm", [POLICY_IDLE] = "idle", [POLICY_SET] = "order",
};

const char *policy_reason_name(enum policy_reason reason)
{
	return reason_names[reason];
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static struct outlook look_ahead(const struct policy_rule *r, const struct policy_census *c, int wanted)
{
	struct outlook o = { .free = (int64_t)c->accepting * r->slots - c->open };

	if (o.free < 0)
		o.free = 0;     /* what the board says may be wrong */
	if (wanted > c->accepting)
		o.coming = wanted - c->accepting;
	return o;
}

/* Has the next decision made after a part of of_ms, at the latest. */
static void look_again(struct policy_decision *d, int64_t of_ms)
{
	const int64_t after_ms = of_ms < LOOKS ? 1 : of_ms / LOOKS;

	if (d->again_ms == 0 || after_ms < d->again_ms)
		d->again_ms = after_ms;
}

static void change(struct policy_decision *d, int wanted, enum policy_reason reason)
{
	d->wanted = wanted;
	d->reason = reason;
}

/* Workers on their way count as free: each batch has to start before the next one is added. */
static void judge_demand(const struct policy_rule *r, const struct policy_census *c,
                         struct policy_memory *m, struct policy_decision *d)
{
	const struct outlook o = look_ahead(r, c, d->wanted);
	const int64_t lack = r->spare_min + c->queue - o.free - (int64_t)o.coming * r->slots;

	/* If none of the wanted workers accepts so far, more of them would not either. */
	if (c->accepting == 0 || lack <= 0 || d->wanted >= r->max) {
		if (o.coming == 0)
			m->step = 0;
		return;
	}
	m->step = (int)smaller(m->step > 0 ? 2 * (int64_t)m->step : 1, r->max);
	change(d, d->wanted + (int)smaller(smaller(m->step, (lack - 1) / r->slots + 1),
	                                   r->max - d->wanted), POLICY_DEMAND);
}

/* An on-demand pool that has workers keeps at least one until it is idle. */
static int least_workers(const struct policy_rule *r)
{
	return r->min > 0 ? r->min : 1;
}

static bool is_roomy(const struct policy_rule *r, const struct policy_census *c,
                     const struct policy_decision *d)
{
	const struct outlook o = look_ahead(r, c, d->wanted);

	return d->wanted > least_workers(r) && o.coming == 0 && o.free - r->slots >= r->spare_max;
}

static void judge_surplus(const struct policy_rule *r, const struct policy_census *c,
                          struct policy_memory *m, struct policy_decision *d)
{
	if (!is_roomy(r, c, d)) {
		m->surplus_ms = 0;
		return;
	}
	if (m->surplus_ms == 0 || c->queue > 0)
		m->surplus_ms = c->now_ms;
	if (c->now_ms - m->surplus_ms >= r->calm_ms) {
		change(d, d->wanted - 1, POLICY_CALM);
		m->surplus_ms = c->now_ms;
	}
	look_again(d, r->calm_ms);
}

static bool is_idle(const struct policy_rule *r, const struct policy_census *c,
                    const struct policy_decision *d)
{
	return r->min == 0 && r->idle_ms > 0 && c->accepting > 0 && c->open == 0 &&
	       look_ahead(r, c, d->wanted).coming == 0;
}

static void judge_idleness(const struct policy_rule *r, const struct policy_census *c,
                           struct policy_memory *m, struct policy_decision *d)
{
	if (!is_idle(r, c, d)) {
		m->idle_ms = 0;
		return;
	}
	if (m->idle_ms == 0 || m->done != c->done || c->queue > 0)
		m->idle_ms = c->now_ms;
	m->done = c->done;
	if (c->now_ms - m->idle_ms >= r->idle_ms) {
		change(d, 0, POLICY_IDLE);
		d->again_ms = 0;
		*m = (struct policy_memory){ .exhausted = m->exhausted, .relief_ms = m->relief_ms };
		return;
	}
	look_again(d, r->idle_ms);
}

/* It ends only when slots have been free for some time: else it would be logged again and again. */
static void judge_exhaustion(const struct policy_rule *r, const struct policy_census *c,
                             struct policy_memory *m, struct policy_decision *d)
{
	const struct outlook o = look_ahead(r, c, d->wanted);

	if (o.free == 0 && o.coming == 0 && d->wanted >= r->max && c->accepting > 0) {
		m->exhausted = true;
		m->relief_ms = 0;
	} else if (m->exhausted && m->relief_ms == 0) {
		m->relief_ms = c->now_ms;
	} else if (m->exhausted && c->now_ms - m->relief_ms >= r->calm_ms) {
		m->exhausted = false;
	}
	d->exhausted = m->exhausted;
	if (m->exhausted)
		look_again(d, r->calm_ms);
}

/*
 * Sets limits only for what is not so yet. For the rest there are other occasions to decide again:
 * workers on their way say when they accept, and everything else has its again_ms.
 */
static void choose_limits(const struct policy_rule *r, const struct policy_census *c,
                          struct policy_decision *d)
{
	const struct outlook o = look_ahead(r, c, d->wanted);
	const int64_t low_free = d->wanted < r->max ? r->spare_min : 1;

	if (d->wanted > 0 && !d->exhausted && o.free >= low_free)
		d->low_free = low_free;
	if (d->wanted == 0 || d->wanted < c->wanted || o.coming > 0)
		return;
	if (d->wanted > least_workers(r) && !is_roomy(r, c, d))
		d->low_open = (int64_t)(c->accepting - 1) * r->slots - r->spare_max + 1;
	if (d->low_open <= 0)
		d->low_open = r->min == 0 && r->idle_ms > 0 && !is_idle(r, c, d) ? 1 : 0;
}

struct policy_decision policy_decide(const struct policy_rule *r, const struct policy_census *c,
                                     struct policy_memory *m)
{
	struct policy_decision d = { .wanted = c->wanted };

	assert(r->min <= r->max && r->slots > 0 && r->spare_min > 0 && r->spare_max >= r->spare_min);
	if (c->wanted == 0 && c->arrival) {
		change(&d, least_workers(r), POLICY_ARRIVAL);
		m->step = d.wanted;
	} else {
		judge_demand(r, c, m, &d);
	}
	judge_surplus(r, c, m, &d);
	judge_idleness(r, c, m, &d);
	judge_exhaustion(r, c, m, &d);
	choose_limits(r, c, &d);
	return d;
}

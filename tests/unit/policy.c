/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many workers there should be: single decisions, decisions in the course
 * of time, and a pool under random load.
 */
#include <config.h>
#include "policy.h"

#include "unit.h"

#define T 100000                        /* a time */

static const struct policy_rule range = {
	.min = 1, .max = 16, .slots = 10, .spare_min = 3, .spare_max = 10, .calm_ms = 1000,
};
static const struct policy_rule demand = {
	.min = 0, .max = 4, .slots = 10, .spare_min = 3, .spare_max = 10, .calm_ms = 1000,
	.idle_ms = 8000,
};
static const struct policy_rule forever = {
	.min = 0, .max = 4, .slots = 10, .spare_min = 3, .spare_max = 10, .calm_ms = 1000,
};
static const struct policy_rule fixed = {
	.min = 4, .max = 4, .slots = 10, .spare_min = 1, .spare_max = 1, .calm_ms = 1000,
};
static const struct policy_rule prefork = {
	.min = 2, .max = 8, .slots = 1, .spare_min = 2, .spare_max = 4, .calm_ms = 1000,
};

static const struct row {
	const char                *name;
	const struct policy_rule  *rule;
	struct policy_census       now;
	int                        step;        /* of the last growth */
	int                        want;
	int64_t                    low_free, low_open, again;
	bool                       exhausted;
} rows[] = {
	/* Nothing to do. */
	{ "a quiet pool stays as it is, and waits for demand", &range,
	  { .wanted = 1, .accepting = 1 }, 0, 1, 3, 0, 0, false },
	{ "enough free slots are enough", &range,
	  { .wanted = 1, .accepting = 1, .open = 7 }, 0, 1, 3, 0, 0, false },
	{ "it waits for quiet, where it may become smaller", &range,
	  { .wanted = 4, .accepting = 4, .open = 25 }, 0, 4, 3, 21, 0, false },
	{ "but not where it may not", &range,
	  { .wanted = 2, .accepting = 2, .open = 3 }, 0, 2, 3, 1, 0, false },
	{ "two workers with little to do may become one only when no client is there", &range,
	  { .wanted = 2, .accepting = 2, .open = 1 }, 0, 2, 3, 1, 0, false },

	/* Growth. */
	{ "one slot short: one worker", &range,
	  { .wanted = 1, .accepting = 1, .open = 8 }, 0, 2, 0, 0, 0, false },
	{ "none free: still one, to begin with", &range,
	  { .wanted = 1, .accepting = 1, .open = 10 }, 0, 2, 0, 0, 0, false },
	{ "the next time two", &range,
	  { .wanted = 2, .accepting = 2, .open = 20, .queue = 99 }, 1, 4, 0, 0, 0, false },
	{ "then four", &range,
	  { .wanted = 4, .accepting = 4, .open = 40, .queue = 99 }, 2, 8, 0, 0, 0, false },
	{ "then eight", &range,
	  { .wanted = 8, .accepting = 8, .open = 80, .queue = 99 }, 4, 16, 0, 0, 0, false },
	{ "but no more than are needed", &range,
	  { .wanted = 8, .accepting = 8, .open = 80, .queue = 8 }, 4, 10, 0, 0, 0, false },
	{ "and never beyond max", &range,
	  { .wanted = 13, .accepting = 13, .open = 130, .queue = 99 }, 8, 16, 0, 0, 0, false },
	{ "a worker on its way is spare", &range,
	  { .wanted = 2, .accepting = 1, .open = 10 }, 1, 2, 0, 0, 0, false },
	{ "but it is not enough for a long queue", &range,
	  { .wanted = 2, .accepting = 1, .open = 10, .queue = 20 }, 1, 4, 0, 0, 0, false },
	{ "a queue is demand, even where slots are free", &range,
	  { .wanted = 1, .accepting = 1, .open = 2, .queue = 6 }, 0, 2, 3, 0, 0, false },
	{ "a queue that there is room for is none", &range,
	  { .wanted = 1, .accepting = 1, .open = 2, .queue = 5 }, 0, 1, 3, 0, 0, false },
	{ "free slots are looked after while one comes", &range,
	  { .wanted = 3, .accepting = 2, .open = 15 }, 1, 3, 3, 0, 0, false },
	{ "with no client there yet there is nothing to wait for", &range,
	  { .wanted = 1 }, 0, 1, 0, 0, 0, false },
	{ "and where none can come, no more are tried", &range,
	  { .wanted = 1, .queue = 500 }, 0, 1, 0, 0, 0, false },
	{ "nonsense on the board is no room", &range,
	  { .wanted = 1, .accepting = 1, .open = 1000000 }, 0, 2, 0, 0, 0, false },

	/* The other way. */
	{ "too many: not at once, but it looks again", &range,
	  { .wanted = 4, .accepting = 4 }, 0, 4, 3, 0, 250, false },
	{ "a worker's slots beyond spare_max are too many", &range,
	  { .wanted = 4, .accepting = 4, .open = 20 }, 0, 4, 3, 0, 250, false },
	{ "one fewer is not", &range,
	  { .wanted = 4, .accepting = 4, .open = 21 }, 0, 4, 3, 21, 0, false },
	{ "while one starts none ends", &range,
	  { .wanted = 5, .accepting = 4 }, 0, 5, 3, 0, 0, false },

	/* On demand. */
	{ "asleep it stays asleep", &demand, { 0 }, 0, 0, 0, 0, 0, false },
	{ "whatever the last one still finds in the queue", &demand, { .queue = 5 }, 0, 0, 0, 0, 0, false },
	{ "a client arrives: one worker", &demand, { .arrival = true }, 0, 1, 0, 0, 0, false },
	{ "many clients arrive at once: one worker", &demand,
	  { .arrival = true, .queue = 500 }, 0, 1, 0, 0, 0, false },
	{ "the second step is twice as large", &demand,
	  { .wanted = 1, .accepting = 1, .open = 10, .queue = 99 }, 1, 3, 0, 0, 0, false },
	{ "the only worker waits for the last connection to end", &demand,
	  { .wanted = 1, .accepting = 1, .open = 1 }, 0, 1, 3, 1, 0, false },
	{ "without connections it looks whether it stays so", &demand,
	  { .wanted = 1, .accepting = 1 }, 0, 1, 3, 0, 2000, false },
	{ "two: the surplus is looked after first", &demand,
	  { .wanted = 2, .accepting = 2 }, 0, 2, 3, 0, 250, false },
	{ "idle_exit = 0: the last one stays for ever", &forever,
	  { .wanted = 1, .accepting = 1 }, 0, 1, 3, 0, 0, false },
	{ "that does not keep the others", &forever,
	  { .wanted = 2, .accepting = 2 }, 0, 2, 3, 0, 250, false },

	/* At its limit. */
	{ "at max it waits for the last slot", &range,
	  { .wanted = 16, .accepting = 16, .open = 158, .queue = 9 }, 0, 16, 1, 141, 0, false },
	{ "at max without a free slot it is exhausted", &range,
	  { .wanted = 16, .accepting = 16, .open = 160 }, 0, 16, 0, 141, 250, true },
	{ "but not when it has just begun to grow", &range,
	  { .wanted = 15, .accepting = 15, .open = 150 }, 0, 16, 0, 0, 0, false },
	{ "nor before all have come", &range,
	  { .wanted = 16, .accepting = 15, .open = 150 }, 0, 16, 0, 0, 0, false },
	{ "without any worker it has other troubles", &range,
	  { .wanted = 16, .open = 0 }, 0, 16, 0, 0, 0, false },

	/* A fixed number. */
	{ "a fixed pool waits for its last slot only", &fixed,
	  { .wanted = 4, .accepting = 4, .open = 39, .queue = 50 }, 0, 4, 1, 0, 0, false },
	{ "it never grows", &fixed,
	  { .wanted = 4, .accepting = 4, .open = 40, .queue = 50 }, 0, 4, 0, 0, 250, true },
	{ "nor does it shrink", &fixed, { .wanted = 4, .accepting = 4 }, 0, 4, 1, 0, 0, false },

	/* One client a process. */
	{ "prefork: the last but one is taken", &prefork,
	  { .wanted = 4, .accepting = 4, .open = 3 }, 0, 5, 0, 0, 0, false },
	{ "prefork: as many spare as there are to be", &prefork,
	  { .wanted = 5, .accepting = 5, .open = 2 }, 0, 5, 2, 1, 0, false },
	{ "prefork: one spare process too many", &prefork,
	  { .wanted = 5, .accepting = 5, .open = 0 }, 0, 5, 2, 0, 250, false },
};

START_TEST(a_decision)
{
	const struct row *row = &rows[_i];
	struct policy_memory m = { .step = row->step };
	struct policy_census now = row->now;
	struct policy_decision d;

	now.now_ms = T;
	d = policy_decide(row->rule, &now, &m);
	ck_assert_msg(d.wanted == row->want, "%s: %d workers", row->name, d.wanted);
	ck_assert_msg(d.low_free == row->low_free, "%s: few is %lld", row->name, (long long)d.low_free);
	ck_assert_msg(d.low_open == row->low_open, "%s: quiet is %lld", row->name, (long long)d.low_open);
	ck_assert_msg(d.again_ms == row->again, "%s: again after %lld ms", row->name, (long long)d.again_ms);
	ck_assert_msg(d.exhausted == row->exhausted, "%s: exhausted is %d", row->name, d.exhausted);
	ck_assert_msg((d.reason == POLICY_NONE) == (d.wanted == now.wanted), "%s: because of %s",
	              row->name, policy_reason_name(d.reason));
} END_TEST

/* What a worker is told to wait for must not be so already, or it would tell without end. */
START_TEST(no_worker_is_told_to_wait_for_what_is_there)
{
	const struct policy_rule *rules[] = { &range, &demand, &forever, &fixed, &prefork };

	for (size_t k = 0; k < ARRAY_SIZE(rules); k++) {
		const struct policy_rule *r = rules[k];
		struct policy_census now = rows[_i].now;
		struct policy_memory m = { 0 };
		struct policy_decision d;
		int64_t slots = (int64_t)now.accepting * r->slots;

		if (now.wanted < r->min || now.wanted > r->max)
			continue;
		now.now_ms = T;
		d = policy_decide(r, &now, &m);
		ck_assert_msg(d.low_free == 0 || slots - now.open >= d.low_free, "%s (%zu)", rows[_i].name,
		              k);
		ck_assert_msg(now.open >= d.low_open, "%s (%zu)", rows[_i].name, k);
	}
} END_TEST

/* ---- in the course of time ---------------------------------------------- */

#define STEPS_MAX 12

static const struct {
	const char                *name;
	const struct policy_rule  *rule;
	struct {
		int64_t              at_ms;     /* 0: the end */
		struct policy_census now;
		int                  want;
		enum policy_reason   reason;
		bool                 exhausted;
	} steps[STEPS_MAX];
} courses[] = {
	{ "one at a time goes, each after its calm", &range, {
		{ T,        { .wanted = 4, .accepting = 4 }, 4, POLICY_NONE, false },
		{ T + 999,  { .wanted = 4, .accepting = 4 }, 4, POLICY_NONE, false },
		{ T + 1000, { .wanted = 4, .accepting = 4 }, 3, POLICY_CALM, false },
		{ T + 1999, { .wanted = 3, .accepting = 3 }, 3, POLICY_NONE, false },
		{ T + 2000, { .wanted = 3, .accepting = 3 }, 2, POLICY_CALM, false },
		{ T + 3000, { .wanted = 2, .accepting = 2 }, 1, POLICY_CALM, false },
		{ T + 9000, { .wanted = 1, .accepting = 1 }, 1, POLICY_NONE, false } } },
	{ "calm that is broken begins again", &range, {
		{ T,        { .wanted = 4, .accepting = 4 }, 4, POLICY_NONE, false },
		{ T + 900,  { .wanted = 4, .accepting = 4, .open = 30 }, 4, POLICY_NONE, false },
		{ T + 1100, { .wanted = 4, .accepting = 4 }, 4, POLICY_NONE, false },
		{ T + 2099, { .wanted = 4, .accepting = 4 }, 4, POLICY_NONE, false },
		{ T + 2100, { .wanted = 4, .accepting = 4 }, 3, POLICY_CALM, false } } },
	{ "so does calm while a client waits", &range, {
		{ T,        { .wanted = 4, .accepting = 4 }, 4, POLICY_NONE, false },
		{ T + 900,  { .wanted = 4, .accepting = 4, .queue = 1 }, 4, POLICY_NONE, false },
		{ T + 1899, { .wanted = 4, .accepting = 4 }, 4, POLICY_NONE, false },
		{ T + 1900, { .wanted = 4, .accepting = 4 }, 3, POLICY_CALM, false } } },
	{ "growth begins with one again after the demand", &range, {
		{ T,     { .wanted = 1, .accepting = 1, .open = 10, .queue = 99 }, 2, POLICY_DEMAND, false },
		{ T + 1, { .wanted = 2, .accepting = 2, .open = 20, .queue = 99 }, 4, POLICY_DEMAND, false },
		{ T + 2, { .wanted = 4, .accepting = 4, .open = 30 }, 4, POLICY_NONE, false },
		{ T + 3, { .wanted = 4, .accepting = 4, .open = 40, .queue = 99 }, 5, POLICY_DEMAND, false } } },
	{ "a look while they start does not forget the demand", &range, {
		{ T,     { .wanted = 1, .accepting = 1, .open = 10, .queue = 1 }, 2, POLICY_DEMAND, false },
		{ T + 1, { .wanted = 2, .accepting = 1, .open = 10, .queue = 1 }, 2, POLICY_NONE, false },
		{ T + 2, { .wanted = 2, .accepting = 2, .open = 20, .queue = 99 }, 4, POLICY_DEMAND, false } } },
	{ "the last one of an on-demand pool ends when no client has come", &demand, {
		{ T,        { .wanted = 1, .accepting = 1, .done = 7 }, 1, POLICY_NONE, false },
		{ T + 7999, { .wanted = 1, .accepting = 1, .done = 7 }, 1, POLICY_NONE, false },
		{ T + 8000, { .wanted = 1, .accepting = 1, .done = 7 }, 0, POLICY_IDLE, false },
		{ T + 8001, { 0 }, 0, POLICY_NONE, false },
		{ T + 9000, { .arrival = true }, 1, POLICY_ARRIVAL, false } } },
	{ "who has come and gone meanwhile counts", &demand, {
		{ T,         { .wanted = 1, .accepting = 1, .done = 7 }, 1, POLICY_NONE, false },
		{ T + 6000,  { .wanted = 1, .accepting = 1, .done = 8 }, 1, POLICY_NONE, false },
		{ T + 8000,  { .wanted = 1, .accepting = 1, .done = 8 }, 1, POLICY_NONE, false },
		{ T + 13999, { .wanted = 1, .accepting = 1, .done = 8 }, 1, POLICY_NONE, false },
		{ T + 14000, { .wanted = 1, .accepting = 1, .done = 8 }, 0, POLICY_IDLE, false } } },
	{ "so does who is there", &demand, {
		{ T,         { .wanted = 1, .accepting = 1, .done = 7 }, 1, POLICY_NONE, false },
		{ T + 4000,  { .wanted = 1, .accepting = 1, .done = 8, .open = 1 }, 1, POLICY_NONE, false },
		{ T + 9000,  { .wanted = 1, .accepting = 1, .done = 8, .open = 1 }, 1, POLICY_NONE, false },
		{ T + 10000, { .wanted = 1, .accepting = 1, .done = 8 }, 1, POLICY_NONE, false },
		{ T + 18000, { .wanted = 1, .accepting = 1, .done = 8 }, 0, POLICY_IDLE, false } } },
	{ "an episode ends when slots have been free for its calm", &fixed, {
		{ T,        { .wanted = 4, .accepting = 4, .open = 40 }, 4, POLICY_NONE, true },
		{ T + 250,  { .wanted = 4, .accepting = 4, .open = 39 }, 4, POLICY_NONE, true },
		{ T + 500,  { .wanted = 4, .accepting = 4, .open = 40 }, 4, POLICY_NONE, true },
		{ T + 750,  { .wanted = 4, .accepting = 4, .open = 39 }, 4, POLICY_NONE, true },
		{ T + 1749, { .wanted = 4, .accepting = 4, .open = 39 }, 4, POLICY_NONE, true },
		{ T + 1750, { .wanted = 4, .accepting = 4, .open = 39 }, 4, POLICY_NONE, false },
		{ T + 2000, { .wanted = 4, .accepting = 4, .open = 40 }, 4, POLICY_NONE, true } } },
	{ "a worker that dies in an episode does not end it at once", &fixed, {
		{ T,       { .wanted = 4, .accepting = 4, .open = 40 }, 4, POLICY_NONE, true },
		{ T + 10,  { .wanted = 4, .accepting = 3, .open = 30 }, 4, POLICY_NONE, true },
		{ T + 20,  { .wanted = 4, .accepting = 4, .open = 40 }, 4, POLICY_NONE, true } } },
};

START_TEST(a_course_of_decisions)
{
	struct policy_memory m = { 0 };

	for (size_t i = 0; courses[_i].steps[i].at_ms != 0; i++) {
		struct policy_census now = courses[_i].steps[i].now;
		struct policy_decision d;

		now.now_ms = courses[_i].steps[i].at_ms;
		d = policy_decide(courses[_i].rule, &now, &m);
		ck_assert_msg(d.wanted == courses[_i].steps[i].want, "%s, step %zu: %d workers",
		              courses[_i].name, i, d.wanted);
		ck_assert_msg(d.reason == courses[_i].steps[i].reason, "%s, step %zu: %s",
		              courses[_i].name, i, policy_reason_name(d.reason));
		ck_assert_msg(d.exhausted == courses[_i].steps[i].exhausted, "%s, step %zu: exhausted",
		              courses[_i].name, i);
	}
} END_TEST

/* ---- a pool ------------------------------------------------------------- */

#define START_MS 5                      /* a worker accepts after that */
#define QUIET_MS 60000

/* The whole pool, with time, a queue and workers that start; who serves whom is no matter. */
struct model {
	const struct policy_rule *rule;
	struct policy_memory      memory;
	int64_t                   now_ms, ready_ms, look_ms;
	int                       wanted, accepting;
	int64_t                   clients;      /* of which as many are served as there are slots */
	uint64_t                  done;
	struct policy_decision    last;
	int                       changes;
};

static int64_t model_open(const struct model *p)
{
	const int64_t slots = (int64_t)p->accepting * p->rule->slots;

	return p->clients < slots ? p->clients : slots;
}

static void model_decide(struct model *p)
{
	const struct policy_census c = {
		.now_ms = p->now_ms, .wanted = p->wanted, .accepting = p->accepting,
		.open = model_open(p),
		.queue = p->clients - model_open(p), .done = p->done,
		.arrival = p->wanted == 0 && p->clients > 0,
	};
	const int before = p->wanted;

	p->last = policy_decide(p->rule, &c, &p->memory);
	p->wanted = p->last.wanted;
	p->look_ms = p->last.again_ms > 0 ? p->now_ms + p->last.again_ms : INT64_MAX;
	if (p->wanted < p->accepting)
		p->accepting = p->wanted;       /* its connections are served to their end elsewhere */
	if (p->wanted > before)
		p->ready_ms = p->now_ms + START_MS;
	p->changes += p->wanted != before;
	ck_assert_int_ge(p->wanted, p->rule->min);
	ck_assert_int_le(p->wanted, p->rule->max);
}

/* Nothing but what would wake the master makes it decide. */
static void model_tick(struct model *p, int64_t clients)
{
	int64_t free;

	p->now_ms++;
	p->done += clients != p->clients;
	p->clients = clients;
	free = (int64_t)p->accepting * p->rule->slots - model_open(p);
	if (p->accepting < p->wanted && p->now_ms >= p->ready_ms) {
		p->accepting++;
		model_decide(p);
	} else if (p->now_ms >= p->look_ms || (p->wanted == 0 && p->clients > 0) ||
	           (p->accepting > 0 && (free < p->last.low_free || model_open(p) < p->last.low_open))) {
		model_decide(p);
	}
}

static struct model model_of(const struct policy_rule *r)
{
	struct model p = { .rule = r, .now_ms = T, .look_ms = INT64_MAX, .wanted = r->min,
	                   .accepting = r->min };

	model_decide(&p);
	return p;
}

static uint32_t next_random(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 8;
}

static const struct policy_rule *const all_rules[] = { &range, &demand, &forever, &fixed, &prefork };

START_TEST(random_load_stays_within_bounds_settles_and_does_not_flap)
{
	const struct policy_rule *r = all_rules[_i];
	struct model p = model_of(r);
	uint32_t x = (uint32_t)_i + 1;

	for (int round = 0; round < 200; round++) {
		const int64_t load = next_random(&x) % ((uint32_t)(r->max * r->slots) * 5 / 4);
		int64_t free;
		int settled;

		/* There it goes, now up and now down on its way. */
		for (int i = 0; i < 2000; i++)
			model_tick(&p, load * (int64_t)(next_random(&x) % 1000) / 1000);
		for (int i = 0; i < QUIET_MS; i++)
			model_tick(&p, load);
		settled = p.changes;
		for (int i = 0; i < QUIET_MS; i++)
			model_tick(&p, load);
		ck_assert_int_eq(p.changes, settled);

		/* As many as are needed, and not many more. */
		free = (int64_t)p.accepting * r->slots - model_open(&p);
		ck_assert_int_eq(p.accepting, p.wanted);
		ck_assert(p.wanted == r->max || p.wanted == 0 || free >= r->spare_min);
		ck_assert(p.wanted <= (r->min ? r->min : 1) || free - r->slots < r->spare_max);
		ck_assert(model_open(&p) == load || p.wanted == r->max);
	}
} END_TEST

START_TEST(load_around_a_bound_does_not_make_it_flap)
{
	struct model p = model_of(&range);
	int settled;

	for (int i = 0; i < QUIET_MS; i++)
		model_tick(&p, 47 + i % 2);     /* 3 free of 50, or 2 */
	settled = p.changes;
	for (int i = 0; i < QUIET_MS; i++)
		model_tick(&p, 47 + i % 2);
	ck_assert_int_eq(p.changes, settled);
} END_TEST

START_TEST(a_burst_is_met_in_a_few_steps_and_an_idle_pool_gets_small)
{
	struct model p = model_of(&range);
	int ticks = 0;

	for (; p.accepting < 16; ticks++)
		model_tick(&p, 160);
	ck_assert_int_le(p.changes, 5);         /* 2, 4, 8, 16; the last only as far as needed */
	ck_assert_int_le(ticks, 5 * (START_MS + 16));
	for (int i = 0; i < 16000; i++)
		model_tick(&p, 0);
	ck_assert_int_eq(p.wanted, 1);
	ck_assert_int_eq(p.look_ms, INT64_MAX);         /* and there is no tick */
} END_TEST

int main(void)
{
	Suite *s = suite_create("policy");
	TCase *tc = unit_case(s, "policy", NULL, NULL);

	tcase_add_loop_test(tc, a_decision, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, no_worker_is_told_to_wait_for_what_is_there, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, a_course_of_decisions, 0, ARRAY_SIZE(courses));
	tcase_add_loop_test(tc, random_load_stays_within_bounds_settles_and_does_not_flap, 0,
	                    ARRAY_SIZE(all_rules));
	tcase_add_test(tc, load_around_a_bound_does_not_make_it_flap);
	tcase_add_test(tc, a_burst_is_met_in_a_few_steps_and_an_idle_pool_gets_small);
	return unit_run(s);
}

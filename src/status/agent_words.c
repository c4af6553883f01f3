/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads only what it needs of the status, so that one of another version is understood as well.
 *
 * "up 0%" is said in place of "drain" and of "down" while connections are finished: "drain" would
 * have to be taken back with "ready", which also ends a drain that the operator of the balancer has
 * ordered; and with "down", a balancer may close the connections.
 */
#include <config.h>
#include "agent_words.h"

#include <limits.h>
#include <string.h>

#include "text.h"

/* One service in the status. */
struct view {
	const char  *name, *state, *reason;     /* reason: NULL if there is none */
	int          serves;
	json_int_t   limit, free, queue;
	double       restart_delay;
};

static bool read_service(const json_t *item, struct view *v)
{
	const json_t *queue;
	json_t *j = (json_t *)(uintptr_t)item;  /* jansson's unpacking is not const; it changes nothing */

	*v = (struct view){ .queue = 0 };
	if (json_unpack(j, "{s:s, s:s, s:b, s:{s:I, s:I}, s:F}", "name", &v->name, "state", &v->state,
	                "serves", &v->serves, "slots", "limit", &v->limit, "free", &v->free,
	                "restart_delay", &v->restart_delay) == -1)
		return false;
	v->reason = json_string_value(json_object_get(item, "reason"));
	queue = json_object_get(item, "queue");         /* null: it listens to unix sockets only */
	v->queue = json_integer_value(json_object_get(queue, "length"));
	return v->limit >= 0 && v->free >= 0 && v->queue >= 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(word, *words) != 0)
		words++;
	return *words;
}

/* A worker that ended is replaced at once, and clients wait for it: that is no reason to be down. */
static enum agent_health judge_service(const struct view *v, const char *phase)
{
	static const char *const leaving_phases[] = { "leaving", "stopping", "resting", NULL };
	static const char *const leaving_states[] = { "leaving", "draining", "drained", NULL };

	if (strcmp(phase, "starting") == 0)
		return AGENT_DOWN;
	if (is_one_of(phase, leaving_phases) || is_one_of(v->state, leaving_states))
		return AGENT_LEAVING;
	if (!v->serves && (strcmp(v->state, "failing") == 0 || v->restart_delay > 0))
		return AGENT_DOWN;
	return AGENT_UP;
}

static void explain(struct agent_state *s, const struct view *v, const char *phase, bool with_name)
{
	const char *why = strcmp(phase, "starting") == 0 ? "the server starts" :
	                  v->reason ? v->reason : "its workers end too often";
	struct text t = text_in(s->reason, sizeof s->reason);

	if (with_name) {
		text_add_safe(&t, v->name, strlen(v->name));
		text_add(&t, ": ");
	}
	text_add_safe(&t, why, strlen(why));
}

static void add_service(struct agent_state *s, const struct view *v, const char *phase, bool with_name)
{
	const enum agent_health health = judge_service(v, phase);

	if (health == AGENT_DOWN && s->health != AGENT_DOWN)
		explain(s, v, phase, with_name);
	if (health > s->health)
		s->health = health;
	s->capacity += (uint64_t)v->limit;
	s->free += (uint64_t)(v->free > v->queue ? v->free - v->queue : 0);
}

bool agent_words_judge(const json_t *status, const char *service, struct agent_state *s)
{
	const char *phase = json_string_value(json_object_get(status, "phase"));
	const json_int_t balancers = json_integer_value(json_object_get(status, "balancers"));
	const json_t *services = json_object_get(status, "services"), *item;
	size_t i, found = 0;
	struct view v;

	if (!phase || !json_is_array(services))
		return false;
	*s = (struct agent_state){ .balancers = balancers > 1 ? (uint64_t)balancers : 1 };
	json_array_foreach(services, i, item) {
		if (!read_service(item, &v))
			return false;
		if (*service && strcmp(service, v.name) != 0)
			continue;
		add_service(s, &v, phase, !*service);
		found++;
	}
	if (found == 0) {
		s->health = AGENT_DOWN;
		strcpy(s->reason, "no such service");
	}
	return true;
}

int agent_words_share(const struct agent_state *s)
{
	if (s->capacity == 0 || s->free >= s->capacity)
		return s->capacity == 0 ? 0 : AGENT_WHOLE;
	return (int)((s->free * AGENT_WHOLE + s->capacity - 1) / s->capacity);
}

int agent_words_percent(int share)
{
	const int percent = (share + AGENT_WHOLE / 100 - 1) / (AGENT_WHOLE / 100);

	return percent > 1 ? percent : 1;
}

static int share_of_balancer(const struct agent_state *s)
{
	const uint64_t each = s->capacity / s->balancers;

	return each < 1 ? 1 : each > INT_MAX ? INT_MAX : (int)each;
}

const char *agent_words_line(const struct agent_state *s, int percent, char line[static AGENT_LINE_MAX])
{
	struct text t = text_in(line, AGENT_LINE_MAX);

	switch (s->health) {
	case AGENT_UP:
		text_add(&t, "up %d%% maxconn:%d", percent, share_of_balancer(s));
		break;
	case AGENT_LEAVING:
		text_add(&t, "up 0%%");
		break;
	case AGENT_DOWN:
		text_add(&t, "down #%s", s->reason);
		break;
	}
	return line;
}

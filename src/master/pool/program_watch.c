/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judges what all workers say of their programs, and logs from time to time that they fail.
 */
#include <config.h>
#include "program_watch.h"

#include <string.h>

#include "backoff.h"
#include "list.h"
#include "log.h"
#include "units.h"

#define AGAIN_MIN_MS 60000
#define AGAIN_MAX_MS 3600000

/* What the workers that accept say together; *v is what one of them says. */
static enum board_programs verdict(const struct program_watch *pw, struct board_programs_view *v)
{
	/* A filter works if one of its processes answers; of programs that are started for each
	 * connection, the last one counts. */
	const bool any_will_do = pw->service->handler.kind == HANDLER_FILTER;
	struct board_programs_view one;

	*v = (struct board_programs_view){ .now = BOARD_PROGRAMS_UNKNOWN };
	for (size_t i = 0; i < pw->children->n; i++) {
		if (pw->children->all[i].state != CHILD_ACCEPTING)
			continue;
		board_view_programs(pw->children->memory->board, i, &one);
		if (one.now == BOARD_PROGRAMS_WORK && any_will_do)
			return BOARD_PROGRAMS_WORK;
		if (one.now != BOARD_PROGRAMS_UNKNOWN &&
		    (v->now == BOARD_PROGRAMS_UNKNOWN || one.since_ms >= v->since_ms))
			*v = one;
	}
	return v->now;
}

bool program_watch_fails(const struct program_watch *pw, char why[BOARD_REASON_TEXT])
{
	struct board_programs_view v;

	if (verdict(pw, &v) != BOARD_PROGRAMS_FAIL)
		return false;
	if (why)
		memcpy(why, v.reason, sizeof v.reason);
	return true;
}

static void tell_later(struct program_watch *pw)
{
	pw->delay_ms = backoff_next(pw->delay_ms, AGAIN_MIN_MS, AGAIN_MAX_MS);
	loop_timer(pw->loop, &pw->again, pw->delay_ms);
}

static void on_tell_again(struct timer *t)
{
	struct program_watch *pw = container_of(t, struct program_watch, again);
	char why[BOARD_REASON_TEXT], lasts[UNITS_TEXT_MAX];

	if (program_watch_fails(pw, why))
		log_about(LOG_LEVEL_ERROR,
		          LOG_ABOUT(.service = pw->service->name, .event = LOG_EVENT_PROGRAMS_FAIL),
		          "%s: still failing, for %s: %s", pw->service->name,
		          units_format_duration((pw->loop->now_ms - pw->since_ms) / 1000 * 1000, lasts),
		          why);
	tell_later(pw);
}

static void begin_failing(struct program_watch *pw)
{
	pw->fails = true;
	pw->since_ms = pw->loop->now_ms;
	pw->delay_ms = 0;
	pw->again.fire = on_tell_again;
	tell_later(pw);
	notify_send(pw->events, "service-failing service=%s", pw->service->name);
}

static void end_failing(struct program_watch *pw)
{
	program_watch_end(pw);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = pw->service->name, .event = LOG_EVENT_PROGRAMS_WORK),
	          "%s: its program works again", pw->service->name);
	notify_send(pw->events, "service-works service=%s", pw->service->name);
}

/* If no worker knows, as while all are replaced, the verdict stays as it was. */
bool program_watch_look(struct program_watch *pw)
{
	struct board_programs_view v;
	const enum board_programs now = verdict(pw, &v);
	const bool was = pw->fails;

	if (now == BOARD_PROGRAMS_FAIL && !pw->fails)
		begin_failing(pw);
	else if (now == BOARD_PROGRAMS_WORK && pw->fails)
		end_failing(pw);
	return pw->fails != was;
}

void program_watch_end(struct program_watch *pw)
{
	pw->fails = false;
	timer_unset(&pw->loop->timers, &pw->again);
}

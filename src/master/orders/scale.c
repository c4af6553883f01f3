/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells pools how many workers are wanted. A pool starts and ends them, and goes on adapting their
 * number if a range is configured. This file does not know when the workers accept.
 */
#include <config.h>
#include "scale.h"

#include "log.h"
#include "units.h"

#define NUMBER_MAX 999999

void scale_all(struct master *m, int by)
{
	if (master_permit(m, by > 0 ? ORDER_MORE : ORDER_FEWER) != PERMIT_NOW) {
		m->pending_scale += by;
		return;
	}
	for (size_t i = 0; i < m->current->n; i++) {
		struct service *s = &m->current->services[i];

		if (pool_scale(s->pool, by))
			log_about(LOG_LEVEL_INFO,
			          LOG_ABOUT(.service = s->conf->name, .event = LOG_EVENT_SCALED),
			          "%s: %d workers wanted", s->conf->name, pool_target(s->pool));
		else
			log_about(LOG_LEVEL_INFO,
			          LOG_ABOUT(.service = s->conf->name, .event = LOG_EVENT_SCALED),
			          "%s: stays at %d workers", s->conf->name, pool_target(s->pool));
	}
}

void scale_catch_up(struct master *m)
{
	const int by = m->pending_scale > 0 ? 1 : -1;

	while (m->pending_scale != 0 && master_permit(m, by > 0 ? ORDER_MORE : ORDER_FEWER) == PERMIT_NOW) {
		m->pending_scale -= by;
		scale_all(m, by);
	}
}

static bool is_relative(const char *text)
{
	return *text == '+' || *text == '-';
}

bool scale_parse(const char *text, int from, int *to)
{
	const bool relative = is_relative(text);
	int64_t n;

	if (units_parse_whole(text + relative, NUMBER_MAX, &n) == -1)
		return false;
	*to = !relative ? (int)n : *text == '+' ? from + (int)n : from - (int)n;
	return true;
}

void scale_service(const struct service *s, const char *text, int to)
{
	if (is_relative(text))
		pool_scale(s->pool, to - pool_target(s->pool));
	else
		pool_scale_to(s->pool, to);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = s->conf->name, .event = LOG_EVENT_SCALED),
	          "%s: %d workers wanted", s->conf->name, to);
}

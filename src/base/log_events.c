/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of events.
 */
#include <config.h>
#include "log_events.h"

#include <stddef.h>

static const struct {
	const char *word, *id;
} events[LOG_EVENT_COUNT] = {
#define X(NAME, word, id) [LOG_EVENT_##NAME] = { word, id },
	LOG_EVENTS(X)
#undef X
};

const char *log_events_word(enum log_event event)
{
	return events[event].word;
}

const char *log_events_id(enum log_event event)
{
	return events[event].id;
}

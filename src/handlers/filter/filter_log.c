/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Logs each fault of a process once: a breach of the contract when it is seen, and an end by
 * itself when its status is known. It does not know what follows from a fault: filter_pool.c does.
 */
#include <config.h>
#include "filter_log.h"

#include "exit_status.h"
#include "log.h"
#include "units.h"
#include "worker.h"

static const char *const end_names[] = {
	[FILTER_END_RECYCLED] = "recycled",
	[FILTER_END_CLOSED] = "closed",
	[FILTER_END_DRAINED] = "drained",
	[FILTER_END_DIED] = "died",
	[FILTER_END_TIMEOUT] = "timeout",
	[FILTER_END_UNASKED] = "unasked",
	[FILTER_END_TOO_LONG] = "too-long",
	[FILTER_END_BROKEN] = "broken",
};

void filter_log_start(const struct worker *w, const struct filter_process *p)
{
	worker_event(w, "filter-start program=%d", (int)filter_process_pid(p));
}

/* Adds a hint if the length in a frame is too large, and would not be in the other byte order. */
static void add_byte_order(struct text *t, const struct framing *f, const struct framing_state *s,
                           uint64_t at_most)
{
	const uint64_t swapped = framing_swapped_length(f, s);

	if (swapped > 0 && swapped <= at_most && s->length > at_most)
		text_add(t, "; its length is %llu, in the other byte order %llu: it goes with the high byte first",
		         (unsigned long long)s->length, (unsigned long long)swapped);
}

/* Adds how much of the answer has come: nothing, or a number of bytes of its frame. */
static void add_part(struct text *t, const struct filter_process *p, const struct framing *f)
{
	struct framing_state s;
	const size_t came = filter_process_part(p, &s);

	if (came == 0) {
		text_add(t, "; nothing came: is its output buffered, or does it wait for more?");
		return;
	}
	text_add(t, "; %zu bytes of a frame came", came);
	if (f->kind != FRAMING_LINE && s.length > s.content)
		text_add(t, ", %llu are missing", (unsigned long long)(s.length - s.content));
	add_byte_order(t, f, &s, s.content);
}

static void explain_timeout(const struct worker *w, const struct filter_process *p)
{
	const struct conf_filter *conf = &w->service->handler.filter;
	const int pid = (int)filter_process_pid(p);
	char after[UNITS_TEXT_MAX], came[256];
	struct text t = text_in(came, sizeof came);

	units_format_duration(conf->timeout, after);
	add_part(&t, p, &conf->filter_framing);
	if (conf->filter_framing.kind == FRAMING_LINE && filter_process_is_silent(p))
		log_warn("%s: filter %d: No newline within %s: is its input or output buffered?"
		         " (pty = true may help)", w->service->name, pid, after);
	else
		log_warn("%s: filter %d has not answered within %s%s", w->service->name, pid, after, came);
}

void filter_log_loss(const struct worker *w, const struct filter_process *p)
{
	const struct framing *f = &w->service->handler.filter.filter_framing;
	const char *name = w->service->name;
	const int pid = (int)filter_process_pid(p);
	char hint[256];
	struct text t = text_in(hint, sizeof hint);
	struct framing_state s;

	switch (filter_process_why(p)) {
	case FILTER_END_TIMEOUT:
		explain_timeout(w, p);
		break;
	case FILTER_END_UNASKED:
		log_warn("%s: filter %d said something without being asked (does it greet?); killed", name, pid);
		break;
	case FILTER_END_TOO_LONG:
		filter_process_part(p, &s);
		add_byte_order(&t, f, &s, f->max);
		log_warn("%s: filter %d gave an answer longer than max_request; killed%s", name, pid, hint);
		break;
	case FILTER_END_BROKEN:
		log_warn("%s: filter %d gave an answer that is no %s; killed", name, pid,
		         w->service->handler.filter.filter_framing_text);
		break;
	case FILTER_END_DIED:
	case FILTER_END_RECYCLED: case FILTER_END_CLOSED: case FILTER_END_DRAINED:
		break;          /* logged when its status is known; the others are normal */
	}
}

void filter_log_end(const struct worker *w, const struct filter_process *p, int status)
{
	const enum filter_end why = filter_process_why(p);
	const int pid = (int)filter_process_pid(p);
	const unsigned long long answered = filter_process_answered(p);
	const char *const how = exit_status_how(status);
	const int value = exit_status_value(status);

	/* If the service is failing, that was logged once for all its processes. */
	if (why == FILTER_END_DIED)
		log_about(health_fails(w) ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
		          LOG_ABOUT(.event = LOG_EVENT_PROGRAM_ENDED),
		          "%s: filter %d ended by itself (%s %d) after %llu answers", w->service->name, pid,
		          how, value, answered);
	worker_event(w, "filter-end program=%d reason=%s how=%s value=%d answered=%llu", pid,
	             end_names[why], how, value, answered);
}

void filter_log_reason(const struct worker *w, const struct filter_process *p, int status,
                       struct text *t)
{
	const struct conf_filter *conf = &w->service->handler.filter;
	char after[UNITS_TEXT_MAX];

	text_add(t, "%s ", w->service->handler.program);
	switch (filter_process_why(p)) {
	case FILTER_END_TIMEOUT:
		text_add(t, "has not answered within %s", units_format_duration(conf->timeout, after));
		break;
	case FILTER_END_UNASKED:
		text_add(t, "says something without being asked");
		break;
	case FILTER_END_TOO_LONG:
		text_add(t, "gives an answer longer than max_request");
		break;
	case FILTER_END_BROKEN:
		text_add(t, "gives an answer that is no %s", conf->filter_framing_text);
		break;
	case FILTER_END_DIED:
	case FILTER_END_RECYCLED: case FILTER_END_CLOSED: case FILTER_END_DRAINED:
		text_add(t, "ends before it answers (%s %d)", exit_status_how(status),
		         exit_status_value(status));
		break;
	}
	filter_process_add_last_words(p, t);
}

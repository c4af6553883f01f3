/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts the helpers that write crash reports, limits their number, and reports the result of each
 * in the log and in an event.
 */
#include <config.h>
#include "crash_reports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "clock.h"
#include "log.h"

/* In the helper. The exit status is 0 or an errno. */
static int write_report(void *arg, int no_pipe)
{
	const struct crash_writing *w = arg;
	char time[CLOCK_TEXT_MAX];
	json_t *report = evidence_json(w->evidence, clock_utc(&w->when, time));

	(void)no_pipe;
	return report ? crash_files_write(w->folder, w->name, report) : ENOMEM;
}

static struct crash_writing *find_place(struct crash_reports *r)
{
	for (size_t i = 0; i < CRASH_REPORTS_AT_ONCE; i++)
		if (!r->writing[i].helper)
			return &r->writing[i];
	return NULL;
}

static void complain_of_writing(const struct crash_reports *r, const char *service, const char *state_dir,
                                const char *why)
{
	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.service = service, .event = LOG_EVENT_CRASH_REPORT),
	          "%s: keep a crash report in %s: %s", service, state_dir, why);
	notify_send(r->events, "crash-report-failed service=%s", service);
}

/* state_dir need not exist: that is not an error, and is logged once. */
static void tell_missing(struct crash_reports *r, const struct crash_writing *w)
{
	if (strcmp(r->missing, w->state_dir) != 0)
		log_info("crash reports are not kept: there is no directory %s", w->state_dir);
	snprintf(r->missing, sizeof r->missing, "%s", w->state_dir);
	notify_send(r->events, "crash-report-failed service=%s", w->service);
}

/* Why a helper has failed, from its exit status or signal. */
static const char *why_failed(const struct helper_end *end)
{
	if (end->too_late)
		return "it takes too long";
	if (WIFSIGNALED(end->status))
		return "the process that writes it died";
	/* As an errno, it is one that calls on files do not set. */
	if (WEXITSTATUS(end->status) == EX_OSERR)
		return "the process that writes it could not start";
	return strerror(WEXITSTATUS(end->status));
}

static void finish(void *arg, const struct helper_end *end)
{
	struct crash_writing *w = arg;
	struct crash_reports *r = w->reports;

	w->helper = NULL;
	if (WIFEXITED(end->status) && WEXITSTATUS(end->status) == ENOENT) {
		tell_missing(r, w);
	} else if (end->status != 0) {
		complain_of_writing(r, w->service, w->state_dir, why_failed(end));
	} else {
		r->missing[0] = '\0';
		log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = w->service, .event = LOG_EVENT_CRASH_REPORT),
		          "%s: crash report %s", w->service, w->name);
		notify_send(r->events, "crash-report service=%s name=%s", w->service, w->name);
	}
}

void crash_reports_keep(struct crash_reports *r, const char *state_dir, const struct evidence *e)
{
	struct crash_writing *w = find_place(r);
	const struct helper_job job = {
		.title = "crash report", .limit_ms = CRASH_REPORTS_MS, .outlives = true,
		.run = write_report, .done = finish, .arg = w,
	};

	if (!w) {
		complain_of_writing(r, e->service, state_dir, "too many at once");
		return;
	}
	*w = (struct crash_writing){ .reports = r, .folder = state_dir, .evidence = e };
	clock_gettime(CLOCK_REALTIME, &w->when);
	snprintf(w->service, sizeof w->service, "%s", e->service);
	snprintf(w->state_dir, sizeof w->state_dir, "%s", state_dir);
	crash_files_name(&w->when, e->service, e->pid, w->name);
	w->helper = helper_start(r->helpers, &job);
	if (!w->helper)
		complain_of_writing(r, e->service, state_dir, strerror(errno));
}

void crash_reports_leave(struct crash_reports *r)
{
	for (size_t i = 0; i < CRASH_REPORTS_AT_ONCE; i++)
		helper_free(&r->writing[i].helper);
}

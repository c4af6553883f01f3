/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forking the writers, and telling what they have done. They outlive the
 * master, if need be, but not for long.
 */
#include <config.h>
#include "crash_reports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "detach.h"
#include "fd.h"
#include "log.h"
#include "signals.h"
#include "title.h"

/* The exit status is 0 or an errno. */
static _Noreturn void be_child(const struct crash_writing *w, const char *state_dir,
                               const struct evidence *e, const struct timespec *when)
{
	char time[CLOCK_TEXT_MAX];
	json_t *report;

	title_set("droverd: crash report");
	signals_unblock();
	alarm(CRASH_REPORTS_S);
	if (detach_from_terminal() == -1 ||
	    fd_keep_only(&(int){ -1 }, 1) == -1)        /* above all not the leashes */
		_exit(errno);
	report = evidence_report(e, clock_utc(when, time));
	_exit(report ? crash_files_write(state_dir, w->name, report) : ENOMEM);
}

static struct crash_writing *find(struct crash_reports *r, pid_t pid)
{
	for (size_t i = 0; i < CRASH_REPORTS_AT_ONCE; i++)
		if (r->writing[i].pid == pid)
			return &r->writing[i];
	return NULL;
}

static void complain(const struct crash_reports *r, const char *service, const char *state_dir,
                     const char *why)
{
	log_warn("%s: keep a crash report in %s: %s", service, state_dir, why);
	notify_send(r->events, "crash-report-failed service=%s", service);
}

/* Nobody has to make state_dir: that is no fault, and is said once. */
static void tell_missing(struct crash_reports *r, const struct crash_writing *w)
{
	if (strcmp(r->missing, w->state_dir) != 0)
		log_info("crash reports are not kept: there is no directory %s", w->state_dir);
	snprintf(r->missing, sizeof r->missing, "%s", w->state_dir);
	notify_send(r->events, "crash-report-failed service=%s", w->service);
}

void crash_reports_keep(struct crash_reports *r, const char *state_dir, const struct evidence *e)
{
	struct crash_writing *w = find(r, 0);
	struct timespec when;

	if (!w) {
		complain(r, e->service, state_dir, "too many at once");
		return;
	}
	clock_gettime(CLOCK_REALTIME, &when);
	snprintf(w->service, sizeof w->service, "%s", e->service);
	snprintf(w->state_dir, sizeof w->state_dir, "%s", state_dir);
	crash_files_name(&when, e->service, e->pid, w->name);
	w->pid = fork();
	if (w->pid == 0)
		be_child(w, state_dir, e, &when);
	if (w->pid == -1) {
		complain(r, e->service, state_dir, strerror(errno));
		w->pid = 0;
	}
}

bool crash_reports_reaped(struct crash_reports *r, pid_t pid, int status)
{
	struct crash_writing *w = find(r, pid);

	if (!w)
		return false;
	w->pid = 0;
	if (WIFSIGNALED(status)) {
		complain(r, w->service, w->state_dir, WTERMSIG(status) == SIGALRM
		         ? "it takes too long" : "the process that writes it died");
	} else if (WEXITSTATUS(status) == ENOENT) {
		tell_missing(r, w);
	} else if (WEXITSTATUS(status) != 0) {
		complain(r, w->service, w->state_dir, strerror(WEXITSTATUS(status)));
	} else {
		r->missing[0] = '\0';
		log_info("%s: crash report %s", w->service, w->name);
		notify_send(r->events, "crash-report service=%s name=%s", w->service, w->name);
	}
	return true;
}

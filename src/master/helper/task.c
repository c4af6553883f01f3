/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts what a helper writes into lines, keeps those that are complaints, and makes an exit code
 * of its end.
 */
#include <config.h>
#include "task.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "log.h"
#include "signals.h"
#include "text.h"

struct task {
	struct task_job job;
	struct helper    *helper;
	size_t            line_len;
	char              line[LOG_LINE_MAX];
	struct text       said;         /* the complaints so far */
	char              said_room[TASK_SAID];
};

/* ---- complaints --------------------------------------------------------- */

/* Goes to the log, and is kept for the client that has asked. */
static void log_complaint(struct task *e, const char *line)
{
	log_err("%s", line);
	text_add(&e->said, "%s%s", e->said.len > 0 ? "\n" : "", line);
}

static void complain_of(struct task *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain_of(struct task *e, const char *format, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	log_complaint(e, line);
}

static void flush_line(struct task *e)
{
	if (e->line_len == 0)
		return;
	e->line[e->line_len] = '\0';
	e->line_len = 0;
	if (!e->job.hear || !e->job.hear(e->job.arg, e->line))
		log_complaint(e, e->line);
}

static void hear_task(void *arg, const char *bytes, size_t n)
{
	struct task *e = arg;

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			flush_line(e);
		else if (e->line_len < sizeof e->line - 1 && bytes[i] != '\0')
			e->line[e->line_len++] = bytes[i];
	}
}

static void complain_of_delay(void *arg)
{
	struct task *e = arg;

	complain_of(e, "%s takes more than %d s: given up", e->job.what, (int)(e->job.limit_ms / 1000));
}

/* ---- the end ------------------------------------------------------------ */

static int exit_code_of(struct task *e, const struct helper_end *end)
{
	if (WIFEXITED(end->status))
		return WEXITSTATUS(end->status);
	if (end->too_late)
		return EX_TEMPFAIL;
	complain_of(e, "%s: the process was ended by signal %s", e->job.what,
	            signals_name(WTERMSIG(end->status)));
	return EX_SOFTWARE;
}

static void finish_task(void *arg, const struct helper_end *end)
{
	struct task *e = arg;
	struct task_result result;

	flush_line(e);
	result.exit_code = exit_code_of(e, end);
	result.complaints = e->said.buf;
	e->job.done(e->job.arg, &result);
	free(e);
}

/* ---- the beginning ------------------------------------------------------ */

static int run_task(void *arg, int out)
{
	const struct task *e = arg;

	return e->job.run(e->job.arg, out);
}

struct task *task_start(struct helpers *all, const struct task_job *job)
{
	struct task *e = calloc(1, sizeof *e);
	const struct helper_job how = {
		.title = job->title, .limit_ms = job->limit_ms, .keep = &job->keep, .n_keep = 1,
		.run = run_task, .hear = hear_task, .late = complain_of_delay, .done = finish_task, .arg = e,
	};

	if (!e)
		return NULL;
	e->job = *job;
	e->said = text_in(e->said_room, sizeof e->said_room);
	e->helper = helper_start(all, &how);
	if (!e->helper)
		task_cancel(&e);
	return e;
}

void task_cancel(struct task **ep)
{
	struct task *e = *ep;

	*ep = NULL;
	if (!e)
		return;
	helper_free(&e->helper);
	free(e);
}

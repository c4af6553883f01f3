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
static void log_complaint(struct task *t, const char *line)
{
	log_err("%s", line);
	text_add(&t->said, "%s%s", t->said.len > 0 ? "\n" : "", line);
}

static void complain_of(struct task *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain_of(struct task *t, const char *format, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	log_complaint(t, line);
}

static void flush_line(struct task *t)
{
	if (t->line_len == 0)
		return;
	t->line[t->line_len] = '\0';
	t->line_len = 0;
	if (!t->job.hear || !t->job.hear(t->job.arg, t->line))
		log_complaint(t, t->line);
}

static void hear_task(void *arg, const char *bytes, size_t n)
{
	struct task *t = arg;

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			flush_line(t);
		else if (t->line_len < sizeof t->line - 1 && bytes[i] != '\0')
			t->line[t->line_len++] = bytes[i];
	}
}

static void complain_of_delay(void *arg)
{
	struct task *t = arg;

	complain_of(t, "%s takes more than %d s: given up", t->job.what, (int)(t->job.limit_ms / 1000));
}

/* ---- the end ------------------------------------------------------------ */

static int exit_code_of(struct task *t, const struct helper_end *end)
{
	if (WIFEXITED(end->status))
		return WEXITSTATUS(end->status);
	if (end->too_late)
		return EX_TEMPFAIL;
	complain_of(t, "%s: the process was ended by signal %s", t->job.what,
	            signals_name(WTERMSIG(end->status)));
	return EX_SOFTWARE;
}

static void finish_task(void *arg, const struct helper_end *end)
{
	struct task *t = arg;
	struct task_result result;

	flush_line(t);
	result.exit_code = exit_code_of(t, end);
	result.complaints = t->said.buf;
	t->job.done(t->job.arg, &result);
	free(t);
}

/* ---- the beginning ------------------------------------------------------ */

static int run_task(void *arg, int out)
{
	const struct task *t = arg;

	return t->job.run(t->job.arg, out);
}

struct task *task_start(struct helpers *all, const struct task_job *job)
{
	struct task *t = calloc(1, sizeof *t);
	const struct helper_job how = {
		.title = job->title, .limit_ms = job->limit_ms, .keep = &job->keep, .n_keep = 1,
		.run = run_task, .hear = hear_task, .late = complain_of_delay, .done = finish_task, .arg = t,
	};

	if (!t)
		return NULL;
	t->job = *job;
	t->said = text_in(t->said_room, sizeof t->said_room);
	t->helper = helper_start(all, &how);
	if (!t->helper)
		task_cancel(&t);
	return t;
}

void task_cancel(struct task **tp)
{
	struct task *t = *tp;

	*tp = NULL;
	if (!t)
		return;
	helper_free(&t->helper);
	free(t);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts the task that loads a configuration, and takes its result.
 */
#include <config.h>
#include "conf_fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "task.h"

struct conf_fetch {
	struct task             *task;
	const struct conf_origin *source;
	const struct conf       *before;
	struct arena             arena;         /* shared with the child */
	conf_fetch_done         *done;
	void                    *arg;
};

/* ---- in the child ------------------------------------------------------- */

/* A warning begins with a blank, as no complaint does. */
static void write_complaint(void *arg, enum conf_weight weight, const char *line)
{
	/* The pipe blocks: nothing is lost, however many complaints there are. */
	dprintf(*(const int *)arg, "%s%s\n", weight == CONF_WARNING ? " " : "", line);
}

static int load_in_child(void *arg, int out)
{
	struct conf_fetch *f = arg;
	const struct conf *conf;

	return conf_load_for(CONF_FOR_DAEMON, &f->arena, f->source->file, f->source->text,
	                     f->before, write_complaint, &out, &conf);
}

/* ---- in the master ------------------------------------------------------ */

/* The exit status for the master: 0 if there is a configuration, now ours alone. */
static int judge_result(struct conf_fetch *f, const struct task_result *r, const char **complaints)
{
	const struct conf *conf = (const struct conf *)(const void *)f->arena.base;

	*complaints = r->complaints;
	if (r->exit_code != EX_OK)
		return r->exit_code;
	if (arena_seal(&f->arena, conf->size) == 0)
		return EX_OK;
	log_err("keep the configuration: %m");
	*complaints = strerror(errno);
	return EX_OSERR;
}

static bool hear_warning(void *arg, const char *line)
{
	(void)arg;
	if (line[0] != ' ')
		return false;
	log_warn("%s", line + 1);
	return true;
}

static void on_loaded(void *arg, const struct task_result *r)
{
	struct conf_fetch *f = arg;
	struct conf_fetched result = { .exit_code = judge_result(f, r, &result.complaints) };

	result.arena = f->arena;
	if (result.exit_code == EX_OK)
		result.conf = (const struct conf *)(const void *)f->arena.base;
	else
		arena_close(&result.arena);
	f->done(f->arg, &result);
	free(f);
}

struct conf_fetch *conf_fetch_start(struct helpers *all, const struct conf_origin *source,
                                    const struct conf *before, conf_fetch_done *done, void *arg)
{
	struct conf_fetch *f = calloc(1, sizeof *f);
	const struct task_job job = { .what = "checking the configuration", .title = "configuration",
	                                .limit_ms = CONF_FETCH_MS, .run = load_in_child, .keep = -1,
	                                .hear = hear_warning, .done = on_loaded, .arg = f };

	if (!f)
		return NULL;
	*f = (struct conf_fetch){ .source = source, .before = before, .done = done, .arg = arg };
	if (arena_open(&f->arena, CONF_ARENA_SIZE) == -1)
		goto fail;
	f->task = task_start(all, &job);
	/* A worker that is forked meanwhile must not see it. */
	if (f->task && madvise(f->arena.base, f->arena.size, MADV_DONTFORK) == 0)
		return f;
fail:
	conf_fetch_cancel(&f);
	return NULL;
}

const char *conf_fetch_trouble(const struct conf_fetched *result)
{
	return result->exit_code == EX_TEMPFAIL ?
	       "a look-up failed for now (this is temporary: try again)" :
	       "the configuration has errors";
}

void conf_fetch_cancel(struct conf_fetch **fp)
{
	struct conf_fetch *f = *fp;
	const int saved = errno;

	*fp = NULL;
	if (!f)
		return;
	task_cancel(&f->task);
	arena_close(&f->arena);
	free(f);
	errno = saved;
}

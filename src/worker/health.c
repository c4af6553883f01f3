/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides when a failing service is reported, and with which words. The handlers decide which
 * ends of programs count.
 */
#include <config.h>
#include "health.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "text.h"
#include "worker.h"

bool health_fails(const struct worker *w)
{
	return w->health.now == BOARD_PROGRAMS_FAIL;
}

bool health_is_passing(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN ||
	       error == ENOBUFS;
}

/* Not for a service with a `chroot`: below that, the path names other directories. */
static void add_sandbox(struct text *t, const struct worker *w, const char *path, int error)
{
	char hint[SANDBOX_PATHS_HINT_MAX];

	if (w->health.in_unit && !w->service->chroot && (error == ENOENT || error == EACCES) &&
	    access(path, F_OK) == -1)
		text_add_string(t, sandbox_paths_hint(path, hint));
}

const char *health_explain_start(const struct worker *w, int error, char buf[static HEALTH_TEXT_MAX])
{
	const struct programs *ps = &w->programs;
	struct text t = text_in(buf, HEALTH_TEXT_MAX);
	char what[PROGRAMS_FAILURE_MAX], why[INTERPRETER_TEXT_MAX];

	text_add(&t, "%s: %s", programs_failure(ps, what),
	         ps->no_directory ? strerror(error) : interpreter_explain(ps->program, error, why));
	add_sandbox(&t, w, ps->no_directory ? ps->directory : ps->program, error);
	return buf;
}

/* ---- what the board says ------------------------------------------------ */

static bool sibling_fails(const struct worker *w)
{
	const struct board *b = w->start.memory->board;

	for (size_t i = 0; i < board_slots(b); i++)
		if (i != w->start.slot &&
		    atomic_load_explicit(&board_slot(b, i)->programs, memory_order_relaxed) == BOARD_PROGRAMS_FAIL)
			return true;
	return false;
}

static void tell_health(struct worker *w, enum board_programs now, const char *reason)
{
	const bool is_new = w->health.now != now;

	w->health.now = now;
	board_tell_programs(w->slot, now, w->loop.now_ms, reason);
	if (is_new && w->leash.ready)
		worker_insist(w, LEASH_PROGRAMS);
}

void health_works(struct worker *w, bool renewed)
{
	w->health.strikes = 0;
	if (w->health.now == BOARD_PROGRAMS_WORK && !renewed)
		return;
	w->health.proven = true;
	w->health.refused = false;
	tell_health(w, BOARD_PROGRAMS_WORK, "");
}

void health_failed(struct worker *w, const char *reason)
{
	if (!health_fails(w))
		log_about(sibling_fails(w) ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR,
		          LOG_ABOUT(.event = LOG_EVENT_PROGRAMS_FAIL), "%s: failing: %s", w->service->name,
		          reason);
	tell_health(w, BOARD_PROGRAMS_FAIL, reason);
}

void health_strike(struct worker *w, const char *reason)
{
	if (++w->health.strikes >= HEALTH_STRIKES || health_fails(w))
		health_failed(w, reason);
}

/* ---- programs of connections -------------------------------------------- */

void health_look_at_program(struct worker *w)
{
	const char *path = w->programs.program;
	char why[INTERPRETER_TEXT_MAX], reason[HEALTH_TEXT_MAX];
	int error = 0;

	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == -1 && (errno == ENOENT || errno == EACCES))
		error = errno;
	else if (interpreter_judge(NULL, path, why))
		error = ENOENT;
	if (error)
		health_failed(w, health_explain_start(w, error, reason));
}

void health_refused(struct worker *w, const char *name)
{
	const int error = errno;
	const bool is_new = !health_fails(w) || (w->health.proven && !w->health.refused);
	char reason[HEALTH_TEXT_MAX];

	health_explain_start(w, error, reason);
	if (health_is_passing(error))
		log_err("%s: %s; pausing for a second", name, reason);
	else
		health_failed(w, reason);
	w->health.refused = true;
	/* If the program's file is just being replaced, it is there again in a moment. */
	if (is_new || health_is_passing(error))
		acceptor_pause(w->acceptor, "program");
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compares what programs have written to standard error when they end. Each program has its own
 * copy of what it has written, because another program may end meanwhile and become the one to
 * compare with.
 */
#include <config.h>
#include "stderr_repeat.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* ---- what was said before ----------------------------------------------- */

static void tell_count(struct stderr_repeat *r)
{
	if (r->n > r->n_told)
		log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_PROGRAM_OUTPUT),
		          "%s: programs that ended with the same words on standard error: %llu more",
		          r->service, (unsigned long long)r->n);
	r->n_told = r->n;
}

/* The text was just logged in full: counts from zero, and logs it in full again after the delay. */
static void restart_count(struct stderr_repeat *r, int64_t delay_ms, int64_t now_ms)
{
	r->n = r->n_told = 0;
	r->delay_ms = delay_ms < STDERR_REPEAT_FULL_MAX_MS ? delay_ms : STDERR_REPEAT_FULL_MAX_MS;
	r->full_at_ms = now_ms + r->delay_ms;
}

static bool is_power_of_two(uint64_t n)
{
	return (n & (n - 1)) == 0;
}

/* Whether what w has said so far is the beginning of what was said before. */
static bool begins_alike(const struct stderr_repeat *r, const struct stderr_words *w)
{
	return w->len <= r->len && memcmp(r->said, w->bytes, w->len) == 0;
}

/* ---- a program ---------------------------------------------------------- */

static void forget_bytes(struct stderr_words *w)
{
	free(w->bytes);
	w->bytes = NULL;
	w->len = 0;
}

static void log_held(const struct stderr_words *w)
{
	const char *const end = w->bytes + w->len;

	if (w->len == 0)
		return;
	for (const char *line = w->bytes, *lf; line < end; line = lf + 1) {
		lf = memchr(line, '\n', (size_t)(end - line));
		w->log(w->arg, line, (size_t)(lf - line));
	}
}

/* False: its text is too long to be compared, or there is no memory for it. */
static bool append_words(struct stderr_words *w, const char *line, size_t len)
{
	if (!w->bytes)
		w->bytes = malloc(STDERR_REPEAT_MAX);
	if (!w->bytes || len + 1 > STDERR_REPEAT_MAX - w->len)
		return false;
	memcpy(w->bytes + w->len, line, len);
	w->bytes[w->len + len] = '\n';
	w->len += len + 1;
	return true;
}

void stderr_words_begin(struct stderr_words *w)
{
	w->state = STDERR_WORDS_HELD;
}

void stderr_words_pass(struct stderr_words *w)
{
	if (w->state == STDERR_WORDS_HELD)
		log_held(w);
	w->state = STDERR_WORDS_FREE;
	forget_bytes(w);
}

void stderr_words_add(struct stderr_words *w, struct stderr_repeat *r, const char *line, size_t len)
{
	if (w->state != STDERR_WORDS_FREE && !append_words(w, line, len))
		stderr_words_pass(w);
	if (w->state != STDERR_WORDS_HELD) {
		w->log(w->arg, line, len);
	} else if (!begins_alike(r, w)) {
		tell_count(r);
		log_held(w);
		w->state = STDERR_WORDS_KEPT;
	}
}

/* The next programs are compared with w. */
static void remember(struct stderr_repeat *r, struct stderr_words *w, int64_t now_ms)
{
	free(r->said);
	r->said = w->bytes;
	r->len = w->len;
	w->bytes = NULL;
	restart_count(r, STDERR_REPEAT_FULL_MS, now_ms);
}

static void count_repeat(struct stderr_repeat *r, const struct stderr_words *w, int64_t now_ms)
{
	r->n++;
	if (now_ms >= r->full_at_ms) {
		tell_count(r);
		log_held(w);
		restart_count(r, 2 * r->delay_ms, now_ms);
	} else if (is_power_of_two(r->n)) {
		tell_count(r);
	}
}

/* The program has ended, and has said something. */
static void judge_words(struct stderr_words *w, struct stderr_repeat *r, int64_t now_ms)
{
	const bool held = w->state == STDERR_WORDS_HELD;

	if (held && w->len == r->len && begins_alike(r, w)) {
		count_repeat(r, w, now_ms);
		return;
	}
	tell_count(r);
	if (held)
		log_held(w);
	remember(r, w, now_ms);
}

void stderr_words_end(struct stderr_words *w, struct stderr_repeat *r, int64_t now_ms)
{
	if (w->len > 0)
		judge_words(w, r, now_ms);
	w->state = STDERR_WORDS_FREE;
	forget_bytes(w);
}

void stderr_repeat_fini(struct stderr_repeat *r)
{
	tell_count(r);
	free(r->said);
	r->said = NULL;
	r->len = 0;
}

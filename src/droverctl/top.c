/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Chooses between live and plain output, and prints the plain one.
 */
#include <config.h>
#include "top.h"

#include <poll.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "live.h"
#include "refresh.h"
#include "show.h"
#include "table.h"
#include "text.h"

#define LINE_ROOM 4096
#define ENDLESS   0

static void say_trouble(const struct refresh *r)
{
	fflush(stdout);         /* keeps the order, if both go to the same file */
	fprintf(stderr, "droverctl: %s\n", r->trouble);
}

static void print_plain(const struct refresh *r)
{
	struct table *t = table_new(view_of(VIEW_SERVICES), refresh_rows(r, VIEW_SERVICES));

	for (size_t i = 0; i < OVERVIEW_LINES; i++) {
		char buf[LINE_ROOM];
		struct text line = text_in(buf, sizeof buf);

		overview_line(&r->overview, r->status, i, &line);
		puts(buf);
	}
	putchar('\n');
	table_print(t, stdout, table_width_of(stdout));
	table_free(t);
}

static void print_round(const struct arguments *a, const struct refresh *r, bool is_first)
{
	if (r->exit_status != EX_OK) {
		say_trouble(r);
		return;
	}
	if (!is_first && !a->json)
		putchar('\n');
	if (a->json)
		show_json(r->status, false, stdout);
	else
		print_plain(r);
}

/* The first round is over already. */
static void run_plain(const struct arguments *a, struct refresh *r, long count)
{
	print_round(a, r, true);
	for (long n = 1; n != count && fflush(stdout) != EOF; n++) {
		poll(NULL, 0, (int)a->delay_ms);
		refresh_begin(r, VIEW_SERVICES);
		refresh_wait(r);
		print_round(a, r, false);
	}
}

int top_run(const struct arguments *a)
{
	bool on_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	long count = a->count != ARGUMENTS_COUNT_DEFAULT ? a->count : on_terminal ? ENDLESS : 1;
	struct refresh r;
	int status;

	refresh_init(&r, a->socket);
	refresh_begin(&r, VIEW_SERVICES);
	refresh_wait(&r);
	if (r.exit_status != EX_OK)
		say_trouble(&r);
	else if (a->json || !on_terminal || !live_run(a, &r))
		run_plain(a, &r, count);
	status = r.exit_status;
	refresh_fini(&r);
	return status;
}

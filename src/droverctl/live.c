/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A loop over keys, signals, answers and time. Signals are read from a descriptor, so that the
 * terminal is restored before one of them ends the process; ncurses handles ^Z.
 */
#include <config.h>
#include "live.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "patience.h"
#include "screen.h"
#include "signals.h"
#include "table.h"
#include "text.h"

#define LINE_ROOM 4096          /* wider than terminals are */
#define NEVER     INT64_MAX

/* What is in which line of the screen. The keys are in the last line. */
enum {
	LINE_TROUBLE = OVERVIEW_LINES,
	LINE_VIEWS,
	LINE_TITLES,
	LINE_ROWS,
};

/* How a view is sorted and scrolled. */
struct look {
	size_t column;                  /* sorted by */
	bool   descending;
	size_t first;                   /* row that is shown first */
};

struct live {
	struct refresh *refresh;
	enum view_kind  view;
	struct look     looks[VIEW_OF_TOP];
	int64_t         delay_ms, due_ms;
	int64_t         late_ms;        /* when the answer that is waited for is late */
	long            left;           /* rounds to go; 0 or less: no end */
	size_t          n_rows;         /* of the view, at the last drawing; and which columns it had */
	bool            shown[VIEW_COLUMNS_MAX];
	bool            over;
	int             signal;         /* that ended it; 0: none */
	int             signal_fd;
	sigset_t        mask_before;
};

/* ---- drawing ------------------------------------------------------------ */

static size_t page(void)
{
	int lines = screen_height() - LINE_ROWS - 1;

	return lines > 1 ? (size_t)lines : 1;
}

static void draw_overview(const struct live *l)
{
	for (size_t i = 0; i < OVERVIEW_LINES; i++) {
		char buf[LINE_ROOM];
		struct text t = text_in(buf, sizeof buf);

		overview_line(&l->refresh->overview, l->refresh->status, i, &t);
		screen_put((int)i, 0, SCREEN_PLAIN, buf);
	}
	screen_put(LINE_TROUBLE, 0, SCREEN_REVERSE, l->refresh->trouble);
}

static void draw_views(const struct live *l)
{
	char buf[LINE_ROOM];
	struct text t = text_in(buf, sizeof buf);

	for (size_t i = 0; i < VIEW_OF_TOP; i++) {
		int at = (int)t.len;

		text_add(&t, " %s ", view_of(i)->name);
		screen_put(LINE_VIEWS, at, i == l->view ? SCREEN_REVERSE : SCREEN_PLAIN, buf + at);
	}
	if (l->n_rows > 0) {
		int at = (int)t.len;

		text_add(&t, "  %zu of %zu", l->looks[l->view].first + 1, l->n_rows);
		screen_put(LINE_VIEWS, at, SCREEN_PLAIN, buf + at);
	}
}

static void draw_row(const struct table *table, size_t row, int line)
{
	char buf[LINE_ROOM];
	struct text t = text_in(buf, sizeof buf);

	table_row(table, row, &t);
	screen_put(line, 0, SCREEN_PLAIN, buf);
}

static void draw_table(struct live *l, struct table *table)
{
	struct look *look = &l->looks[l->view];
	struct table_place sorted;
	char buf[LINE_ROOM];
	struct text t = text_in(buf, sizeof buf);

	table_scroll_to(table, look->column, (size_t)screen_width());
	sorted = table_place(table, look->column);
	table_titles(table, &t);
	screen_put(LINE_TITLES, 0, SCREEN_BOLD, buf);
	if (sorted.width > 0)
		screen_mark(LINE_TITLES, (int)sorted.at, (int)sorted.width, SCREEN_REVERSE);
	for (size_t i = 0; i < page() && look->first + i < l->n_rows; i++)
		draw_row(table, look->first + i, LINE_ROWS + (int)i);
}

/* There may be fewer rows than at the last drawing. */
static void stay_in_rows(struct live *l)
{
	struct look *look = &l->looks[l->view];
	size_t last = l->n_rows > page() ? l->n_rows - page() : 0;

	if (look->first > last)
		look->first = last;
}

static void draw(struct live *l)
{
	const json_t *rows = refresh_rows(l->refresh, l->view);
	struct table *table = table_new(view_of(l->view), rows);
	const struct look *look = &l->looks[l->view];

	for (size_t c = 0; c < view_of(l->view)->n_columns; c++)
		l->shown[c] = table_shows(table, c);
	screen_fit();
	l->n_rows = table_n_rows(table);
	stay_in_rows(l);
	table_sort(table, look->column, look->descending);
	screen_clear();
	draw_overview(l);
	draw_views(l);
	draw_table(l, table);
	screen_put(screen_height() - 1, 0, SCREEN_PLAIN,
	           "q quit  tab view  left/right column  r reverse  up/down scroll  space now");
	screen_show();
	table_free(table);
}

/* ---- keys --------------------------------------------------------------- */

static void press_quit(struct live *l)
{
	l->over = true;
}

/* What there is of this view may be old, or missing: ask at once. */
static void go_to_view(struct live *l, enum view_kind view)
{
	l->view = view;
	memset(l->shown, true, sizeof l->shown);        /* not known yet */
	l->due_ms = clock_ms();
}

static void press_next(struct live *l)
{
	go_to_view(l, (l->view + 1) % VIEW_OF_TOP);
}

static void press_previous(struct live *l)
{
	go_to_view(l, (l->view + VIEW_OF_TOP - 1) % VIEW_OF_TOP);
}

static void press_services(struct live *l)
{
	go_to_view(l, VIEW_SERVICES);
}

static void press_workers(struct live *l)
{
	go_to_view(l, VIEW_WORKERS);
}

static void press_connections(struct live *l)
{
	go_to_view(l, VIEW_CONNECTIONS);
}

static void press_crashes(struct live *l)
{
	go_to_view(l, VIEW_CRASHES);
}

/* A column of numbers begins with the largest: people look for those. */
static void sort_by(struct live *l, size_t column)
{
	const struct view *v = view_of(l->view);

	if (column >= v->n_columns)
		return;
	l->looks[l->view] = (struct look){ .column = column, .descending = v->columns[column].weight };
}

static void press_left(struct live *l)
{
	size_t column = l->looks[l->view].column;

	while (column > 0 && !l->shown[--column])
		;
	sort_by(l, column);
}

static void press_right(struct live *l)
{
	size_t column = l->looks[l->view].column + 1;

	while (column < view_of(l->view)->n_columns && !l->shown[column])
		column++;
	sort_by(l, column);
}

static void press_reverse(struct live *l)
{
	l->looks[l->view].descending = !l->looks[l->view].descending;
}

/* Scrolls up by n rows. Scrolling down needs no limit here, because drawing has one. */
static void scroll_up(struct live *l, size_t n)
{
	size_t *first = &l->looks[l->view].first;

	*first -= *first < n ? *first : n;
}

static void press_up(struct live *l)
{
	scroll_up(l, 1);
}

static void press_down(struct live *l)
{
	l->looks[l->view].first++;
}

static void press_page_up(struct live *l)
{
	scroll_up(l, page());
}

static void press_page_down(struct live *l)
{
	l->looks[l->view].first += page();
}

static void press_home(struct live *l)
{
	l->looks[l->view].first = 0;
}

static void press_end(struct live *l)
{
	l->looks[l->view].first = l->n_rows;
}

static void press_now(struct live *l)
{
	l->due_ms = clock_ms();
}

static void press_redraw(struct live *l)
{
	(void)l;
	screen_redraw();
}

static const struct {
	int    key;
	void (*press)(struct live *l);
} keys[] = {
	{ 'q', press_quit }, { 'Q', press_quit },
	{ '\t', press_next }, { SCREEN_KEY_BACKTAB, press_previous },
	{ '1', press_services }, { '2', press_workers }, { '3', press_connections },
	{ '4', press_crashes },
	{ 's', press_services }, { 'w', press_workers }, { 'c', press_connections },
	{ 'x', press_crashes },
	{ SCREEN_KEY_LEFT, press_left }, { '<', press_left },
	{ SCREEN_KEY_RIGHT, press_right }, { '>', press_right },
	{ 'r', press_reverse },
	{ SCREEN_KEY_UP, press_up }, { 'k', press_up },
	{ SCREEN_KEY_DOWN, press_down }, { 'j', press_down },
	{ SCREEN_KEY_PAGE_UP, press_page_up }, { SCREEN_KEY_PAGE_DOWN, press_page_down },
	{ SCREEN_KEY_HOME, press_home }, { SCREEN_KEY_END, press_end },
	{ ' ', press_now }, { 'L' - '@', press_redraw },
};

static void read_keys(struct live *l)
{
	int key;

	while (!l->over && (key = screen_key()) != SCREEN_KEY_NONE)
		for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
			if (keys[i].key == key)
				keys[i].press(l);
	draw(l);
}

/* ---- signals ------------------------------------------------------------ */

/* Signals that end us, except those that we were told to ignore (nohup(1)), and the change of size. */
static bool take_signals(struct live *l)
{
	static const int endings[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	int wanted[5] = { SIGWINCH };
	size_t n = 1;
	sigset_t set;

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		struct sigaction now;

		if (sigaction(endings[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			wanted[n++] = endings[i];
	}
	sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, &l->mask_before);
	l->signal_fd = signals_open(wanted, n);
	return l->signal_fd != -1;
}

static void read_signals(struct live *l)
{
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	size_t n = signals_read(l->signal_fd, info);

	for (size_t i = 0; i < n; i++)
		if (info[i].ssi_signo != SIGWINCH) {
			l->signal = (int)info[i].ssi_signo;
			l->over = true;
		}
	if (!l->over)
		draw(l);        /* which looks at the size */
}

static void give_signals_back(struct live *l)
{
	fd_close(&l->signal_fd);
	if (l->signal) {
		signal(l->signal, SIG_DFL);     /* ncurses has put a handler there */
		raise(l->signal);
	}
	sigprocmask(SIG_SETMASK, &l->mask_before, NULL);
}

/* ---- the loop ----------------------------------------------------------- */

static void check_round(struct live *l)
{
	if (l->refresh->state != REFRESH_IDLE)
		return;
	draw(l);
	if (l->left > 0 && --l->left == 0)
		l->over = true;
}

static void begin_round(struct live *l)
{
	l->due_ms = clock_ms() + l->delay_ms;
	l->late_ms = clock_ms() + patience_ms(PATIENCE_ANSWER);
	refresh_begin(l->refresh, l->view);
	check_round(l);
}

/* What comes without having been asked for does not belong to a round. */
static void hear(struct live *l)
{
	bool was_asked = l->refresh->state != REFRESH_IDLE;

	l->late_ms = clock_ms() + patience_ms(PATIENCE_ANSWER);
	refresh_go_on(l->refresh);
	if (was_asked)
		check_round(l);
	else
		draw(l);
}

/* The wait for the answer goes on: asking again on another connection would not be faster. */
static void tell_late(struct live *l)
{
	l->late_ms = NEVER;
	refresh_note_silence(l->refresh);
	draw(l);
}

static int wait_ms(const struct live *l)
{
	int64_t until_ms = l->refresh->state == REFRESH_IDLE ? l->due_ms : l->late_ms;
	int64_t left = until_ms - clock_ms();

	if (until_ms == NEVER)
		return -1;
	return left > 0 ? (int)left : 0;
}

static void look_at_clock(struct live *l)
{
	bool is_idle = l->refresh->state == REFRESH_IDLE;

	if (is_idle && clock_ms() >= l->due_ms)
		begin_round(l);
	else if (!is_idle && clock_ms() >= l->late_ms)
		tell_late(l);
}

static void turn(struct live *l)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = l->signal_fd, .events = POLLIN },
		{ .fd = l->refresh->session.fd, .events = POLLIN },
	};
	int n = poll(fds, sizeof fds / sizeof fds[0], wait_ms(l));

	if (n > 0 && fds[1].revents)
		read_signals(l);
	if (n > 0 && fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		l->over = true;         /* the terminal is gone */
	else if (n > 0 && fds[0].revents)
		read_keys(l);
	if (n > 0 && fds[2].revents)
		hear(l);
	if (!l->over)
		look_at_clock(l);
}

bool live_run(const struct arguments *a, struct refresh *r)
{
	struct live l = {
		.refresh = r, .delay_ms = a->delay_ms, .due_ms = clock_ms() + a->delay_ms,
		.left = a->count, .signal_fd = -1,
		/* The name of a crash begins with the time: the latest crash is first. */
		.looks[VIEW_CRASHES].descending = true,
	};

	if (!take_signals(&l) || !screen_open()) {
		give_signals_back(&l);
		return false;
	}
	check_round(&l);        /* the first round */
	while (!l.over)
		turn(&l);
	screen_close();
	give_signals_back(&l);
	return true;
}

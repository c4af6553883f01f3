/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The only file that uses ncurses, whose names are too general to be included elsewhere.
 */
#include <config.h>
#include "screen.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#define ESCAPE_MS 50            /* longer than the bytes of one key are apart */

static const attr_t looks[] = {
	[SCREEN_PLAIN] = A_NORMAL, [SCREEN_BOLD] = A_BOLD, [SCREEN_REVERSE] = A_REVERSE,
};

/* A global: ncurses has one terminal at a time, and functions that exit(3) calls get no argument. */
static SCREEN *screen;

void screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

bool screen_open(void)
{
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return false;
	atexit(screen_close);
	/* Without these, the output could not be read. */
	if (!cursor_address || !clear_screen) {
		screen_close();
		return false;
	}
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	return true;
}

void screen_fit(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
	    is_term_resized(size.ws_row, size.ws_col))
		resizeterm(size.ws_row, size.ws_col);
}

int screen_height(void)
{
	return LINES;
}

int screen_width(void)
{
	return COLS;
}

void screen_clear(void)
{
	erase();
}

void screen_put(int line, int column, enum screen_look look, const char *text)
{
	if (line < 0 || line >= LINES || column >= COLS)
		return;
	attrset(looks[look]);
	mvaddnstr(line, column, text, COLS - column);
	attrset(A_NORMAL);
}

void screen_mark(int line, int column, int len, enum screen_look look)
{
	if (line >= 0 && line < LINES && column < COLS)
		mvchgat(line, column, len, looks[look], 0, NULL);
}

void screen_show(void)
{
	refresh();
}

void screen_redraw(void)
{
	clearok(curscr, TRUE);
	refresh();
}

int screen_key(void)
{
	static const struct { int theirs, ours; } keys[] = {
		{ ERR, SCREEN_KEY_NONE },
		{ KEY_LEFT, SCREEN_KEY_LEFT }, { KEY_RIGHT, SCREEN_KEY_RIGHT },
		{ KEY_UP, SCREEN_KEY_UP }, { KEY_DOWN, SCREEN_KEY_DOWN },
		{ KEY_PPAGE, SCREEN_KEY_PAGE_UP }, { KEY_NPAGE, SCREEN_KEY_PAGE_DOWN },
		{ KEY_HOME, SCREEN_KEY_HOME }, { KEY_END, SCREEN_KEY_END },
		{ KEY_BTAB, SCREEN_KEY_BACKTAB },
	};
	int key = getch();

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i].theirs == key)
			return keys[i].ours;
	return key < 256 ? key : SCREEN_KEY_OTHER;
}

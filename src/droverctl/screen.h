/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The terminal, with ncurses: it draws lines, reads keys, and restores the terminal at the end.
 */
#ifndef DROVER_DROVERCTL_SCREEN_H
#define DROVER_DROVERCTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* Keys that are not characters. */
enum screen_key {
	SCREEN_KEY_NONE = -1,           /* no more for now */
	SCREEN_KEY_LEFT = 256, SCREEN_KEY_RIGHT, SCREEN_KEY_UP, SCREEN_KEY_DOWN,
	SCREEN_KEY_PAGE_UP, SCREEN_KEY_PAGE_DOWN, SCREEN_KEY_HOME, SCREEN_KEY_END, SCREEN_KEY_BACKTAB,
	SCREEN_KEY_OTHER,
};

enum screen_look { SCREEN_PLAIN, SCREEN_BOLD, SCREEN_REVERSE };

/* Takes the terminal over until screen_close, or exit(3). False: it cannot do what is needed. */
bool screen_open(void);
void screen_close(void);

/* Adapts to the size that the terminal has now. */
void screen_fit(void);
int screen_height(void);
int screen_width(void);

/*
 * screen_clear empties the next picture. screen_put draws into it, and cuts the text where the line
 * ends. screen_show shows it.
 */
void screen_clear(void);
void screen_put(int line, int column, enum screen_look look, const char *text);

/* Changes the look of len columns that were drawn before. */
void screen_mark(int line, int column, int len, enum screen_look look);
void screen_show(void);

/* Sends the whole picture again, over what other programs have written. */
void screen_redraw(void);

/* The next key that was pressed; never waits. */
int screen_key(void);

#endif

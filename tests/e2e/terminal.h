/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A terminal with a program in it: a pseudo-terminal, and as much of an xterm
 * as is needed to know what a person in front of it would see.
 */
#ifndef DROVER_E2E_TERMINAL_H
#define DROVER_E2E_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "turn.h"

#define TERMINAL_ROWS_MAX 60
#define TERMINAL_COLS_MAX 200
#define TERMINAL_PARAMETERS_MAX 8

struct terminal {
	struct turn_hook hook;          /* the master's side */
	int              slave;         /* kept open: the last close forgets the settings */
	struct termios   before;        /* how they were when the program began */
	pid_t            pid;
	struct turn_hook life;          /* watches the pidfd */
	bool             is_over;       /* the program has ended and was waited for */
	int              status;        /* then: exit status, or 128 and the signal */

	char             cells[TERMINAL_ROWS_MAX][TERMINAL_COLS_MAX];
	int              rows, cols, row, col;
	bool             is_alternate;  /* the other screen: what a program takes and gives back */
	bool             is_cursor_hidden;

	enum { TERMINAL_PLAIN, TERMINAL_ESCAPE, TERMINAL_SEQUENCE, TERMINAL_CHARSET } state;
	bool             is_private;    /* a sequence that begins with "?" */
	int              parameters[TERMINAL_PARAMETERS_MAX];
	int              n_parameters;
	char             last;          /* the last character, which can be repeated */
};

/* Whether there are pseudo-terminals here, and a description of this one. */
bool terminal_is_possible(void);

/* Starts a program (by its file) in a terminal of that size; args with its name, NULL at the end. */
void terminal_start(struct terminal *t, int rows, int cols, const char *program,
                    const char *const *args);

void terminal_type(struct terminal *t, const char *keys);
void terminal_resize(struct terminal *t, int rows, int cols);

/* A line as it is seen, without blanks at its end. */
const char *terminal_line(const struct terminal *t, int row);

/*
 * Whether that is anywhere on the screen; and waiting until it is, or is not.
 * That the program ends meanwhile fails the test.
 */
bool terminal_has(const struct terminal *t, const char *text);
void terminal_wait_for(struct terminal *t, const char *text);
void terminal_wait_without(struct terminal *t, const char *text);

/* Waits until a line begins with that. */
void terminal_wait_line(struct terminal *t, int row, const char *text);

/* Waits for the program's end. Returns the exit status, or 128 and the signal. */
int terminal_join(struct terminal *t);

/* The terminal is as it was before the program. */
void terminal_expect_restored(struct terminal *t);

/* As if its window were closed. */
void terminal_close(struct terminal *t);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of an xterm ncurses uses here. A sequence that is not known fails the
 * test: it would make a picture that no person sees.
 */
#include <config.h>
#include "terminal.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "files.h"
#include "process.h"

#define TAB 8

/* ---- the picture -------------------------------------------------------- */

static void blank(struct terminal *t, int row, int from, int to)
{
	if (row >= t->rows)
		return;
	if (to > t->cols)
		to = t->cols;
	if (from < to)
		memset(&t->cells[row][from], ' ', (size_t)(to - from));
}

static void blank_rows(struct terminal *t, int from, int to)
{
	for (int row = from; row < to; row++)
		blank(t, row, 0, t->cols);
}

static void move_to(struct terminal *t, int row, int col)
{
	t->row = row < 0 ? 0 : row >= t->rows ? t->rows - 1 : row;
	t->col = col < 0 ? 0 : col >= t->cols ? t->cols - 1 : col;
}

static void put(struct terminal *t, char c)
{
	if (t->col == t->cols) {        /* the last column holds on until more comes */
		t->col = 0;
		t->row += t->row < t->rows - 1;
	}
	t->cells[t->row][t->col++] = c;
	t->last = c;
}

/* ---- control sequences -------------------------------------------------- */

static int parameter(const struct terminal *t, int i, int otherwise)
{
	return i < t->n_parameters && t->parameters[i] > 0 ? t->parameters[i] : otherwise;
}

static void shift_left(struct terminal *t, int n)
{
	char *row = t->cells[t->row];

	n = n > t->cols - t->col ? t->cols - t->col : n;
	memmove(row + t->col, row + t->col + n, (size_t)(t->cols - t->col - n));
	blank(t, t->row, t->cols - n, t->cols);
}

static void shift_right(struct terminal *t, int n)
{
	char *row = t->cells[t->row];

	n = n > t->cols - t->col ? t->cols - t->col : n;
	memmove(row + t->col + n, row + t->col, (size_t)(t->cols - t->col - n));
	blank(t, t->row, t->col, t->col + n);
}

static void erase_screen(struct terminal *t, int how)
{
	switch (how) {
	case 0:
		blank(t, t->row, t->col, t->cols);
		blank_rows(t, t->row + 1, t->rows);
		break;
	case 1:
		blank_rows(t, 0, t->row);
		blank(t, t->row, 0, t->col + 1);
		break;
	default:
		blank_rows(t, 0, t->rows);
		break;
	}
}

static void set_mode(struct terminal *t, bool on)
{
	if (t->is_private && t->parameters[0] == 1049)
		t->is_alternate = on;
	else if (t->is_private && t->parameters[0] == 25)
		t->is_cursor_hidden = !on;
	/* The others change how keys are sent, or how lines wrap. */
}

static void obey(struct terminal *t, char c)
{
	int n = parameter(t, 0, 1);

	switch (c) {
	case 'A': move_to(t, t->row - n, t->col); break;
	case 'B': move_to(t, t->row + n, t->col); break;
	case 'C': move_to(t, t->row, t->col + n); break;
	case 'D': move_to(t, t->row, t->col - n); break;
	case 'G': move_to(t, t->row, n - 1); break;
	case 'd': move_to(t, n - 1, t->col); break;
	case 'H': move_to(t, n - 1, parameter(t, 1, 1) - 1); break;
	case 'J': erase_screen(t, parameter(t, 0, 0)); break;
	case 'K':
		if (parameter(t, 0, 0) == 1)
			blank(t, t->row, 0, t->col + 1);
		else
			blank(t, t->row, t->col, t->cols);
		break;
	case 'X': blank(t, t->row, t->col, t->col + n); break;
	case 'P': shift_left(t, n); break;
	case '@': shift_right(t, n); break;
	case 'b':
		while (n-- > 0)
			put(t, t->last);
		break;
	case 'Z': move_to(t, t->row, (t->col - 1) / TAB * TAB); break;
	case 'h': set_mode(t, true); break;
	case 'l': set_mode(t, false); break;
	case 'm':               /* looks */
	case 'r':               /* the region that scrolls: all of it */
	case 't':               /* the title */
		break;
	default:
		ck_abort_msg("the terminal does not know the sequence that ends in %c", c);
	}
}

static void take_in_sequence(struct terminal *t, char c)
{
	if (c == '?' || c == '>') {
		t->is_private = true;
	} else if (c >= '0' && c <= '9') {
		int *p = &t->parameters[t->n_parameters ? t->n_parameters - 1 : t->n_parameters++];

		*p = *p * 10 + c - '0';
	} else if (c == ';') {
		t->n_parameters += t->n_parameters == 0;
		ck_assert_int_lt(t->n_parameters, TERMINAL_PARAMETERS_MAX);
		t->n_parameters++;
	} else {
		t->state = TERMINAL_PLAIN;
		obey(t, c);
	}
}

static void take_after_escape(struct terminal *t, char c)
{
	t->state = TERMINAL_PLAIN;
	if (c == '[') {
		t->state = TERMINAL_SEQUENCE;
		t->is_private = false;
		t->n_parameters = 0;
		memset(t->parameters, 0, sizeof t->parameters);
	} else if (c == '(' || c == ')') {
		t->state = TERMINAL_CHARSET;
	} else {
		/* Modes of the keypad; the cursor that is kept for us. */
		ck_assert_msg(strchr("=>78", c), "the terminal does not know ESC %c", c);
	}
}

static void take_plain(struct terminal *t, char c)
{
	switch (c) {
	case '\033': t->state = TERMINAL_ESCAPE; break;
	case '\r':   t->col = 0; break;
	case '\n':   move_to(t, t->row + 1, t->col); break;
	case '\b':   move_to(t, t->row, t->col - 1); break;
	case '\t':   move_to(t, t->row, (t->col / TAB + 1) * TAB); break;
	case '\a':
	case '\017':            /* the usual characters */
		break;
	default:
		ck_assert_msg(c >= ' ' && c <= '~', "byte %d came to the terminal", c);
		put(t, c);
	}
}

static void take(struct terminal *t, char c)
{
	switch (t->state) {
	case TERMINAL_PLAIN:    take_plain(t, c); break;
	case TERMINAL_ESCAPE:   take_after_escape(t, c); break;
	case TERMINAL_SEQUENCE: take_in_sequence(t, c); break;
	case TERMINAL_CHARSET:  t->state = TERMINAL_PLAIN; break;
	}
}

static void take_all(struct terminal *t)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(t->hook.fd, bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < n; i++)
			take(t, bytes[i]);
}

static void on_output(struct turn_hook *h, short revents)
{
	(void)revents;
	take_all(container_of(h, struct terminal, hook));
}

/* ---- the program -------------------------------------------------------- */

static void on_end(struct turn_hook *h, short revents)
{
	struct terminal *t = container_of(h, struct terminal, life);
	siginfo_t si = { 0 };

	(void)revents;
	ck_assert_int_eq(waitid(P_PIDFD, (id_t)h->fd, &si, WEXITED), 0);
	turn_remove(h);
	close(h->fd);
	t->is_over = true;
	t->status = si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
	take_all(t);
}

bool terminal_is_possible(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	bool has_pty = fd != -1 && grantpt(fd) == 0 && unlockpt(fd) == 0 && ptsname(fd);

	if (fd != -1)
		close(fd);
	return has_pty && (access("/lib/terminfo/x/xterm", R_OK) == 0 ||
	                   access("/usr/share/terminfo/x/xterm", R_OK) == 0);
}

void terminal_start(struct terminal *t, int rows, int cols, const char *program,
                    const char *const *args)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };
	int master;

	*t = (struct terminal){ .rows = rows, .cols = cols };
	blank_rows(t, 0, rows);
	ck_assert_msg(openpty(&master, &t->slave, NULL, NULL, &size) == 0, "openpty: %m");
	ck_assert_int_eq(tcgetattr(t->slave, &t->before), 0);
	ck_assert_int_eq(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(fcntl(master, F_SETFD, FD_CLOEXEC), 0);
	ck_assert_int_eq(fcntl(t->slave, F_SETFD, FD_CLOEXEC), 0);
	t->pid = fork();
	ck_assert_int_ne(t->pid, -1);
	if (t->pid == 0) {
		setenv("TERM", "xterm", 1);
		unsetenv("LINES");
		unsetenv("COLUMNS");
		unsetenv("TERMINFO");
		process_reset_signals();
		if (login_tty(t->slave) == 0)
			execv(program, (char *const *)args);
		_exit(127);
	}
	t->life = (struct turn_hook){ .fd = process_watch(t->pid), .events = POLLIN, .ready = on_end };
	turn_add(&t->life);
	t->hook = (struct turn_hook){ .fd = master, .events = POLLIN, .ready = on_output };
	turn_add(&t->hook);
}

void terminal_type(struct terminal *t, const char *keys)
{
	ck_assert_int_eq(write(t->hook.fd, keys, strlen(keys)), (ssize_t)strlen(keys));
}

void terminal_resize(struct terminal *t, int rows, int cols)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	t->rows = rows;
	t->cols = cols;
	blank_rows(t, 0, rows); /* all will be drawn again */
	move_to(t, t->row, t->col);
	ck_assert_int_eq(ioctl(t->hook.fd, TIOCSWINSZ, &size), 0);
}

int terminal_join(struct terminal *t)
{
	while (!t->is_over)
		turn_once();
	return t->status;
}

void terminal_expect_restored(struct terminal *t)
{
	struct termios now;

	ck_assert(!t->is_alternate);
	ck_assert(!t->is_cursor_hidden);
	ck_assert_int_eq(tcgetattr(t->slave, &now), 0);
	ck_assert_uint_eq(now.c_iflag, t->before.c_iflag);
	ck_assert_uint_eq(now.c_oflag, t->before.c_oflag);
	ck_assert_uint_eq(now.c_lflag, t->before.c_lflag);
}

void terminal_close(struct terminal *t)
{
	turn_remove(&t->hook);
	close(t->slave);
	close(t->hook.fd);
}

/* ---- what is seen ------------------------------------------------------- */

const char *terminal_line(const struct terminal *t, int row)
{
	int len = t->cols;

	while (len > 0 && t->cells[row][len - 1] == ' ')
		len--;
	return files_text("%.*s", len, t->cells[row]);
}

bool terminal_has(const struct terminal *t, const char *text)
{
	for (int row = 0; row < t->rows; row++)
		if (strstr(terminal_line(t, row), text))
			return true;
	return false;
}

/* What a test that waits in vain leaves to be seen. */
static void note(const struct terminal *t, const char *text)
{
	const char *all = "";

	ck_assert_msg(!t->is_over, "the program ended (%d) before it showed: %s", t->status, text);
	for (int row = 0; row < t->rows; row++)
		all = files_text("%s%s\n", all, terminal_line(t, row));
	files_write("waits-for", "%s on:\n%s", text, all);
}

void terminal_wait_for(struct terminal *t, const char *text)
{
	while (!terminal_has(t, text)) {
		note(t, text);
		turn_once();
	}
}

void terminal_wait_without(struct terminal *t, const char *text)
{
	while (terminal_has(t, text)) {
		note(t, files_text("no %s", text));
		turn_once();
	}
}

void terminal_wait_line(struct terminal *t, int row, const char *text)
{
	while (strncmp(terminal_line(t, row), text, strlen(text)) != 0) {
		note(t, files_text("line %d: %s", row, text));
		turn_once();
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signals as events: they are blocked, and read from a signalfd(2). There are no handlers. A
 * signal that is blocked and not read is thereby ignored, while its disposition is still the
 * default for programs that are started.
 */
#ifndef DROVER_SYS_SIGNALS_H
#define DROVER_SYS_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/signalfd.h>

/*
 * Blocks every signal that does not report a crash: one that comes before it can be read waits.
 * A program calls it first, because process 1 loses a signal that has no handler unless it is
 * blocked. *was becomes the mask before (NULL: not needed).
 */
void signals_block(sigset_t *was);

/* Whether the signal is ignored, as HUP is under nohup(1). */
bool signals_is_ignored(int signal);

/* Sets it to ignored, or to its default, for the program that is executed next. If it waits, it stays. */
void signals_set_ignored(int signal, bool ignored);

/*
 * Sets every signal that we inherited as ignored to its default (nohup(1) ignores
 * HUP, and an ignored CHLD would hide the deaths of children), and blocks every
 * signal that does not report a crash.
 */
void signals_take_over(void);

/*
 * Opens a descriptor that reads the n signals. Each process needs one of its own: a
 * signalfd reports the signals of the process that reads it, but keeps one mask
 * for all processes that share it. -1 with errno.
 */
int signals_open(const int *signals, size_t n);

#define SIGNALS_AT_ONCE 8

/* Up to SIGNALS_AT_ONCE signals that wait; returns how many. If there are more, fd stays readable. */
size_t signals_read(int fd, struct signalfd_siginfo *info);

/* Unblocks all signals, in a child that becomes another program. Async-signal-safe. */
void signals_unblock(void);

/* "HUP", "KILL"...; "?" for none. */
const char *signals_name(int signal);

#define SIGNALS_END_TEXT 64

/*
 * How a process ended, from a status of waitpid(2), for a log line: "was ended by signal SEGV
 * (core dumped)", "exited with status 1". Returns text.
 */
const char *signals_describe_end(int status, char text[static SIGNALS_END_TEXT]);

#endif

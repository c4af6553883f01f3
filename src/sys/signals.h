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
 * The first thing in a program: to process 1 a signal without a handler is lost, unless it is
 * blocked. *was is the mask before.
 */
void signals_block(sigset_t *was);

/* Whether it is ignored: nohup(1) has the terminal's HUP ignored. */
bool signals_is_ignored(int signal);

/* Ignored, or at its default, as the next program finds it; one that waits goes on waiting. */
void signals_set_ignored(int signal, bool ignored);

/*
 * All dispositions to their defaults, whatever we inherited (nohup(1) ignores
 * HUP, and an ignored CHLD would hide the deaths of children), and every
 * signal blocked that does not report a crash.
 */
void signals_take_over(void);

/*
 * A descriptor that reads the n signals: of this process alone, since a
 * signalfd reports the signals of the process that reads it, but keeps one mask
 * for all processes that share it. -1 with errno.
 */
int signals_open(const int *signals, size_t n);

#define SIGNALS_AT_ONCE 8

/* Up to SIGNALS_AT_ONCE signals that wait; returns how many. If there are more, fd stays readable. */
size_t signals_read(int fd, struct signalfd_siginfo *info);

/* In a child that becomes another program: nothing blocked. Async-signal-safe. */
void signals_unblock(void);

/* "HUP", "KILL"...; "?" for none. */
const char *signals_name(int signal);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connects a worker and a process of a filter, in both directions: by two pipes, or by a terminal
 * for programs that buffer their output to anything else. The worker's ends never block, those
 * of the program always do.
 */
#ifndef DROVER_HANDLERS_FILTER_FILTER_CHANNEL_H
#define DROVER_HANDLERS_FILTER_FILTER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

struct filter_channel {                 /* -1: closed */
	int to, from;                   /* our ends */
	int in, out;                    /* standard input and output of the program; may be the same */
};

/* Opens all ends. 0, or -1 with errno, and none is open. */
int filter_channel_open(struct filter_channel *c, bool pty);

/* Closes our copies of the program's ends, when it has been started. Keeps errno. */
void filter_channel_close_theirs(struct filter_channel *c);

/* How many bytes the program has not read of those that we wrote to `to`; 0 for a terminal. */
size_t filter_channel_unread(int to, bool pty);

#endif

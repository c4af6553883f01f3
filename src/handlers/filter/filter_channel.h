/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way to a process of a filter and back: two pipes, or a terminal for programs that buffer
 * their output to anything else. The worker's ends never block, those of the program always do.
 */
#ifndef DROVER_HANDLERS_FILTER_FILTER_CHANNEL_H
#define DROVER_HANDLERS_FILTER_FILTER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

struct filter_channel {                 /* -1: closed */
	int to, from;                   /* our ends */
	int in, out;                    /* standard input and output of the program; may be one */
};

/* 0, or -1 with errno and all closed. */
int filter_channel_open(struct filter_channel *c, bool pty);

/* The program has its ends by now. Keeps errno. */
void filter_channel_close_theirs(struct filter_channel *c);

/* How many bytes the program has not read of what went into our end. */
size_t filter_channel_unread(int to, bool pty);

#endif

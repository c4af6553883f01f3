/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of droverd.
 */
#ifndef DROVER_DROVERD_OPTIONS_H
#define DROVER_DROVERD_OPTIONS_H

#include <stdbool.h>

enum options_action {
	OPTIONS_SERVE,
	OPTIONS_TEST,           /* -t */
	OPTIONS_DUMP,           /* -T */
	OPTIONS_DONE,           /* help or version was printed */
	OPTIONS_BAD,            /* it was said what is wrong */
};

struct options {
	enum options_action action;
	bool                detach;     /* -d */
	char               *file;       /* the configuration, absolute; in messages only if there is text */
	char               *subject;    /* what is served, for the title: the file, or the addresses */
	const char         *notice;     /* what the log is to say of it; NULL: nothing */
	char               *text;       /* a configuration made of --listen and friends; NULL: none */
};

/* Reads the command line into *o, which options_free frees. */
void options_read(struct options *o, int argc, char **argv);
void options_free(struct options *o);

#endif

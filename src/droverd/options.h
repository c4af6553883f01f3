/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the command line of droverd, and prints what is wrong with it. It does not carry it out.
 */
#ifndef DROVER_DROVERD_OPTIONS_H
#define DROVER_DROVERD_OPTIONS_H

#include <stdbool.h>

enum options_action {
	OPTIONS_SERVE,
	OPTIONS_TEST,           /* -t */
	OPTIONS_DUMP,           /* -T */
	OPTIONS_DONE,           /* help or version was printed */
	OPTIONS_BAD,            /* what is wrong has been printed */
};

struct options {
	enum options_action action;
	bool                detach;     /* -d */
	char               *file;       /* the configuration, absolute; in messages only if there is text */
	char               *subject;    /* what is served, for the title: the file, or the addresses */
	const char         *notice;     /* a line for the log; NULL: none */
	char               *text;       /* a configuration made of --listen and its options; NULL: none */
};

/* Reads the command line into *o, which options_free frees. */
void options_read(struct options *o, int argc, char **argv);
void options_free(struct options *o);

#endif

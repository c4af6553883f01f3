/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of droverctl, and the request to the server that follows from it.
 */
#ifndef DROVER_DROVERCTL_ARGUMENTS_H
#define DROVER_DROVERCTL_ARGUMENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"

#define ARGUMENTS_ERROR_MAX 256
#define ARGUMENTS_COUNT_DEFAULT (-1)

enum arguments_action {
	ARGUMENTS_RUN,
	ARGUMENTS_HELP,
	ARGUMENTS_VERSION,
	ARGUMENTS_BAD,                  /* error says what is wrong, and what would be right */
};

struct arguments {
	enum arguments_action action;
	const char           *socket;
	bool                  json;
	const struct command *command;
	json_t               *request;
	const char           *replay;           /* the address to which a crash is sent; NULL: not given */
	const char           *ready;            /* the service that is asked for; "": all; NULL: not */
	const char           *weight;           /* the service whose weight is asked for; "": all; NULL: not */
	bool                  asks_weight;      /* --weight is given, also if action is BAD */
	int64_t               delay_ms;         /* between two refreshes of top */
	long                  count;            /* of refreshes; ARGUMENTS_COUNT_DEFAULT: not given */
	char                  error[ARGUMENTS_ERROR_MAX];
};

/* Reads the command line into *a, which arguments_free frees; argv is lent meanwhile. */
void arguments_read(struct arguments *a, int argc, char **argv);
void arguments_free(struct arguments *a);

void arguments_print_help(FILE *out);

#endif

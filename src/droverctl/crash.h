/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints one crash report for people, with a dump of the captured bytes, or takes these bytes from it.
 */
#ifndef DROVER_DROVERCTL_CRASH_H
#define DROVER_DROVERCTL_CRASH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* False, and prints nothing, if the report is not understood, or NULL. */
bool crash_print(const json_t *report, FILE *out);

/* The captured bytes of a report, *len of them, to be freed. NULL if it is not understood, or NULL. */
char *crash_input(const json_t *report, size_t *len);

#endif

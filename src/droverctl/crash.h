/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints one crash report for people, with a dump of the captured bytes.
 */
#ifndef DROVER_DROVERCTL_CRASH_H
#define DROVER_DROVERCTL_CRASH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* False, and prints nothing, if the report is not understood, or NULL. */
bool crash_print(const json_t *report, FILE *out);

#endif

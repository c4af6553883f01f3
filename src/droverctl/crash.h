/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One crash report as people read it, with a dump of what was captured.
 */
#ifndef DROVER_DROVERCTL_CRASH_H
#define DROVER_DROVERCTL_CRASH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* False, and nothing, if it makes no sense; NULL does not. */
bool crash_print(const json_t *report, FILE *out);

#endif

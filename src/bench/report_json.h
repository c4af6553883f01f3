/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The report of a run, for programs: JSON with stable keys, which is written and read again.
 */
#ifndef DROVER_BENCH_REPORT_JSON_H
#define DROVER_BENCH_REPORT_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "report.h"

/* The report as an object, which the caller gives to json_decref; NULL: there is no memory. */
json_t *report_json_make(const struct report *r);

/* Writes a report with a newline at the end. Returns 0, or -1 with errno. */
int report_json_write(FILE *out, const json_t *report);

/* Reads one from a file. If it cannot, returns NULL; complaint says why, in a line. */
json_t *report_json_read(const char *path, char *complaint, size_t size);

#endif

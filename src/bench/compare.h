/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compares two reports: old value, new value, and their ratio.
 */
#ifndef DROVER_BENCH_COMPARE_H
#define DROVER_BENCH_COMPARE_H

#include <jansson.h>
#include <stdio.h>

/* Prints first in what the two runs were not alike, then the table. */
void compare_print(FILE *out, const json_t *then, const json_t *now);

#endif

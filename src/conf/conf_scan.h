/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks the text of a file before libconfig 1.5 parses it, for mistakes that libconfig would not
 * report, or would not survive.
 */
#ifndef DROVER_CONF_CONF_SCAN_H
#define DROVER_CONF_CONF_SCAN_H

#include <stdbool.h>

#include "conf_errors.h"

/*
 * Complains about integers that libconfig would wrap, @include, values with a
 * unit but without quotes, NUL bytes, comments and strings without an end, and
 * absurd nesting. file names the text in complaints.
 *
 * May move closing brackets to an earlier line, for the sake of line numbers:
 * the meaning stays. Returns whether the text may be given to the parser.
 */
bool conf_scan(struct conf_errors *r, const char *file, char *text);

#endif

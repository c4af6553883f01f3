/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walks through the grammar of libconfig before libconfig parses, to give better messages: where
 * the mistake is, and what was probably meant.
 */
#ifndef DROVER_CONF_CONF_SYNTAX_H
#define DROVER_CONF_CONF_SYNTAX_H

#include <stdbool.h>

#include "conf_errors.h"

/*
 * Complains of the first thing in text, which conf_scan has passed, that is no
 * configuration, and of each name that a group has twice. Returns whether there
 * was none; libconfig is still the judge of the rest.
 */
bool conf_syntax_check(struct conf_errors *r, const char *file, const char *text);

#endif

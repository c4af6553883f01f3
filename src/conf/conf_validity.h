/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long certificates of a configuration are valid.
 */
#ifndef DROVER_CONF_CONF_VALIDITY_H
#define DROVER_CONF_CONF_VALIDITY_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"

#define CONF_VALIDITY_TEXT 96

/* Whether now, in seconds since 1970, is in the last 14 days of the certificate, or behind them. */
bool conf_validity_is_short(const struct conf_certificate *c, int64_t now);

/* Whole days that are left; of one that has expired, less than 0. */
int64_t conf_validity_days(const struct conf_certificate *c, int64_t now);

/* "expires in 9 days, at ...", or "expired 2 days ago, at ...". Returns buf. */
const char *conf_validity_text(const struct conf_certificate *c, int64_t now,
                               char buf[static CONF_VALIDITY_TEXT]);

#endif

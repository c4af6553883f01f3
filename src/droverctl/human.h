/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Formats numbers for people: short and rounded. They cannot be parsed again; base/units.h has
 * the form that a configuration takes.
 *
 * All return buf, which has room for HUMAN_TEXT_MAX bytes. A value that is
 * negative, or not a number, is "-".
 */
#ifndef DROVER_DROVERCTL_HUMAN_H
#define DROVER_DROVERCTL_HUMAN_H

#define HUMAN_TEXT_MAX 40

/* "250ms", "12s", "3m12s", "4h5m", "3d4h". */
const char *human_age(double seconds, char *buf);

/* "512", "1.2k", "34M": in units of 1024. */
const char *human_size(double bytes, char *buf);

/* "1234567": all digits, since people compare them. */
const char *human_count(double n, char *buf);

/* A count in a second: "0.3", "12". */
const char *human_rate(double per_second, char *buf);

/* part of whole: "12%", "0.4%"; "-" if there is no whole. */
const char *human_share(double part, double whole, char *buf);

#endif

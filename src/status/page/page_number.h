/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Formats numbers for the readers of the status page: rounded, with a unit, joined by a space at
 * which no line is broken. page.js has the same functions, and must round in the same way;
 * tests/page compares them. droverctl has shorter forms (droverctl/human.h).
 *
 * All return buf, which has room for PAGE_NUMBER_MAX bytes; or NULL, if n is negative, not a
 * number, or larger than anything that is counted.
 */
#ifndef DROVER_STATUS_PAGE_NUMBER_H
#define DROVER_STATUS_PAGE_NUMBER_H

#define PAGE_NUMBER_MAX 48

/* "9876", "12.3 k", "1.2 M": in units of 1000. */
const char *page_number_count(double n, char *buf);

/* "512 B", "1.2 KiB", "34.5 MiB": in units of 1024. */
const char *page_number_bytes(double n, char *buf);

/* Whole seconds: "12 s", "3 min 12 s", "3 h 5 min", "2 d 4 h". */
const char *page_number_age(double seconds, char *buf);

/* "350 us" (with the Greek letter), "4.2 ms", "120 ms", "1.5 s", then as an age. */
const char *page_number_time(double seconds, char *buf);

#endif

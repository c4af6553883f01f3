/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Complaints about the configuration, each with its place, and how many.
 */
#ifndef DROVER_SHARED_CONF_REPORT_H
#define DROVER_SHARED_CONF_REPORT_H

#include <stdint.h>

#include "conf.h"

#define CONF_REPORT_MEMORY 256

struct conf_report {
	conf_complain *complain;
	void          *arg;
	unsigned       count;   /* complaints so far */
	uint64_t       made[CONF_REPORT_MEMORY];        /* hashes of the first of them */
};

/*
 * Complains: "FILE:LINE: " and the text. Line 0 is left out. Bytes that are
 * not printable ASCII become \xNN, so that a complaint is one line. What was
 * said before is not repeated: each service meets the faults of `defaults`.
 */
void conf_report_at(struct conf_report *r, struct conf_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

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
	unsigned       count;   /* complaints so far, */
	unsigned       temporary; /* and those of them about what may be otherwise in a moment */
	uint64_t       made[CONF_REPORT_MEMORY];        /* hashes of the first of them */
};

/*
 * Complains: "FILE:LINE: " and the text. Line 0 is left out. Bytes that are
 * not printable ASCII become \xNN, so that a complaint is one line. What was
 * said before is not repeated: each service meets the faults of `defaults`.
 */
void conf_report_at(struct conf_report *r, struct conf_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The complaint that was made just before is about something that failed for now,
 * such as a look-up without its server: the same file may be right in a moment.
 */
void conf_report_mark_temporary(struct conf_report *r);

/* The same for a file, if this errno says that its device or its server does not answer now. */
void conf_report_mark_file(struct conf_report *r, int error);

#endif

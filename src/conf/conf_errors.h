/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Complaints and warnings about the configuration, each with its place. They
 * are collected, and reported in the order of files and lines.
 */
#ifndef DROVER_CONF_CONF_ERRORS_H
#define DROVER_CONF_CONF_ERRORS_H

#include <stddef.h>

#include "conf.h"

struct conf_remark;

struct conf_errors {
	conf_complain      *complain;
	void               *arg;
	const char         *main;       /* file that is told first; the others follow by name */
	unsigned            count;      /* complaints so far, without warnings */
	unsigned            temporary;  /* those of them about what may be otherwise in a moment */
	struct conf_remark *remarks;    /* collected, and not told yet */
	size_t              n, room;
};

/*
 * Complains: "FILE:LINE: " and the text; line 0 is the first. Bytes that are
 * not printable ASCII become \xNN, so that a complaint is one line.
 */
void conf_errors_at(struct conf_errors *r, struct conf_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The complaint that was made just before is about something that failed for now,
 * such as a look-up without its server: the same file may be right in a moment.
 */
void conf_errors_mark_temporary(struct conf_errors *r);

/* The same for a file, if this errno says that its device or its server does not answer now. */
void conf_errors_mark_file(struct conf_errors *r, int error);

/* The same for what is no error: "FILE:LINE: warning: " and the text. */
void conf_errors_warn(struct conf_errors *r, struct conf_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Tells what was collected, and frees it. The same line is told once: each
 * service meets the faults of `defaults`.
 */
void conf_errors_flush(struct conf_errors *r);

#endif

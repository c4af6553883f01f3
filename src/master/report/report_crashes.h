/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers with crash reports: a list, or one of them. It runs in a reporter.
 */
#ifndef DROVER_MASTER_REPORT_REPORT_CRASHES_H
#define DROVER_MASTER_REPORT_REPORT_CRASHES_H

#include "answer_writer.h"
#include "control_request.h"

/* data: the path of state_dir. The input of the worker is only in a single report, not in a list. */
void report_crashes(void *data, const struct control_request *r, struct answer_writer *o);

/* The last n reports, as in the list, the oldest first. Empty if they cannot be read. */
json_t *report_crashes_last(const char *state_dir, size_t n);

#endif

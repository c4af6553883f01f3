/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer of the command blocked: which sources are refused because their requests crashed workers.
 */
#ifndef DROVER_MASTER_REPORT_REPORT_BLOCKED_H
#define DROVER_MASTER_REPORT_REPORT_BLOCKED_H

#include "answer_writer.h"
#include "control_request.h"

/* data is the struct report_data. */
void report_blocked(void *data, const struct control_request *r, struct answer_writer *o);

#endif

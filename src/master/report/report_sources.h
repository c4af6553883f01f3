/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers who holds how many connections, and who is at a limit. It runs in a reporter.
 */
#ifndef DROVER_MASTER_REPORT_REPORT_SOURCES_H
#define DROVER_MASTER_REPORT_REPORT_SOURCES_H

#include "answer_writer.h"
#include "control_request.h"

#define REPORT_SOURCES_MAX 1000         /* in one answer; of the others, it says how many they are */

/* data: the struct report_data. */
void report_sources(void *data, const struct control_request *r, struct answer_writer *o);

#endif

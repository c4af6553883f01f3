/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers with all figures as metrics: drover-metrics(7) has their names, and what they mean.
 */
#ifndef DROVER_MASTER_REPORT_REPORT_METRICS_H
#define DROVER_MASTER_REPORT_REPORT_METRICS_H

#include "answer_writer.h"
#include "control_request.h"

/* data: the struct report_data. */
void report_metrics(void *data, const struct control_request *r, struct answer_writer *o);

/*
 * The same for the status process: not as JSON, but as the length of the text in a line, and the text.
 * r->format is a format that there is.
 */
void report_metrics_text(void *data, const struct control_request *r, struct answer_writer *o);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the answers to commands that only look, as in droverctl(8). All functions run in a
 * reporter. data is the struct report_data, unless the function says otherwise.
 */
#ifndef DROVER_MASTER_REPORT_REPORT_ANSWERS_H
#define DROVER_MASTER_REPORT_REPORT_ANSWERS_H

#include "answer_writer.h"
#include "control_request.h"
#include "report_data.h"

void report_status(void *data, const struct control_request *r, struct answer_writer *o);
void report_services(void *data, const struct control_request *r, struct answer_writer *o);
void report_workers(void *data, const struct control_request *r, struct answer_writer *o);
void report_connections(void *data, const struct control_request *r, struct answer_writer *o);

/* data: the struct master. Loads the configuration, which may take time. */
void report_check(void *data, const struct control_request *r, struct answer_writer *o);

/* What the first of these answers; and an item of each of the two lists. NULL for lack of memory. */
json_t *report_answers_status(const struct report_data *d);
json_t *report_answers_worker(const struct report_data *d, const struct report_worker *w);
json_t *report_answers_connection(const struct report_data *d, const struct report_worker *w,
                                  const struct board_connection_view *v);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers with all that a page about the server shows, in one object and of one moment. Addresses of
 * clients are in it only if metrics.page.addresses is set.
 */
#ifndef DROVER_MASTER_REPORT_REPORT_SNAPSHOT_H
#define DROVER_MASTER_REPORT_REPORT_SNAPSHOT_H

#include "answer_writer.h"
#include "control_request.h"

/* data: the struct report_data. */
void report_snapshot(void *data, const struct control_request *r, struct answer_writer *o);

#endif

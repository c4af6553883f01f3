/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificates that are served, and how long they are valid. Private keys are not here.
 */
#ifndef DROVER_MASTER_REPORT_REPORT_CERTIFICATES_H
#define DROVER_MASTER_REPORT_REPORT_CERTIFICATES_H

#include <jansson.h>

#include "answer_writer.h"
#include "control_request.h"
#include "report_data.h"

/* The answer of the command certificates: all of them. data is the struct report_data. */
void report_certificates(void *data, const struct control_request *r, struct answer_writer *o);

/* The same as a list: of all services. */
json_t *report_certificates_all(const struct report_data *d);

/* For the status: a list of those that expire within 14 days, or have expired. */
json_t *report_certificates_short(const struct report_data *d);

#endif

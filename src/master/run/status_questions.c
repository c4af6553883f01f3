/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of questions.
 */
#include <config.h>
#include "status_questions.h"

#include "master.h"
#include "report_answers.h"
#include "report_data.h"
#include "report_metrics.h"
#include "report_snapshot.h"

static const struct {
	const char *command;
	void      (*write)(void *data, const struct control_request *r, struct answer_writer *o);
	const char *format;             /* of metrics */
} questions[FACTS] = {
	[FACT_STATUS]      = { "status", report_status, NULL },
	[FACT_SNAPSHOT]    = { "snapshot", report_snapshot, NULL },
	[FACT_METRICS]     = { "metrics", report_metrics_text, "prometheus" },
	[FACT_OPENMETRICS] = { "metrics", report_metrics_text, "openmetrics" },
};

void status_questions_find(void *arg, enum fact what, struct status_question *q)
{
	q->job = (struct report_job){ .command = questions[what].command, .write = questions[what].write,
	                              .limit_ms = REPORTER_MS, .gather = report_gather, .arg = arg };
	q->request.format = questions[what].format;
}

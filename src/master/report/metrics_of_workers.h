/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metrics of single workers. A worker is known by its slot, which the next one gets when it
 * ends: what it has counted ends with it, so that nothing here is a counter.
 */
#ifndef DROVER_MASTER_REPORT_METRICS_OF_WORKERS_H
#define DROVER_MASTER_REPORT_METRICS_OF_WORKERS_H

#include "exposition.h"
#include "report_data.h"

/*
 * Those of the generation that serves: workers of others, which drain, have slots of the same
 * numbers. wanted: the name of the only service that is; NULL: all are.
 */
void metrics_of_workers(struct exposition *e, const struct report_data *d, const char *wanted);

#endif

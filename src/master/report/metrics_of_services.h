/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metrics of services: their figures, summed over workers and generations.
 */
#ifndef DROVER_MASTER_REPORT_METRICS_OF_SERVICES_H
#define DROVER_MASTER_REPORT_METRICS_OF_SERVICES_H

#include "exposition.h"
#include "report_data.h"

/* wanted: the name of the only service that is; NULL: all are. */
void metrics_of_services(struct exposition *e, const struct report_data *d, const char *wanted);

#endif

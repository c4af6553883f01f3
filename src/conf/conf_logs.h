/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The access logs: that of the top level, those of services, and the list of all that are
 * different, because each is opened once.
 */
#ifndef DROVER_CONF_CONF_LOGS_H
#define DROVER_CONF_CONF_LOGS_H

#include "conf_draft.h"
#include "conf_source.h"

/* The logs of the top level: where they stand, and whether the access log has a target. */
void conf_logs_check_top(struct conf_loader *ld, const config_setting_t *root);

/* The service begins with the access log of the top level, which its keys override one by one. */
void conf_logs_inherit(struct conf_loader *ld, struct conf_service *svc);

/* Notes where the access log stands, if layer (`defaults` or the service) says something of it. */
void conf_logs_enter(struct conf_service *svc, const config_setting_t *layer);

void conf_logs_check_service(struct conf_loader *ld, const struct conf_draft *d);

/* When all services are there: makes conf.access_logs. */
void conf_logs_collect(struct conf_loader *ld);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a module can learn of a connection: functions of struct drover_server.
 */
#ifndef DROVER_HANDLERS_MODULE_MODULE_FACTS_H
#define DROVER_HANDLERS_MODULE_MODULE_FACTS_H

#include <drover/module.h>

int module_facts_endpoint(const struct drover_connection *c, int side, struct drover_endpoint *e);
int module_facts_tls(const struct drover_connection *c, int fact, char *buf, size_t size);
int module_facts_id(const struct drover_connection *c, char *buf, size_t size);

#endif

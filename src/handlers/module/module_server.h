/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The functions of drover that a module can call: struct drover_server of <drover/module.h>.
 */
#ifndef DROVER_HANDLERS_MODULE_MODULE_SERVER_H
#define DROVER_HANDLERS_MODULE_MODULE_SERVER_H

#include "module_worker.h"

/* The table for the module of this process, which is m, lent for the life of the process. */
const struct drover_server *module_server_for(const struct module_worker *m);

#endif

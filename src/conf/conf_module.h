/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks the modules of all services. The code of a module is foreign: it runs in a child of its own,
 * as the user of its service, so that whatever it does costs only a complaint.
 */
#ifndef DROVER_CONF_CONF_MODULE_H
#define DROVER_CONF_CONF_MODULE_H

#include "conf_draft.h"

/* The file of a module whose path is written without a slash is in this folder. Lent. */
const char *conf_module_folder(void);

/* Takes path, options and the place of a handler of type module. */
void conf_module_take(struct conf_loader *ld, const struct conf_draft *d);

/* The same for a handler of type lua, whose keys become options of the module that runs scripts. */
void conf_module_take_lua(struct conf_loader *ld, const struct conf_draft *d);

/*
 * Loads the module of each service, has it check its options, and notes its name, version and flags.
 * To be called once all services are understood.
 */
void conf_module_check_all(struct conf_loader *ld);

#endif

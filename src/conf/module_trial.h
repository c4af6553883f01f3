/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tries a module in a child process: loads it, and has it check its options.
 */
#ifndef DROVER_CONF_MODULE_TRIAL_H
#define DROVER_CONF_MODULE_TRIAL_H

#include "conf_loader.h"

#define MODULE_TRIAL_MS 10000           /* how long a module may take to be loaded and to check its options */

/*
 * Tries the module of svc, whose file is open as fd, which is taken. Notes its name, version and flags.
 * False after everything that is wrong was complained of; a module that crashes or takes longer than
 * MODULE_TRIAL_MS is.
 */
bool module_trial(struct conf_loader *ld, struct conf_service *svc, int fd);

#endif

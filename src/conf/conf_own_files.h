/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that the master itself makes and writes: the pid file, logs, the folder of crash reports,
 * sockets. What is at their paths must not be something else.
 */
#ifndef DROVER_CONF_CONF_OWN_FILES_H
#define DROVER_CONF_CONF_OWN_FILES_H

#include "conf_source.h"

/* Complains of what could never be used. What cannot be seen, or is not there, is fine. */
void conf_own_files_check(struct conf_loader *ld, const config_setting_t *root);

/* The same for the path of a log, which target has set; NULL: it is no file. */
void conf_own_files_check_log(struct conf_loader *ld, const config_setting_t *target, const char *path);

/* The same for the paths of listeners; to a daemon, listener_open says it. */
void conf_own_files_check_listeners(struct conf_loader *ld);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Templates for lines of the access log, as values of the key `format`. The names of formats are
 * values of an enumeration like others: conf_value.c takes them.
 */
#ifndef DROVER_CONF_CONF_ACCESS_FORMAT_H
#define DROVER_CONF_CONF_ACCESS_FORMAT_H

#include "conf_source.h"

/* If the setting, a string, is a template, takes it, or complains of it, and returns true. */
bool conf_access_format_load(struct conf_loader *ld, const config_setting_t *setting, struct conf_log *log);

#endif

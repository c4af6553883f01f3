/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Builds one service from `defaults` and its own settings.
 */
#ifndef DROVER_CONF_CONF_SERVICE_H
#define DROVER_CONF_CONF_SERVICE_H

#include "conf_source.h"

/*
 * Builds the service on pages of its own. What is wrong has been complained
 * of; the service is then good for its name, place and listeners only.
 */
struct conf_service *conf_service_load(struct conf_loader *ld, config_setting_t *own,
                                       config_setting_t *defaults);

#endif

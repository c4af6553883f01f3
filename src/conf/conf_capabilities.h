/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Capabilities that a configuration needs, and that a root lacks to which a
 * service manager or a container has left only some.
 */
#ifndef DROVER_CONF_CONF_CAPABILITIES_H
#define DROVER_CONF_CONF_CAPABILITIES_H

#include "conf_errors.h"

/*
 * Warns once of each capability that some service needs and this process lacks.
 * Says nothing to others than root, of whom conf_privileges.h judges. conf may be
 * one that was loaded with errors.
 */
void conf_capabilities_warn(struct conf_errors *r, const struct conf *conf);

#endif

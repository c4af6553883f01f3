/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds capabilities that a configuration needs and that root lacks, because a service manager
 * or a container has taken them away.
 */
#ifndef DROVER_CONF_CONF_CAPABILITIES_H
#define DROVER_CONF_CONF_CAPABILITIES_H

#include "conf_errors.h"

/*
 * Warns once of each capability that some service needs and this process lacks.
 * Says nothing to users other than root, which conf_privileges.h judges. conf may be
 * one that was loaded with errors.
 */
void conf_capabilities_warn(struct conf_errors *r, const struct conf *conf);

#endif

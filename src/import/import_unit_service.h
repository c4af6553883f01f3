/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Imports the [Service] section of the template that a socket with Accept=yes starts: systemd.service(5),
 * systemd.exec(5).
 */
#ifndef DROVER_IMPORT_IMPORT_UNIT_SERVICE_H
#define DROVER_IMPORT_IMPORT_UNIT_SERVICE_H

#include "import_unit.h"

/* path: of the template, for complaints. */
void import_unit_service(struct import *im, struct import_service *svc, const struct import_unit *u,
                         const char *path);

#endif

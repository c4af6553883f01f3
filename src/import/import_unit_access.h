/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which clients a socket of systemd admits: systemd.resource-control(5). The settings of the socket are
 * those that count for connections that are passed to the service.
 */
#ifndef DROVER_IMPORT_IMPORT_UNIT_ACCESS_H
#define DROVER_IMPORT_IMPORT_UNIT_ACCESS_H

#include "import_unit.h"

/* Adds what the section [Socket] says to the access of the service, or says that it cannot. */
void import_unit_access(struct import *im, struct import_service *svc, const struct import_unit *u);

/* Whether it takes a setting of that name. */
bool import_unit_access_is_known(const char *name);

#endif

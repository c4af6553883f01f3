/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The addresses in only_from and no_access of xinetd.conf(5).
 */
#ifndef DROVER_IMPORT_IMPORT_XINETD_ACCESS_H
#define DROVER_IMPORT_IMPORT_XINETD_ACCESS_H

#include "import_access.h"

/* Adds one entry to the service: an address, a network, a list in braces; or says that it cannot. */
void import_xinetd_access(struct import *im, struct import_service *svc, struct import_place place,
                          enum import_verdict verdict, const char *entry);

#endif

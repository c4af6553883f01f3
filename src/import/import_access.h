/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Access by the addresses of clients: puts prefixes into a service, and sees to it that an import
 * never admits a client because a restriction has no counterpart.
 */
#ifndef DROVER_IMPORT_IMPORT_ACCESS_H
#define DROVER_IMPORT_IMPORT_ACCESS_H

#include "import.h"

enum import_verdict { IMPORT_ALLOW, IMPORT_DENY };

/*
 * Adds a prefix, "ADDRESS" or "ADDRESS/LENGTH"; one with host bits becomes the one without them. False,
 * and nothing is done, if it is neither.
 */
bool import_access_add(struct import *im, struct import_service *svc, enum import_verdict verdict,
                       const char *prefix);

/* Adds every address of both families. */
void import_access_add_all(struct import *im, struct import_service *svc, enum import_verdict verdict);

/* Adds 127.0.0.1 and ::1. */
void import_access_add_loopback(struct import *im, struct import_service *svc, enum import_verdict verdict);

/* Says that an entry is not carried over, and what has to be written instead. */
void import_access_lose(struct import *im, struct import_service *svc, struct import_place place,
                        enum import_verdict verdict, const char *entry, const char *why);

/*
 * When all entries are known: if only others were to be admitted whose entries are lost, all are
 * refused; and if an entry that refused clients is lost, the service is disabled.
 */
void import_access_finish(struct import *im, struct import_service *svc);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Imports rules in the text that tcprules(1) makes its cdb of, as the access of a service.
 */
#ifndef DROVER_IMPORT_IMPORT_TCPRULES_H
#define DROVER_IMPORT_IMPORT_TCPRULES_H

#include "import.h"

/* 0, or -1 with errno if the file cannot be read: nothing is changed then. */
int import_tcprules(struct import *im, struct import_service *svc, const char *path);

#endif

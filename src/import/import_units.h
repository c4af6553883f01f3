/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantities of other superservers: counts, modes, priorities, sizes, resource limits.
 */
#ifndef DROVER_IMPORT_IMPORT_UNITS_H
#define DROVER_IMPORT_IMPORT_UNITS_H

#include "import.h"

/* A whole number from 1; 0, after it was said that key is not carried over, if it is none. */
int64_t import_units_count(struct import *im, struct import_service *svc, struct import_place place,
                           const char *key, const char *text);

/* An octal number; NULL, after the same, if it is none. */
const char *import_units_mode(struct import *im, struct import_service *svc, struct import_place place,
                              const char *key, const char *text);

/* A priority from -20 to 19; NULL likewise. */
const char *import_units_nice(struct import *im, struct import_service *svc, struct import_place place,
                              const char *text);

/*
 * Sets a resource limit of the service; name is that of setrlimit(2) in lower case, without RLIMIT_;
 * "files" is nofile. "16M" and "1G" are sizes. Says so if drover has no such limit.
 */
void import_units_rlimit(struct import *im, struct import_service *svc, struct import_place place,
                         const char *name, const char *text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes what was imported as a file for drover: services, and comments that say where each comes from
 * and what has no counterpart.
 */
#ifndef DROVER_IMPORT_IMPORT_WRITE_H
#define DROVER_IMPORT_IMPORT_WRITE_H

#include "import.h"

/* Names the services first. Notes for each on which lines it stands. The text is lent. */
const char *import_write(struct import *im);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes names of services that drover takes: valid ones, and each once.
 */
#ifndef DROVER_IMPORT_IMPORT_NAMES_H
#define DROVER_IMPORT_IMPORT_NAMES_H

#include "import.h"

/* Sets the name of each service, of those before that of a later one of the same name. */
void import_names_make(struct import *im);

#endif

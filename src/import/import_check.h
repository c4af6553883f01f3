/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Has the output judged as droverd -t would, and tells where in the input each error comes from.
 */
#ifndef DROVER_IMPORT_IMPORT_CHECK_H
#define DROVER_IMPORT_IMPORT_CHECK_H

#include "import.h"

/*
 * text: from import_write. A disabled service that droverd refuses is marked as commented, and nothing is
 * said: then it has to be written again, and this returns true. Else all errors are told on im->err, and
 * counted in im->n_refused_by_droverd.
 */
bool import_check(struct import *im, const char *text);

#endif

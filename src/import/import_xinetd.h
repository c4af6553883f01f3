/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Imports services of xinetd: what the attributes of xinetd.conf(5) are in drover.
 */
#ifndef DROVER_IMPORT_IMPORT_XINETD_H
#define DROVER_IMPORT_IMPORT_XINETD_H

#include "import.h"

/*
 * Reads a file with all that it includes, or a folder. 0, or -1 with errno if it cannot be read. What is
 * in it is imported by import_xinetd_finish.
 */
int import_xinetd(struct import *im, const char *path);

/* Imports what was read, if anything was: the defaults of one file hold for the services of all. */
void import_xinetd_finish(struct import *im);

#endif

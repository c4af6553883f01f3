/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Imports inetd.conf(5), in the forms of OpenBSD, FreeBSD and GNU, and of inetd as it always was.
 */
#ifndef DROVER_IMPORT_IMPORT_INETD_H
#define DROVER_IMPORT_IMPORT_INETD_H

#include "import.h"

/* Imports a file. 0, or -1 with errno if it cannot be read. */
int import_inetd(struct import *im, const char *path);

/* Whether a line has the fields of a service. */
bool import_inetd_is_line(struct import *im, const char *line);

#endif

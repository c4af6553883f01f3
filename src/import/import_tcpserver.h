/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Imports run scripts of daemontools and runit whose command is tcpserver(1).
 */
#ifndef DROVER_IMPORT_IMPORT_TCPSERVER_H
#define DROVER_IMPORT_IMPORT_TCPSERVER_H

#include "import.h"

/* Imports a run script, or that of a service directory. 0, or -1 with errno if it cannot be read. */
int import_tcpserver(struct import *im, const char *path);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Imports sockets of systemd that start a program for each connection: systemd.socket(5), Accept=yes.
 */
#ifndef DROVER_IMPORT_IMPORT_SYSTEMD_H
#define DROVER_IMPORT_IMPORT_SYSTEMD_H

#include "import.h"

/*
 * Imports NAME.socket with NAME@.service, which is beside it or where systemd looks for units; each
 * with its drop-ins. A .service stands for the .socket of its name. 0, or -1 with errno if the socket
 * cannot be read.
 */
int import_systemd(struct import *im, const char *path);

#endif

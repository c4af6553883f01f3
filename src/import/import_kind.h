/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kinds of files that can be imported, and how each is recognised.
 */
#ifndef DROVER_IMPORT_IMPORT_KIND_H
#define DROVER_IMPORT_IMPORT_KIND_H

#include "import.h"

enum import_kind {
	IMPORT_XINETD,
	IMPORT_INETD,
	IMPORT_TCPSERVER,
	IMPORT_SYSTEMD,
	IMPORT_KINDS,
	IMPORT_AMBIGUOUS = IMPORT_KINDS,        /* it could be of more than one kind */
	IMPORT_UNKNOWN,                         /* it is of none */
	IMPORT_UNREADABLE,                      /* with errno */
};

extern const char *const import_kind_names[IMPORT_KINDS + 1];   /* as the options; NULL at the end */

/* Judges a file or a folder by its name, and if that says nothing, by its content. */
enum import_kind import_kind_of(struct import *im, const char *path);

#endif

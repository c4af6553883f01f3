/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The value of an attribute of xinetd: what `defaults` and the block of a service say together, with the
 * operators = += -=. It does not know what the attribute means.
 */
#ifndef DROVER_IMPORT_IMPORT_XINETD_VALUE_H
#define DROVER_IMPORT_IMPORT_XINETD_VALUE_H

#include "import_xinetd_file.h"

struct import_xinetd_value {
	bool                given, own;         /* own: in the block of the service */
	struct import_place place;              /* where it was set last */
	struct import_words words;
};

/* What all blocks called defaults say, and then that of the service; b NULL: the defaults alone. */
struct import_xinetd_value import_xinetd_value_of(struct import *im, const struct import_xinetd_file *f,
                                                  const struct import_xinetd_block *b, const char *name);

/* Remarks on the attributes of the block that are set again, which does nothing. svc NULL: defaults. */
void import_xinetd_value_tell_repeated(struct import *im, const struct import_xinetd_block *b,
                                       struct import_service *svc);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of the key ticket_keys: keys that several machines share, so that a client can resume
 * its session at any of them.
 */
#ifndef DROVER_CONF_CONF_TICKET_KEYS_H
#define DROVER_CONF_CONF_TICKET_KEYS_H

#include "conf_pem.h"

/* Reads the file, or complains of it. */
void conf_ticket_keys_load(struct conf_pem_reader *r);

#endif

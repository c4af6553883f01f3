/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whose certificates clients must have: the keys client_auth, client_ca and client_crl.
 */
#ifndef DROVER_CONF_CONF_CLIENT_CA_H
#define DROVER_CONF_CONF_CLIENT_CA_H

#include "conf_pem.h"

/* Reads the two files, and complains of keys that mean nothing, or are missing. */
void conf_client_ca_load(struct conf_pem_reader *r);

#endif

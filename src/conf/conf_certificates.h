/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificates of a service, with their private keys: which files they are in, and whether they
 * can be used.
 */
#ifndef DROVER_CONF_CONF_CERTIFICATES_H
#define DROVER_CONF_CONF_CERTIFICATES_H

#include "conf_pem.h"

/*
 * Reads all pairs of the service, from `certificates`, or from `chain` and `key`, and makes the
 * index of their names. Private keys are compared with their certificates, wiped, and not kept.
 */
void conf_certificates_load(struct conf_pem_reader *r);

#endif

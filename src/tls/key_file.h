/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the file of a private key, for the process that will sign with it.
 */
#ifndef DROVER_TLS_KEY_FILE_H
#define DROVER_TLS_KEY_FILE_H

#include <openssl/types.h>

#include "conf.h"
#include "tls_key.h"

#define KEY_FILE_WHY (TLS_WHY_MAX + 1024)       /* bytes of a text with place, path and reason */

/*
 * The private key of that certificate, from the file that the configuration names; it is checked
 * that it still belongs to the certificate. The caller frees it with EVP_PKEY_free. NULL with
 * place, file and reason in why. What was read is wiped.
 */
EVP_PKEY *key_file_read(struct tls_key_reader *r, const struct conf_certificate *c,
                        char why[static KEY_FILE_WHY]);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a droverd whose key process cannot read private keys while the file that the variable KEYLESS
 * names is there.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "key_file.h"

EVP_PKEY *__real_key_file_read(struct tls_key_reader *r, const struct conf_certificate *c,
                               char why[static KEY_FILE_WHY]);
EVP_PKEY *__wrap_key_file_read(struct tls_key_reader *r, const struct conf_certificate *c,
                               char why[static KEY_FILE_WHY]);

EVP_PKEY *__wrap_key_file_read(struct tls_key_reader *r, const struct conf_certificate *c,
                               char why[static KEY_FILE_WHY])
{
	const char *path = getenv("KEYLESS");

	if (!path || access(path, F_OK) != 0)
		return __real_key_file_read(r, c, why);
	snprintf(why, KEY_FILE_WHY, "%s:%d: private key \"%s\": it was lost", c->place.file,
	         c->place.line, c->key);
	return NULL;
}

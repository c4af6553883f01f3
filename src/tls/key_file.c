/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the whole file into memory of its own, which is wiped, and leaves the decoding to tls_key.c.
 * It never waits for a FIFO, and does not judge who else may read the file: that is done when
 * the configuration is checked.
 */
#include <config.h>
#include "key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "fd.h"
#include "tls_key.h"

#define FILE_MAX ((off_t)16 << 20)      /* bytes; a chain of certificates may be in the same file */

struct content {
	char  *text;            /* ends in NUL */
	size_t len, size;
};

static void forget(struct content *c)
{
	OPENSSL_clear_free(c->text, c->size);
	*c = (struct content){ 0 };
}

/* The file may change while it is read: what is read then may not decode. False with errno. */
static bool read_all(int fd, struct content *c)
{
	ssize_t n;

	while ((n = read(fd, c->text + c->len, c->size - 1 - c->len)) > 0)
		c->len += (size_t)n;
	c->text[c->len] = '\0';
	return n == 0;
}

static bool read_file(int fd, struct content *c, char why[static TLS_WHY_MAX])
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return snprintf(why, TLS_WHY_MAX, "%s", strerror(errno)) < 0;
	if (!S_ISREG(st.st_mode))
		return snprintf(why, TLS_WHY_MAX, "it is not a regular file") < 0;
	if (st.st_size > FILE_MAX)
		return snprintf(why, TLS_WHY_MAX, "it is longer than 16 MiB") < 0;
	c->size = (size_t)st.st_size + 2;
	c->text = OPENSSL_zalloc(c->size);
	if (!c->text || !read_all(fd, c))
		return snprintf(why, TLS_WHY_MAX, "%s", strerror(c->text ? errno : ENOMEM)) < 0;
	return true;
}

static EVP_PKEY *read_key(struct tls_key_reader *r, const char *path, char why[static TLS_WHY_MAX])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct content c = { 0 };
	EVP_PKEY *key = NULL;

	if (fd == -1)
		snprintf(why, TLS_WHY_MAX, "%s", strerror(errno));
	else if (read_file(fd, &c, why))
		key = tls_key_read(r, c.text, c.len, why);
	forget(&c);
	fd_drop(fd);
	return key;
}

static bool belongs_to(const EVP_PKEY *key, const struct conf_certificate *c)
{
	uint8_t sha256[32];

	return tls_key_sha256(key, sha256) && memcmp(sha256, c->spki_sha256, sizeof sha256) == 0;
}

EVP_PKEY *key_file_read(struct tls_key_reader *r, const struct conf_certificate *c,
                        char why[static KEY_FILE_WHY])
{
	char reason[TLS_WHY_MAX] = "";
	EVP_PKEY *key = read_key(r, c->key, reason);

	if (key && !belongs_to(key, c)) {
		snprintf(reason, sizeof reason, "it does not belong to the certificate in use, of %s",
		         c->chain);
		EVP_PKEY_free(key);
		key = NULL;
	}
	if (!key)
		snprintf(why, KEY_FILE_WHY, "%s:%d: private key \"%s\": %s", c->place.file, c->place.line,
		         c->key, reason);
	return key;
}

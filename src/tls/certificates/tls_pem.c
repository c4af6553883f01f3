/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the lines that begin a block, and lets OpenSSL decode one block after the other, so that
 * a complaint can name the line.
 */
#include <config.h>
#include "tls_pem.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#define BEGIN "-----BEGIN "
#define END   "-----END "

struct tls_pem tls_pem_in(const char *text)
{
	return (struct tls_pem){ .next = text, .line = 1 };
}

static bool begins_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void skip_line(struct tls_pem *p)
{
	p->next += strcspn(p->next, "\n");
	if (*p->next != '\n')
		return;
	p->next++;
	p->line++;
}

/* Skips to behind the block that begins here. False if another one begins before its end. */
static bool skip_block(struct tls_pem *p)
{
	do {
		skip_line(p);
		if (begins_with(p->next, END)) {
			skip_line(p);
			return true;
		}
	} while (*p->next && !begins_with(p->next, BEGIN));
	return false;
}

static bool decode(struct tls_pem_block *block, const char *text, size_t len)
{
	BIO *in = len <= INT_MAX ? BIO_new_mem_buf(text, (int)len) : NULL;
	char *header = NULL;
	bool done = in && PEM_read_bio(in, &block->label, &header, &block->der, &block->len) == 1;

	block->encrypted = done && (strstr(header, "ENCRYPTED") || strstr(block->label, "ENCRYPTED"));
	OPENSSL_free(header);
	BIO_free(in);
	return done;
}

int tls_pem_cut(struct tls_pem *p, struct tls_pem_block *block, char why[static TLS_WHY_MAX])
{
	const char *begin;

	*block = (struct tls_pem_block){ 0 };
	while (*p->next && !begins_with(p->next, BEGIN))
		skip_line(p);
	if (*p->next == '\0')
		return 0;
	begin = p->next;
	block->line = p->line;
	if (!skip_block(p)) {
		snprintf(why, TLS_WHY_MAX, "line %d: what begins here has no END line", block->line);
		return -1;
	}
	if (decode(block, begin, (size_t)(p->next - begin)))
		return 1;
	snprintf(why, TLS_WHY_MAX, "line %d: what begins here is not PEM (%s)", block->line,
	         tls_pem_reason());
	return -1;
}

void tls_pem_release(struct tls_pem_block *block)
{
	OPENSSL_free(block->label);
	OPENSSL_clear_free(block->der, (size_t)block->len);
	*block = (struct tls_pem_block){ 0 };
}

bool tls_pem_is_der(const char *bytes, size_t len)
{
	const unsigned char *b = (const unsigned char *)bytes;

	/* The tag, and a length in two or more bytes. */
	return len > 4 && b[0] == 0x30 && b[1] > 0x80 && b[1] <= 0x84;
}

const char *tls_pem_reason(void)
{
	const unsigned long error = ERR_peek_error();
	const char *reason = error ? ERR_reason_error_string(error) : NULL;

	ERR_clear_error();
	return reason ? reason : "unknown reason";
}

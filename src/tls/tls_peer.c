/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A name is never cut: a part of it could be the name of somebody else.
 */
#include <config.h>
#include "tls_peer.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static char *name_text(const X509_NAME *name)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *bytes, *text = NULL;
	long len;

	if (b && X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(b, &bytes);
		text = strndup(len > 0 ? bytes : "", (size_t)len);
	}
	BIO_free(b);
	return text;
}

static char *serial_text(const X509 *x)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = number ? BN_bn2hex(number) : NULL, *text = hex ? strdup(hex) : NULL;

	OPENSSL_free(hex);
	BN_free(number);
	return text;
}

static bool write_sha256(const X509 *x, char text[static 65])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len;
	struct text t = text_in(text, 65);

	if (X509_digest(x, EVP_sha256(), hash, &len) != 1)
		return false;
	text_add_hex(&t, hash, len);
	return true;
}

bool tls_peer_read(const SSL *ssl, struct tls_peer *p)
{
	X509 *x = SSL_get0_peer_certificate(ssl);

	*p = (struct tls_peer){ 0 };
	errno = 0;
	if (!x)
		return false;
	p->subject = name_text(X509_get_subject_name(x));
	p->issuer = name_text(X509_get_issuer_name(x));
	p->serial = serial_text(x);
	if (p->subject && p->issuer && p->serial && write_sha256(x, p->sha256))
		return true;
	tls_peer_free(p);
	errno = ENOMEM;
	return false;
}

void tls_peer_free(struct tls_peer *p)
{
	free(p->subject);
	free(p->issuer);
	free(p->serial);
	*p = (struct tls_peer){ 0 };
}

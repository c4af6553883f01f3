/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decodes certificates with OpenSSL, and finds the order in which they are a chain.
 */
#include <config.h>
#include "tls_chain.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "text.h"
#include "tls_key.h"

/* ---- reading ------------------------------------------------------------ */

static bool holds_certificate(const struct tls_pem_block *block)
{
	return strcmp(block->label, "CERTIFICATE") == 0 || strcmp(block->label, "X509 CERTIFICATE") == 0;
}

static X509 *find(const struct tls_chain *in, const struct tls_pem_block *block)
{
	for (size_t i = 0; in && i < in->n; i++)
		if (in->links[i].len == (size_t)block->len &&
		    memcmp(in->links[i].der, block->der, in->links[i].len) == 0)
			return in->links[i].certificate;
	return NULL;
}

/* A reference that is the caller's, or NULL. */
static X509 *decode(const struct tls_pem_block *block, const struct tls_chain *like)
{
	const unsigned char *der = block->der;
	X509 *known = find(like, block);

	if (known && X509_up_ref(known) == 1)
		return known;
	return d2i_X509(NULL, &der, block->len);
}

/* Takes the bytes of the block. */
static void append(struct tls_chain *c, X509 *certificate, struct tls_pem_block *block)
{
	c->links = reallocarray(c->links, c->n + 1, sizeof *c->links);
	if (!c->links)
		abort();                /* as libconfig would */
	c->links[c->n++] = (struct tls_link){ .certificate = certificate, .der = block->der,
	                                      .len = (size_t)block->len };
	block->der = NULL;
	block->len = 0;
}

static bool add(struct tls_chain *c, struct tls_pem_block *block, size_t max,
                const struct tls_chain *like, char why[static TLS_WHY_MAX])
{
	X509 *certificate;

	if (!holds_certificate(block))
		return true;
	if (c->n == max) {
		snprintf(why, TLS_WHY_MAX, "line %d: too many certificates (at most %zu)", block->line, max);
		return false;
	}
	certificate = decode(block, like);
	if (certificate)
		append(c, certificate, block);
	else
		snprintf(why, TLS_WHY_MAX, "line %d: the certificate cannot be decoded (%s)", block->line,
		         tls_pem_reason());
	return certificate != NULL;
}

static void say_none(const char *text, size_t len, char why[static TLS_WHY_MAX])
{
	if (tls_pem_is_der(text, len))
		snprintf(why, TLS_WHY_MAX, "it is DER, not PEM (convert it: openssl x509 -inform DER -in OLD"
		         " -out NEW)");
	else
		snprintf(why, TLS_WHY_MAX, "there is no certificate in it (one in PEM begins with"
		         " -----BEGIN CERTIFICATE-----)");
}

bool tls_chain_read(struct tls_chain *c, const char *text, size_t len, size_t max,
                    const struct tls_chain *like, char why[static TLS_WHY_MAX])
{
	struct tls_pem p = tls_pem_in(text);
	struct tls_pem_block block;
	bool good = true;
	int cut = 0;

	*c = (struct tls_chain){ 0 };
	while (good && (cut = tls_pem_cut(&p, &block, why)) == 1) {
		good = add(c, &block, max, like, why);
		tls_pem_release(&block);
	}
	if (!good || cut == -1)
		return false;
	if (c->n == 0)
		say_none(text, len, why);
	return c->n > 0;
}

void tls_chain_free(struct tls_chain *c)
{
	for (size_t i = 0; i < c->n; i++) {
		X509_free(c->links[i].certificate);
		OPENSSL_free(c->links[i].der);
	}
	free(c->links);
	*c = (struct tls_chain){ 0 };
}

/* ---- order -------------------------------------------------------------- */

/* The certificates in the order in which each is issued by the one behind it. */
struct order {
	size_t at[TLS_CHAIN_MAX];       /* indexes */
	size_t n;
};

static bool is_placed(const struct order *o, size_t i)
{
	size_t k = 0;

	while (k < o->n && o->at[k] != i)
		k++;
	return k < o->n;
}

static bool issued(const struct tls_chain *c, size_t issuer, size_t subject)
{
	return issuer != subject &&
	       X509_check_issued(c->links[issuer].certificate, c->links[subject].certificate) == X509_V_OK;
}

static bool issued_any(const struct tls_chain *c, size_t issuer)
{
	size_t i = 0;

	while (i < c->n && !issued(c, issuer, i))
		i++;
	return i < c->n;
}

static bool has_key(const struct tls_chain *c, size_t i, const EVP_PKEY *key)
{
	return EVP_PKEY_eq(X509_get0_pubkey(c->links[i].certificate), key) == 1;
}

/* The one that must be first: that of the key, else the first one that has issued no other. */
static size_t find_first(const struct tls_chain *c, const EVP_PKEY *key)
{
	for (size_t i = 0; key && i < c->n; i++)
		if (has_key(c, i, key))
			return i;
	for (size_t i = 0; i < c->n; i++)
		if (!issued_any(c, i))
			return i;
	return 0;
}

static struct order find_order(const struct tls_chain *c, const EVP_PKEY *key)
{
	struct order o = { .at = { find_first(c, key) }, .n = 1 };
	size_t i = 0;

	while (i < c->n && o.n < TLS_CHAIN_MAX)
		if (!is_placed(&o, i) && issued(c, i, o.at[o.n - 1])) {
			o.at[o.n++] = i;
			i = 0;
		} else {
			i++;
		}
	return o;
}

static void list(struct text *t, const struct tls_chain *c, size_t i, bool first)
{
	char subject[128];

	text_add(t, "%snumber %zu, %s", first ? "" : "; ", i + 1,
	         tls_chain_subject(c->links[i].certificate, subject, sizeof subject));
}

enum tls_order tls_chain_order(const struct tls_chain *c, const EVP_PKEY *key,
                               char why[static TLS_WHY_MAX])
{
	const struct order o = find_order(c, key);
	struct text t = text_in(why, TLS_WHY_MAX);
	size_t in_place = 0;

	while (in_place < o.n && o.at[in_place] == in_place)
		in_place++;
	if (in_place < o.n) {
		for (size_t i = 0; i < o.n; i++)
			list(&t, c, o.at[i], i == 0);
		return TLS_ORDER_WRONG;
	}
	if (o.n == c->n)
		return TLS_ORDER_RIGHT;
	for (size_t i = 0, listed = 0; i < c->n; i++)
		if (!is_placed(&o, i))
			list(&t, c, i, listed++ == 0);
	return TLS_ORDER_FOREIGN;
}

/* ---- what a certificate says -------------------------------------------- */

static bool read_time(const ASN1_TIME *from, int64_t *to)
{
	struct tm tm;

	if (!from || ASN1_TIME_to_tm(from, &tm) != 1)
		return false;
	*to = timegm(&tm);
	return true;
}

bool tls_chain_facts(const X509 *certificate, struct tls_facts *facts, char why[static TLS_WHY_MAX])
{
	const EVP_PKEY *key = X509_get0_pubkey(certificate);

	if (!key || !tls_key_sha256(key, facts->spki_sha256)) {
		snprintf(why, TLS_WHY_MAX, "the certificate has a public key that OpenSSL does not know (%s)",
		         tls_pem_reason());
		return false;
	}
	if (!read_time(X509_get0_notBefore(certificate), &facts->not_before) ||
	    !read_time(X509_get0_notAfter(certificate), &facts->not_after)) {
		snprintf(why, TLS_WHY_MAX, "the certificate has a time that is malformed");
		return false;
	}
	tls_key_type(key, facts->type, sizeof facts->type);
	return X509_digest(certificate, EVP_sha256(), facts->sha256, NULL) == 1;
}

/* Lower case, and no byte that would be special in a list, a log or a look-up. */
static bool copy_dns(const ASN1_STRING *from, char *to, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.*";
	const unsigned char *bytes = ASN1_STRING_get0_data(from);
	const size_t len = (size_t)ASN1_STRING_length(from);

	if (len == 0 || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		to[i] = (char)(bytes[i] >= 'A' && bytes[i] <= 'Z' ? bytes[i] + ('a' - 'A') : bytes[i]);
	to[len] = '\0';
	return strspn(to, allowed) == len;
}

static bool copy_address(const ASN1_OCTET_STRING *from, char *to, size_t size)
{
	const int len = ASN1_STRING_length(from);

	return (len == 4 || len == 16) &&
	       inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(from), to,
	                 (socklen_t)size) != NULL;
}

void tls_chain_names(const X509 *certificate, void (*take)(void *arg, const char *name), void *arg)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	char name[256];

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(all, i);

		if ((n->type == GEN_DNS && copy_dns(n->d.dNSName, name, sizeof name)) ||
		    (n->type == GEN_IPADD && copy_address(n->d.iPAddress, name, sizeof name)))
			take(arg, name);
	}
	GENERAL_NAMES_free(all);
	ERR_clear_error();
}

const char *tls_chain_subject(const X509 *certificate, char *buf, size_t size)
{
	BIO *out = BIO_new(BIO_s_mem());
	struct text t = text_in(buf, size);
	char *bytes;
	long len;

	if (out && X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(out, &bytes);
		text_add_safe(&t, bytes, len > 0 ? (size_t)len : 0);
	}
	if (t.len == 0)
		text_add_string(&t, "without a subject");
	BIO_free(out);
	return buf;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the certificates of those who issue certificates of clients, and their lists of revoked
 * ones.
 */
#include <config.h>

#ifdef HAVE_OPENSSL

#include "conf_client_ca.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tls_chain.h"

#define CA_MAX  10000                   /* certificates in client_ca */
#define CRL_MAX 10000                   /* lists in client_crl */

/* ---- client_ca ---------------------------------------------------------- */

static void keep_all(struct conf_pem_reader *r, const struct tls_chain *all)
{
	struct conf_tls *tls = &r->draft->service->tls;
	struct conf_bytes *ca = conf_loader_alloc(r->ld, all->n * sizeof *ca);

	for (size_t i = 0; i < all->n; i++)
		ca[i] = conf_pem_keep(r, all->links[i].der, all->links[i].len);
	tls->ca = ca;
	tls->n_ca = all->n;
}

/* A certificate of a client that it has issued itself may stand there, too. */
static bool can_be_issuer(X509 *x)
{
	return X509_check_ca(x) != 0 || X509_get_extension_flags(x) & EXFLAG_SI;
}

/* The first one that may not issue certificates; all->n if all may. */
static size_t find_other(const struct tls_chain *all)
{
	size_t i = 0;

	while (i < all->n && can_be_issuer(all->links[i].certificate))
		i++;
	return i;
}

static bool has_root(const struct tls_chain *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (X509_self_signed(all->links[i].certificate, 0) == 1)
			return true;
	return false;
}

static void judge_issuers(struct conf_pem_reader *r, const config_setting_t *setting,
                          const struct tls_chain *all)
{
	const char *path = r->draft->service->tls.client_ca;
	const size_t other = find_other(all);
	char subject[128];

	if (other < all->n)
		conf_source_complain(r->ld, setting, "names %s: number %zu, %s, is no certificate of an"
		                     " issuer (basicConstraints)", path, other + 1,
		                     tls_chain_subject(all->links[other].certificate, subject, sizeof subject));
	else if (!has_root(all))
		conf_source_complain(r->ld, setting, "names %s: there is no root in it (a certificate that its"
		                     " owner has issued), and without one no client is verified", path);
}

static void load_ca(struct conf_pem_reader *r)
{
	const config_setting_t *setting = conf_draft_origin(r->draft, "tls.client_ca");
	const char *path = r->draft->service->tls.client_ca;
	struct tls_chain all = { 0 };
	char why[TLS_WHY_MAX];
	size_t len;
	char *text = conf_pem_read(r, setting, path, &len);

	if (!text)
		return;
	if (!tls_chain_read(&all, text, len, CA_MAX, NULL, why)) {
		conf_source_complain(r->ld, setting, "names %s: %s", path, why);
	} else {
		judge_issuers(r, setting, &all);
		keep_all(r, &all);
	}
	tls_chain_free(&all);
	free(text);
}

/* ---- client_crl --------------------------------------------------------- */

static bool is_of_known_issuer(const struct conf_tls *tls, const X509_CRL *crl)
{
	bool known = false;

	for (size_t i = 0; i < tls->n_ca && !known; i++) {
		const unsigned char *der = tls->ca[i].data;
		X509 *ca = d2i_X509(NULL, &der, (long)tls->ca[i].len);

		known = ca && X509_NAME_cmp(X509_get_subject_name(ca), X509_CRL_get_issuer(crl)) == 0;
		X509_free(ca);
	}
	return known;
}

static void judge_crl(struct conf_pem_reader *r, const config_setting_t *setting, const X509_CRL *crl)
{
	const struct conf_tls *tls = &r->draft->service->tls;
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

	if (tls->n_ca > 0 && !is_of_known_issuer(tls, crl))
		conf_source_complain(r->ld, setting, "names %s: a list in it is of an issuer that client_ca"
		                     " does not have", tls->client_crl);
	if (next && X509_cmp_time(next, NULL) < 0)
		conf_source_warn(r->ld, setting, "names %s: a list in it has expired (clients of that issuer"
		                 " are refused until there is a new one)", tls->client_crl);
}

/* One block of the file; false after a complaint. */
static bool take_crl(struct conf_pem_reader *r, const config_setting_t *setting,
                     const struct tls_pem_block *block, struct conf_bytes *to)
{
	const unsigned char *der = block->der;
	X509_CRL *crl = d2i_X509_CRL(NULL, &der, block->len);

	if (!crl) {
		conf_source_complain(r->ld, setting, "names %s: line %d: the list cannot be decoded (%s)",
		                     r->draft->service->tls.client_crl, block->line, tls_pem_reason());
		return false;
	}
	judge_crl(r, setting, crl);
	*to = conf_pem_keep(r, block->der, (size_t)block->len);
	X509_CRL_free(crl);
	return true;
}

/* The lists of the text, at most CRL_MAX, in `lists`. */
static bool take_text(struct conf_pem_reader *r, const config_setting_t *setting, const char *text,
                      struct conf_bytes *lists, size_t *n)
{
	struct tls_pem p = tls_pem_in(text);
	struct tls_pem_block block;
	char why[TLS_WHY_MAX];
	bool good = true;
	int cut = 0;

	while (good && *n < CRL_MAX && (cut = tls_pem_cut(&p, &block, why)) == 1) {
		if (strcmp(block.label, "X509 CRL") == 0) {
			good = take_crl(r, setting, &block, &lists[*n]);
			*n += good;
		}
		tls_pem_release(&block);
	}
	if (cut == -1)
		conf_source_complain(r->ld, setting, "names %s: %s", r->draft->service->tls.client_crl, why);
	return good && cut != -1;
}

static void load_crl(struct conf_pem_reader *r)
{
	const config_setting_t *setting = conf_draft_origin(r->draft, "tls.client_crl");
	struct conf_tls *tls = &r->draft->service->tls;
	struct conf_bytes *lists, *kept;
	size_t len, n = 0;
	char *text = conf_pem_read(r, setting, tls->client_crl, &len);

	if (!text)
		return;
	lists = calloc(CRL_MAX, sizeof *lists);
	if (!lists)
		abort();
	if (take_text(r, setting, text, lists, &n) && n == 0)
		conf_source_complain(r->ld, setting, "names %s: there is no list of revoked certificates in it"
		                     " (one in PEM begins with -----BEGIN X509 CRL-----)", tls->client_crl);
	kept = conf_loader_alloc(r->ld, n * sizeof *kept);
	tls->crl = memcpy(kept, lists, n * sizeof *kept);
	tls->n_crl = n;
	free(lists);
	free(text);
}

/* ---- both --------------------------------------------------------------- */

/* What came from `defaults` may be for other services. */
static void drop(struct conf_pem_reader *r, const char *key, const char **path, const char *needs)
{
	const config_setting_t *own = conf_source_member(conf_source_member(r->draft->own, "tls"), key);

	if (*path && own)
		conf_source_complain(r->ld, own, "needs %s", needs);
	*path = NULL;
}

void conf_client_ca_load(struct conf_pem_reader *r)
{
	struct conf_tls *tls = &r->draft->service->tls;

	if (tls->client_auth == TLS_CLIENT_NONE) {
		drop(r, "client_ca", &tls->client_ca, "client_auth = \"optional\" or \"required\"");
		drop(r, "client_crl", &tls->client_crl, "client_auth = \"optional\" or \"required\"");
		return;
	}
	if (tls->client_ca)
		load_ca(r);
	else
		conf_source_complain(r->ld, conf_draft_origin(r->draft, "tls.client_auth"), "needs client_ca, the"
		                     " file with the certificates of those who issue certificates of"
		                     " clients");
	if (tls->client_crl)
		load_crl(r);
}

#endif

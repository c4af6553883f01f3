/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads and judges pairs of a certificate and a private key. A key is in the heap of this process
 * for a moment, and is wiped; it never gets into the arena, which the master has, too.
 */
#include <config.h>

#ifdef HAVE_OPENSSL

#include "conf_certificates.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "clock.h"
#include "conf_group.h"
#include "conf_validity.h"
#include "tls_chain.h"
#include "tls_key.h"
#include "tls_names.h"

/* One pair while it is judged. */
struct pair {
	struct conf_pem_reader  *r;
	const config_setting_t  *chain, *key;   /* settings; the same one if the file has both */
	struct conf_certificate *made;
	struct tls_chain         certificates;
	EVP_PKEY                *private;
};

#define CHAIN_WRONG(p, format, ...) \
	conf_source_complain((p)->r->ld, (p)->chain, "names %s: " format, (p)->made->chain, __VA_ARGS__)
#define KEY_WRONG(p, format, ...) \
	conf_source_complain((p)->r->ld, (p)->key, "names %s: " format, (p)->made->key, __VA_ARGS__)
#define CHAIN_WARN(p, format, ...) \
	conf_source_warn((p)->r->ld, (p)->chain, "names %s: " format, (p)->made->chain, __VA_ARGS__)

/* ---- the private key ---------------------------------------------------- */

static void warn_of_readers(const struct pair *p)
{
	struct stat st;

	if (stat(p->made->key, &st) == 0 && st.st_mode & S_IROTH)
		conf_source_warn(p->r->ld, p->key, "names %s: all users can read this private key (chmod o="
		                 " %s)", p->made->key, p->made->key);
}

/* The room in which it was read is larger by far. */
static void wipe(char *text, size_t len)
{
	if (text)
		explicit_bzero(text, len);
	free(text);
}

static bool take_key(struct pair *p, const char *text, size_t len)
{
	char why[TLS_WHY_MAX];

	p->private = tls_key_read(p->r->keys, text, len, why);
	if (!p->private && p->key == p->chain)
		KEY_WRONG(p, "%s; key names the file of the key, if that is another one", why);
	else if (!p->private)
		KEY_WRONG(p, "%s", why);
	else
		warn_of_readers(p);
	return p->private != NULL;
}

/* From a file of its own; false after a complaint. */
static bool read_key(struct pair *p)
{
	size_t len = 0;
	char *text = conf_pem_read(p->r, p->key, p->made->key, &len);
	const bool taken = text && take_key(p, text, len);

	wipe(text, len);
	return taken;
}

/* ---- the chain ---------------------------------------------------------- */

/* Reads the chain, and the key if the file has both. */
static bool read_chain(struct pair *p)
{
	char why[TLS_WHY_MAX];
	size_t len;
	char *text = conf_pem_read(p->r, p->chain, p->made->chain, &len);
	bool good = false;

	if (!text)
		return false;
	if (!tls_chain_read(&p->certificates, text, len, TLS_CHAIN_MAX, &p->r->last, why))
		CHAIN_WRONG(p, "%s", why);
	else
		good = p->key != p->chain || take_key(p, text, len);
	wipe(text, len);
	return good;
}

static bool judge_order(struct pair *p)
{
	char why[TLS_WHY_MAX];

	switch (tls_chain_order(&p->certificates, p->private, why)) {
	case TLS_ORDER_WRONG:
		CHAIN_WRONG(p, "the certificates are in the wrong order (right: %s)", why);
		return false;
	case TLS_ORDER_FOREIGN:
		CHAIN_WARN(p, "not all certificates are of one chain (leave out: %s)", why);
		return true;
	case TLS_ORDER_RIGHT:
		return true;
	}
	return false;
}

static bool judge_key(struct pair *p)
{
	const X509 *first = p->certificates.links[0].certificate;
	char subject[128], type[64];

	if (EVP_PKEY_eq(X509_get0_pubkey(first), p->private) != 1) {
		KEY_WRONG(p, "this is not the private key of the certificate in %s (%s)", p->made->chain,
		          tls_chain_subject(first, subject, sizeof subject));
		return false;
	}
	if (p->r->draft->service->tls.isolate_keys && !tls_key_can_be_isolated(p->private)) {
		KEY_WRONG(p, "a key of type %s needs isolate_keys = false (RSA, EC P-256, EC P-384 and Ed25519"
		          " do not)", tls_key_type(p->private, type, sizeof type));
		return false;
	}
	return true;
}

/* What OpenSSL refuses in a worker, it refuses here: keys that are too short, old digests. */
static bool judge_strength(struct pair *p)
{
	SSL_CTX *ctx = p->r->scratch;
	int good = SSL_CTX_use_certificate(ctx, p->certificates.links[0].certificate);

	SSL_CTX_clear_chain_certs(ctx);
	for (size_t i = 1; i < p->certificates.n && good == 1; i++)
		good = SSL_CTX_add1_chain_cert(ctx, p->certificates.links[i].certificate);
	if (good != 1)
		CHAIN_WRONG(p, "OpenSSL refuses it: %s", tls_pem_reason());
	return good == 1;
}

static bool read_facts(struct pair *p)
{
	struct conf_certificate *c = p->made;
	char why[TLS_WHY_MAX];
	struct tls_facts facts;

	if (!tls_chain_facts(p->certificates.links[0].certificate, &facts, why)) {
		CHAIN_WRONG(p, "%s", why);
		return false;
	}
	c->not_before = facts.not_before;
	c->not_after = facts.not_after;
	c->type = conf_loader_strdup(p->r->ld, facts.type);
	memcpy(c->sha256, facts.sha256, sizeof c->sha256);
	memcpy(c->spki_sha256, facts.spki_sha256, sizeof c->spki_sha256);
	return true;
}

/* ---- time --------------------------------------------------------------- */

static bool is_in(const struct conf_service *svc, const struct conf_certificate *c)
{
	for (size_t i = 0; i < svc->tls.n_certificates; i++)
		if (memcmp(svc->tls.certificates[i].sha256, c->sha256, sizeof c->sha256) == 0)
			return true;
	return false;
}

/* Whether what is served now has another certificate there. */
static bool has_changed(const struct pair *p)
{
	const struct conf *before = p->r->ld->before;
	const char *name = p->r->draft->service->name;

	for (size_t i = 0; before && i < before->n_services; i++)
		if (strcmp(before->services[i]->name, name) == 0 && is_in(before->services[i], p->made))
			return false;
	return before != NULL;
}

/* A start never fails because time has passed: nothing would be served. */
static void judge_time(struct pair *p)
{
	const struct conf_certificate *c = p->made;
	const int64_t now = p->r->now;
	char when[CLOCK_TEXT_MAX], text[CONF_VALIDITY_TEXT];

	if (c->not_before > now)
		CHAIN_WRONG(p, "the certificate is not valid before %s (is the clock right?)",
		            clock_utc_seconds(c->not_before, when));
	else if (c->not_after < now && has_changed(p))
		CHAIN_WRONG(p, "the certificate %s", conf_validity_text(c, now, text));
	else if (conf_validity_is_short(c, now))
		CHAIN_WARN(p, "the certificate %s", conf_validity_text(c, now, text));
}

/* ---- names and DER ------------------------------------------------------ */

/* The names of one certificate while they are collected. */
struct collection {
	struct conf_pem_reader *r;
	uint32_t                certificate;
	size_t                  n;
};

static void take_name(void *arg, const char *name)
{
	struct collection *c = arg;
	struct conf_pem_reader *r = c->r;

	if (r->n_names == r->names_room) {
		r->names_room = r->names_room ? 2 * r->names_room : 64;
		r->names = reallocarray(r->names, r->names_room, sizeof *r->names);
		if (!r->names)
			abort();
	}
	r->names[r->n_names++] = (struct tls_name){ .name = conf_loader_strdup(r->ld, name),
	                                            .certificate = c->certificate };
	c->n++;
}

static void keep_names(struct pair *p, uint32_t index)
{
	struct conf_pem_reader *r = p->r;
	struct collection c = { .r = r, .certificate = index };

	tls_chain_names(p->certificates.links[0].certificate, take_name, &c);
	p->made->names = conf_loader_alloc(r->ld, (c.n + 1) * sizeof *p->made->names);
	for (size_t i = 0; i < c.n; i++)
		p->made->names[i] = r->names[r->n_names - c.n + i].name;
	if (c.n == 0)
		CHAIN_WARN(p, "%s", r->draft->service->tls.sni == TLS_SNI_STRICT ?
		           "the certificate has no names in subjectAltName, so that no client gets it" :
		           "the certificate has no names in subjectAltName, so that most clients refuse it");
}

static void keep_chain(struct pair *p)
{
	struct conf_certificate *c = p->made;
	struct conf_bytes *der;

	c->n_der = p->certificates.n;
	c->der = der = conf_loader_alloc(p->r->ld, c->n_der * sizeof *der);
	for (size_t i = 0; i < c->n_der; i++)
		der[i] = conf_pem_keep(p->r, p->certificates.links[i].der, p->certificates.links[i].len);
}

/* ---- pairs -------------------------------------------------------------- */

static void warn_of_purpose(struct pair *p)
{
	X509 *first = p->certificates.links[0].certificate;

	if (X509_check_purpose(first, X509_PURPOSE_SSL_SERVER, 0) != 1)
		CHAIN_WARN(p, "%s", "the certificate is not for TLS servers (extendedKeyUsage)");
	ERR_clear_error();
}

static bool judge(struct pair *p)
{
	return read_chain(p) && (p->private || read_key(p)) && judge_order(p) && judge_key(p) &&
	       judge_strength(p) && read_facts(p);
}

/* Fills *made, whose paths are set, as the pair of that index. False after a complaint. */
static bool load_pair(struct conf_pem_reader *r, struct conf_certificate *made, uint32_t index,
                      const config_setting_t *chain, const config_setting_t *key)
{
	struct pair p = { .r = r, .made = made, .chain = chain, .key = key ? key : chain };
	bool good;

	made->place = conf_source_place(chain);
	if (!made->key || strcmp(made->key, made->chain) == 0) {
		made->key = made->chain;
		p.key = p.chain;
	}
	good = judge(&p);
	if (good) {
		judge_time(&p);
		warn_of_purpose(&p);
		keep_names(&p, index);
		keep_chain(&p);
	}
	EVP_PKEY_free(p.private);
	tls_chain_free(&r->last);
	r->last = p.certificates;
	return good;
}

static bool load_item(struct conf_pem_reader *r, const config_setting_t *item,
                      struct conf_certificate *made, uint32_t index)
{
	const config_setting_t *chain = conf_source_member(item, "chain");

	conf_group_load(r->ld, &conf_keys_certificate, item, made);
	if (config_setting_is_group(item) && !chain)
		conf_source_complain(r->ld, item, "needs chain (as in chain ="
		                     " \"/etc/letsencrypt/live/NAME/fullchain.pem\")");
	return made->chain && load_pair(r, made, index, chain, conf_source_member(item, "key"));
}

static void load_list(struct conf_pem_reader *r, const config_setting_t *list)
{
	struct conf_tls *tls = &r->draft->service->tls;
	struct conf_certificate *all;
	const int n = config_setting_is_list(list) ? config_setting_length(list) : 0;

	if (n == 0) {
		conf_source_complain(r->ld, list, "must be a list of groups that is not empty, as in"
		                     " ( { chain = \"/path\"; key = \"/path\"; } )");
		return;
	}
	tls->certificates = all = conf_loader_alloc(r->ld, (size_t)n * sizeof *all);
	for (int i = 0; i < n && !r->ld->full; i++)
		if (load_item(r, conf_source_item(list, i), &all[tls->n_certificates],
		              (uint32_t)tls->n_certificates))
			tls->n_certificates++;
}

static void load_single(struct conf_pem_reader *r, const config_setting_t *chain,
                        const config_setting_t *key)
{
	struct conf_tls *tls = &r->draft->service->tls;
	struct conf_certificate *made;

	if (!tls->chain || (key && !tls->key))
		return;                 /* it has been complained of */
	tls->certificates = made = conf_loader_alloc(r->ld, sizeof *made);
	made->chain = tls->chain;
	made->key = key ? tls->key : NULL;
	tls->n_certificates = load_pair(r, made, 0, chain, key);
}

/* The group that says which pairs there are: the service's own, or that of `defaults`. */
static const config_setting_t *find_layer(const struct conf_draft *d)
{
	const config_setting_t *layers[] = { conf_source_member(d->own, "tls"),
	                                     conf_source_member(d->defaults, "tls") };

	for (size_t i = 0; i < 2; i++)
		if (conf_source_member(layers[i], "chain") || conf_source_member(layers[i], "key") ||
		    conf_source_member(layers[i], "certificates"))
			return layers[i];
	return NULL;
}

static void load_pairs(struct conf_pem_reader *r)
{
	const config_setting_t *layer = find_layer(r->draft);
	const config_setting_t *list = conf_source_member(layer, "certificates");
	const config_setting_t *chain = conf_source_member(layer, "chain");
	const config_setting_t *key = conf_source_member(layer, "key");

	if (list && (chain || key))
		conf_source_complain(r->ld, chain ? chain : key, "cannot stand beside certificates (move the"
		                     " pair into that list)");
	else if (list)
		load_list(r, list);
	else if (chain)
		load_single(r, chain, key);
	else
		conf_source_complain(r->ld, conf_draft_origin(r->draft, "tls"), "needs a certificate (as in"
		                     " chain = \"/etc/letsencrypt/live/NAME/fullchain.pem\"; key ="
		                     " \"/etc/letsencrypt/live/NAME/privkey.pem\")");
}

static void warn_of_twins(struct conf_pem_reader *r)
{
	const struct conf_tls *tls = &r->draft->service->tls;
	size_t more = 0;
	const struct tls_name *first = NULL;

	for (size_t i = 1; i < r->n_names; i++) {
		const struct tls_name *n = &r->names[i];

		if (strcmp(n->name, n[-1].name) != 0 || n->certificate == n[-1].certificate)
			continue;
		more += first != NULL;
		first = first ? first : n;
	}
	if (first)
		conf_source_warn(r->ld, conf_draft_origin(r->draft, "tls"), "has several certificates for %s"
		                 " (%s is used)%s", first->name, tls->certificates[first[-1].certificate].chain,
		                 more ? ", and for more names" : "");
}

void conf_certificates_load(struct conf_pem_reader *r)
{
	struct conf_tls *tls = &r->draft->service->tls;

	load_pairs(r);
	tls->chain = tls->key = NULL;
	tls->names = r->ld->full ? NULL : tls_names_build(r->ld->arena, r->names, r->n_names);
	r->ld->full = !tls->names;
	warn_of_twins(r);
}

#endif

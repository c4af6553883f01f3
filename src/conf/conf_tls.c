/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides who speaks TLS, and checks how: versions, ciphers, groups, protocols, tickets. OpenSSL
 * passes over names of ciphers that it does not know; here each one is an error.
 */
#include <config.h>
#include "conf_tls.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_OPENSSL
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "conf_certificates.h"
#include "conf_client_ca.h"
#include "conf_ticket_keys.h"
#include "tls_key.h"
#include "tls_pem.h"
#endif

/* ---- listeners ---------------------------------------------------------- */

void conf_tls_complete(struct conf_loader *ld, const struct conf_draft *d,
                       const config_setting_t *setting, struct conf_listen *sockets, size_t n)
{
	const config_setting_t *own = conf_source_member(setting, "tls");
	const bool on = d->service->tls.on;

	if (n > 0 && own && sockets[0].tls && !on)
		conf_source_complain(ld, own, "needs tls = { ... } of the service");
	for (size_t i = 0; i < n; i++)
		sockets[i].tls &= on;
}

/* Whether a listener speaks it. */
static bool is_used(const struct conf_service *svc)
{
	bool used = false;

	for (size_t i = 0; i < svc->n_listen; i++)
		used |= svc->listen[i].tls;
	return used;
}

/* What came from `defaults` may be for other services. */
static bool is_wanted(struct conf_loader *ld, const struct conf_draft *d)
{
	const config_setting_t *own = conf_source_member(d->own, "tls");
	struct conf_tls *tls = &d->service->tls;

	if (tls->on && d->service->n_listen > 0 && !is_used(d->service)) {
		if (own)
			conf_source_complain(ld, own, "means nothing, because all listeners have tls = false");
		tls->on = false;
	}
	return tls->on;
}

#ifdef HAVE_OPENSSL

/* ---- ciphers and groups ------------------------------------------------- */

#define GROUPS_HYBRID  "X25519MLKEM768:X25519:P-256:P-384"
#define GROUPS         "X25519:P-256:P-384"

static int set_groups(SSL_CTX *ctx, const char *list)
{
	return (int)SSL_CTX_set1_groups_list(ctx, list);
}

/* The first word of list that OpenSSL refuses alone, which ends where *len says; NULL if there is none. */
static const char *find_wrong(SSL_CTX *ctx, const char *list, int (*set)(SSL_CTX *, const char *),
                              int *len)
{
	static const char separators[] = ":, ";
	char word[128];

	for (;;) {
		list += strspn(list, separators);
		*len = (int)strcspn(list, separators);
		if (*len == 0)
			return NULL;
		snprintf(word, sizeof word, "%.*s", *len, list);
		/* In a list of ciphers: what it does with those that follow; @ is a command. */
		if (word[0] != '@' && set(ctx, word + strspn(word, "!+-?*")) != 1)
			return list;
		list += *len;
	}
}

static void judge_list(struct conf_pem_reader *r, const char *key, const char *list,
                       int (*set)(SSL_CTX *, const char *))
{
	char path[64];
	const char *wrong;
	int len = 0;

	snprintf(path, sizeof path, "tls.%s", key);
	wrong = list ? find_wrong(r->scratch, list, set, &len) : NULL;
	if (wrong)
		conf_source_complain(r->ld, conf_draft_origin(r->draft, path), "names %.*s, which OpenSSL does"
		                     " not know here", len, wrong);
	else if (list && set(r->scratch, list) != 1)
		conf_source_complain(r->ld, conf_draft_origin(r->draft, path), "is refused by OpenSSL: %s",
		                     tls_pem_reason());
	ERR_clear_error();
}

static void judge_ciphers(struct conf_pem_reader *r)
{
	const config_setting_t *own =
		conf_source_member(conf_source_member(r->draft->own, "tls"), "ciphers");
	struct conf_tls *tls = &r->draft->service->tls;

	if (tls->min_version == TLS_VERSION_1_3) {
		if (own)
			conf_source_complain(r->ld, own, "are of TLS 1.2, and mean nothing with min_version ="
			                     " \"1.3\" (ciphersuites are of TLS 1.3)");
		tls->ciphers = NULL;
	}
	judge_list(r, "ciphers", tls->ciphers, SSL_CTX_set_cipher_list);
	judge_list(r, "ciphersuites", tls->ciphersuites, SSL_CTX_set_ciphersuites);
}

static void judge_groups(struct conf_pem_reader *r)
{
	struct conf_tls *tls = &r->draft->service->tls;

	if (!tls->groups)
		tls->groups = conf_loader_strdup(r->ld, set_groups(r->scratch, GROUPS_HYBRID) == 1 ?
		                                 GROUPS_HYBRID : GROUPS);
	judge_list(r, "groups", tls->groups, set_groups);
}

/* ---- the rest ----------------------------------------------------------- */

static void judge_alpn(struct conf_pem_reader *r)
{
	const char *const *alpn = r->draft->service->tls.alpn;
	size_t len = 0;

	for (size_t i = 0; alpn[i]; i++) {
		len += strlen(alpn[i]) + 1;
		if (strlen(alpn[i]) == 0 || strlen(alpn[i]) > 255)
			conf_source_complain(r->ld, conf_draft_origin(r->draft, "tls.alpn"), "holds a name of %zu"
			                     " bytes (1 to 255)", strlen(alpn[i]));
	}
	if (len > UINT16_MAX)
		conf_source_complain(r->ld, conf_draft_origin(r->draft, "tls.alpn"), "is too long (at most %d"
		                     " bytes)", UINT16_MAX);
}

static void judge_tickets(struct conf_pem_reader *r)
{
	const config_setting_t *own =
		conf_source_member(conf_source_member(r->draft->own, "tls"), "ticket_keys");
	struct conf_tls *tls = &r->draft->service->tls;

	if (tls->tickets && tls->ticket_keys)
		conf_ticket_keys_load(r);
	if (tls->tickets || !tls->ticket_keys)
		return;
	if (own)
		conf_source_complain(r->ld, own, "means nothing with tickets = false");
	tls->ticket_keys = NULL;
}

static void judge_all(struct conf_pem_reader *r)
{
	judge_ciphers(r);
	judge_groups(r);
	judge_alpn(r);
	judge_tickets(r);
	conf_certificates_load(r);
	conf_client_ca_load(r);
}

void conf_tls_check(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_pem_reader r = { .ld = ld, .draft = d, .now = time(NULL) };

	if (!is_wanted(ld, d))
		return;
	d->service->tls.place = conf_source_place(conf_draft_origin(d, "tls"));
	r.scratch = SSL_CTX_new(TLS_server_method());
	r.keys = tls_key_reader_new();
	if (!r.scratch || !r.keys)
		abort();                /* no memory */
	judge_all(&r);
	tls_chain_free(&r.last);
	tls_key_reader_free(r.keys);
	SSL_CTX_free(r.scratch);
	free(r.ders.items);
	free(r.names);
}

#else

void conf_tls_check(struct conf_loader *ld, const struct conf_draft *d)
{
	if (is_wanted(ld, d))
		conf_source_complain(ld, conf_draft_origin(d, "tls"), "needs a droverd that was built with"
		                     " OpenSSL");
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copies facts about a connection into what the module has room for.
 */
#include <config.h>
#include "module_facts.h"

#include <errno.h>
#include <string.h>

#include "module_worker.h"
#include "proxied.h"
#include "tls_link.h"

/* Cut to size - 1 bytes. Returns the whole length. */
static int copy(const char *text, char *buf, size_t size)
{
	const size_t len = text ? strlen(text) : 0;
	const size_t n = len < size ? len : size - 1;

	if (size > 0) {
		memcpy(buf, text ? text : "", n);
		buf[n] = '\0';
	}
	return (int)len;
}

int module_facts_endpoint(const struct drover_connection *handle, int side, struct drover_endpoint *e)
{
	struct connection *c = module_connection(handle);
	const struct endpoint *at = side == DROVER_PEER ? connection_peer(c) : connection_find_local(c);
	struct drover_endpoint all = { .size = e->size, .family = at->family, .port = at->port };

	if (at->family == AF_UNSPEC) {
		errno = ENOTCONN;
		return -1;
	}
	/* What a proxy names has no user here: the user of the socket is that of the proxy. */
	all.uid = side == DROVER_PEER && at->family == AF_UNIX && !connection_proxied(c) ? connection_user(c)
	                                                                                 : UINT32_MAX;
	endpoint_ip(at, all.ip, sizeof all.ip);
	if (at->family == AF_UNIX) {
		all.ip[0] = '\0';
		all.port = 0;
	}
	memcpy(e, &all, e->size < sizeof all ? e->size : sizeof all);
	return 0;
}

/* ---- TLS ------------------------------------------------------------------ */

static int of_certificate(const struct tls_link *l, int fact, char *buf, size_t size)
{
	struct tls_peer peer;
	int len;

	if (!tls_link_peer(l, &peer))
		return copy(fact == DROVER_TLS_VERIFY ? "NONE" : NULL, buf, size);
	len = copy(fact == DROVER_TLS_VERIFY ? "SUCCESS" : fact == DROVER_TLS_SUBJECT ? peer.subject :
	           fact == DROVER_TLS_ISSUER ? peer.issuer : fact == DROVER_TLS_SERIAL ? peer.serial :
	           peer.sha256, buf, size);
	tls_peer_free(&peer);
	return len;
}

static int of_link(const struct tls_link *l, int fact, char *buf, size_t size)
{
	struct tls_link_facts tls;

	tls_link_facts(l, &tls);
	switch (fact) {
	case DROVER_TLS_PROTOCOL:
		return copy(tls.version, buf, size);
	case DROVER_TLS_CIPHER:
		return copy(tls.cipher, buf, size);
	case DROVER_TLS_SNI:
		return copy(tls.sni, buf, size);
	case DROVER_TLS_VERIFY: case DROVER_TLS_SUBJECT: case DROVER_TLS_ISSUER: case DROVER_TLS_SERIAL:
	case DROVER_TLS_SHA256:
		return of_certificate(l, fact, buf, size);
	default:
		return copy(NULL, buf, size);
	}
}

/* What a proxy has said of a client that came to it over TLS. */
static int of_proxied(const struct proxied *p, int fact, char *buf, size_t size)
{
	switch (fact) {
	case DROVER_TLS_PROTOCOL:
		return copy(p->tls_version, buf, size);
	case DROVER_TLS_CIPHER:
		return copy(p->tls_cipher, buf, size);
	case DROVER_TLS_SNI:
		return copy(p->authority, buf, size);
	case DROVER_TLS_VERIFY:
		return copy(p->verify, buf, size);
	case DROVER_TLS_SUBJECT:
		return copy(p->subject, buf, size);
	default:
		return copy(NULL, buf, size);
	}
}

int module_facts_tls(const struct drover_connection *handle, int fact, char *buf, size_t size)
{
	const struct connection *c = module_connection(handle);
	const struct tls_link *l = connection_tls(c);
	const struct proxied *p = connection_proxied(c);

	if (l)
		return of_link(l, fact, buf, size);
	if (p && p->tls)
		return of_proxied(p, fact, buf, size);
	copy(NULL, buf, size);
	return -1;
}

int module_facts_id(const struct drover_connection *c, char *buf, size_t size)
{
	char id[CONNECTION_ID_MAX];

	return copy(connection_id(module_connection(c), id), buf, size);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names are those of UCSPI-TCP (tcp-environ(5)), of systemd's Accept=yes (systemd.socket(5)) and
 * of the SSL modules of Apache httpd.
 */
#include <config.h>
#include "client_facts.h"

#include <errno.h>
#include <string.h>

#include "environment.h"
#include "proxied.h"
#include "text.h"
#include "tls_link.h"
#include "worker.h"

/* Adds a variable; one whose value is NULL is not set. If there is no room for it, it is left out. */
static void add_fact(struct client_facts *f, const char *name, const char *value)
{
	struct text t = text_in(f->bytes + f->used, sizeof f->bytes - f->used);

	if (!value)
		return;
	text_add_string(&t, name);
	text_add_string(&t, "=");
	text_add_string(&t, value);
	if (f->n == CLIENT_FACTS_MAX || t.len == t.size - 1)
		return;
	f->strings[f->n++] = t.buf;
	f->used += t.len + 1;
}

static void add_port(struct client_facts *f, const char *name, const struct endpoint *e)
{
	char port[8];
	struct text t = text_in(port, sizeof port);

	text_add_number(&t, e->port);
	add_fact(f, name, port);
}

static void add_ends(struct client_facts *f, const struct connection *c)
{
	const struct endpoint *peer = connection_peer(c), *ours = connection_local(c);
	char remote[ADDRESS_TEXT_MAX], local[ADDRESS_TEXT_MAX];

	endpoint_ip(peer, remote, sizeof remote);
	endpoint_ip(ours, local, sizeof local);
	add_fact(f, "TCPREMOTEIP", remote);
	add_port(f, "TCPREMOTEPORT", peer);
	add_fact(f, "TCPLOCALIP", local);
	add_port(f, "TCPLOCALPORT", ours);
	add_fact(f, "REMOTE_ADDR", remote);
	add_port(f, "REMOTE_PORT", peer);
	if (peer->family == AF_INET6) {
		add_fact(f, "TCP6REMOTEIP", remote);
		add_port(f, "TCP6REMOTEPORT", peer);
		add_fact(f, "TCP6LOCALIP", local);
		add_port(f, "TCP6LOCALPORT", ours);
	}
}

static const char *protocol(sa_family_t family)
{
	return family == AF_INET ? "TCP" : family == AF_INET6 ? "TCP6" : "UNIX";
}

static void add_proxied(struct client_facts *f, const struct proxied *p)
{
	add_fact(f, "SSL_TLS_SNI", p->authority);
	if (!p->tls)
		return;
	add_fact(f, "SSL_PROTOCOL", p->tls_version);
	add_fact(f, "SSL_CIPHER", p->tls_cipher);
	add_fact(f, "SSL_CLIENT_VERIFY", p->verify);
	add_fact(f, "SSL_CLIENT_S_DN", p->subject);
}

/* Without memory for them, the facts are left out, and the client is as one without a certificate. */
static void add_certificate(struct client_facts *f, const struct tls_link *l)
{
	struct tls_peer peer;
	const bool shown = tls_link_peer(l, &peer);

	add_fact(f, "SSL_CLIENT_VERIFY", shown ? "SUCCESS" : "NONE");
	if (!shown)
		return;
	add_fact(f, "SSL_CLIENT_S_DN", peer.subject);
	add_fact(f, "SSL_CLIENT_I_DN", peer.issuer);
	add_fact(f, "SSL_CLIENT_M_SERIAL", peer.serial);
	add_fact(f, "SSL_CLIENT_SHA256", peer.sha256);
	tls_peer_free(&peer);
}

/* What TLS ends here says; a proxy may have said the same of its own. */
static void add_tls(struct client_facts *f, const struct tls_link *l)
{
	struct tls_link_facts tls;

	tls_link_facts(l, &tls);
	add_fact(f, "SSL_PROTOCOL", tls.version);
	add_fact(f, "SSL_CIPHER", tls.cipher);
	add_fact(f, "SSL_TLS_SNI", tls.sni[0] ? tls.sni : NULL);
	add_certificate(f, l);
}

void client_facts_collect(struct client_facts *f, const struct connection *c)
{
	const sa_family_t family = connection_peer(c)->family;
	const struct proxied *p = connection_proxied(c);
	const struct tls_link *tls = connection_tls(c);
	char id[CONNECTION_ID_MAX];

	f->n = f->used = 0;
	add_fact(f, "DROVER_CONNECTION", connection_id(c, id));
	add_fact(f, "PROTO", tls || (p && p->tls) ? "SSL" : protocol(family));
	if (family == AF_INET || family == AF_INET6)
		add_ends(f, c);
	if (p)
		add_fact(f, "DROVER_UNIQUE_ID", p->unique_id);
	if (tls)
		add_tls(f, tls);
	else if (p)
		add_proxied(f, p);
}

char *client_facts_subject(const struct connection *c)
{
	const struct tls_link *tls = connection_tls(c);
	const struct proxied *p = connection_proxied(c);
	struct tls_peer peer;
	char *subject;

	if (!tls)
		return strdup(p && p->subject ? p->subject : "-");
	if (!tls_link_peer(tls, &peer))
		return errno == ENOMEM ? NULL : strdup("-");
	subject = strdup(peer.subject);
	tls_peer_free(&peer);
	return subject;
}

char **client_facts_environment(struct client_facts *f, const struct connection *c)
{
	client_facts_collect(f, c);
	return environment_with(&connection_worker(c)->programs.environment, f->strings, f->n);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copies the values of a PROXY header, escaped, behind the struct that points to them.
 */
#include <config.h>
#include "proxied.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define ESCAPED 4                       /* bytes that one byte can become: \xNN */
#define FIXED   64                      /* room for what is not a value: "FAILED:4294967295", "CN=" */

static bool is_kept(const struct proxy_text *value)
{
	return value->len > 0 && value->len <= PROXIED_VALUE_MAX;
}

static size_t room_for(const struct proxy_text *value)
{
	return is_kept(value) ? ESCAPED * value->len + 1 : 0;
}

/* Ends a text in the room that is left; the next one begins behind it. */
static const char *end_text(struct text *t)
{
	const char *begin = t->buf;

	*t = text_in(t->buf + t->len + 1, t->size - t->len - 1);
	return begin;
}

/* A client chooses the host name that it asks for: with blanks in it, it could forge words of a log line. */
static const char *keep(struct text *t, const struct proxy_text *value)
{
	if (!is_kept(value))
		return NULL;
	for (size_t i = 0; i < value->len; i++) {
		const unsigned char c = (unsigned char)value->bytes[i];

		text_add(t, c <= ' ' || c > '~' || c == '\\' ? "\\x%02x" : "%c", c);
	}
	return end_text(t);
}

/* ---- the certificate ---------------------------------------------------- */

/* RFC 2253, section 2.4; control characters and bytes outside ASCII as OpenSSL writes them. */
static void add_dn_byte(struct text *t, char byte, bool is_first, bool is_last)
{
	const unsigned char c = (unsigned char)byte;

	if (c < 0x20 || c > 0x7e)
		text_add(t, "\\%02X", c);
	else if (strchr(",+\"\\<>;", c) || (c == '#' && is_first) || (c == ' ' && (is_first || is_last)))
		text_add(t, "\\%c", c);
	else
		text_add(t, "%c", c);
}

static const char *keep_subject(struct text *t, const struct proxy_text *common_name)
{
	if (!is_kept(common_name))
		return NULL;
	text_add_string(t, "CN=");
	for (size_t i = 0; i < common_name->len; i++)
		add_dn_byte(t, common_name->bytes[i], i == 0, i + 1 == common_name->len);
	return end_text(t);
}

static const char *keep_verify(struct text *t, const struct proxy_ssl *ssl)
{
	if (!ssl->has_certificate)
		return "NONE";
	if (ssl->verify == 0)
		return "SUCCESS";
	text_add(t, "FAILED:%lu", (unsigned long)ssl->verify);
	return end_text(t);
}

static void keep_tls(struct proxied *p, struct text *t, const struct proxy_ssl *ssl)
{
	p->tls = ssl->used;
	if (!ssl->used)
		return;
	p->tls_version = keep(t, &ssl->version);
	p->tls_cipher = keep(t, &ssl->cipher);
	p->verify = keep_verify(t, ssl);
	if (ssl->has_certificate && ssl->verify == 0)   /* any other name is only the client's word */
		p->subject = keep_subject(t, &ssl->common_name);
}

struct proxied *proxied_new(const struct proxy_header *h, const struct endpoint *peer,
                            const struct endpoint *local)
{
	const struct proxy_tlvs *tlvs = &h->tlvs;
	const size_t room = FIXED + room_for(&tlvs->unique_id) + room_for(&tlvs->authority) +
	                    room_for(&tlvs->ssl.version) + room_for(&tlvs->ssl.cipher) +
	                    room_for(&tlvs->ssl.common_name);
	struct proxied *p = malloc(sizeof *p + room);
	struct text t;

	if (!p)
		return NULL;
	*p = (struct proxied){ .peer = *peer, .local = *local };
	t = text_in((char *)(p + 1), room);
	p->unique_id = keep(&t, &tlvs->unique_id);
	p->authority = keep(&t, &tlvs->authority);
	keep_tls(p, &t, &tlvs->ssl);
	return p;
}

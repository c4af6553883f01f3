/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stands for tls_link.c in a drover that was built without OpenSSL. The configuration has no TLS
 * then, so none of these functions is ever called. With OpenSSL this file is empty.
 */
#include <config.h>
#include "tls_link.h"

#ifndef HAVE_OPENSSL

#include <stdlib.h>

struct tls_link *tls_link_new(struct tls_context *t, int fd)
{
	(void)t;
	(void)fd;
	abort();
}

void tls_link_free(struct tls_link *l)
{
	(void)l;
}

void tls_link_stir(struct tls_link *l, bool at_end)
{
	(void)l;
	(void)at_end;
}

enum tls_progress tls_link_handshake(struct tls_link *l)
{
	(void)l;
	abort();
}

ssize_t tls_link_receive(struct tls_link *l, char *bytes, size_t size)
{
	(void)l;
	(void)bytes;
	(void)size;
	abort();
}

ssize_t tls_link_send(struct tls_link *l, const char *bytes, size_t len)
{
	(void)l;
	(void)bytes;
	(void)len;
	abort();
}

int tls_link_break_off(struct tls_link *l)
{
	(void)l;
	abort();
}

int tls_link_end(struct tls_link *l)
{
	(void)l;
	abort();
}

#define IS_NOT(name) \
	bool name(const struct tls_link *l) \
	{ \
		(void)l; \
		return false; \
	}

IS_NOT(tls_link_is_ending)
IS_NOT(tls_link_has_unread)
IS_NOT(tls_link_is_at_end)
IS_NOT(tls_link_receives_after_room)
IS_NOT(tls_link_sends_after_bytes)
IS_NOT(tls_link_has_failed)
IS_NOT(tls_link_was_cut)
IS_NOT(tls_link_has_begun)

void tls_link_facts(const struct tls_link *l, struct tls_link_facts *f)
{
	(void)l;
	*f = (struct tls_link_facts){ 0 };
}

bool tls_link_peer(const struct tls_link *l, struct tls_peer *p)
{
	(void)l;
	*p = (struct tls_peer){ 0 };
	return false;
}

void tls_peer_free(struct tls_peer *p)
{
	(void)p;
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the header that a proxy sends before the bytes of a connection, to say who the client is:
 * the PROXY protocol, version 1 (text) and 2 (binary). It does not know where the bytes come from,
 * nor whether their sender may be believed; proxy_protocol.h writes such headers.
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
 */
#ifndef DROVER_BASE_PROXY_HEADER_H
#define DROVER_BASE_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "proxy_tlv.h"

/*
 * The longest headers. The specification limits version 1. For version 2 the limit is ours: the
 * header could announce 64 kB, and proxies send a few hundred bytes.
 */
#define PROXY_HEADER_V1_MAX 107
#define PROXY_HEADER_V2_MAX (16 + 4096)

enum proxy_versions {                   /* which headers are accepted, a bit for each version */
	PROXY_OFF = 0,
	PROXY_V1  = 1,
	PROXY_V2  = 2,
	PROXY_ANY = PROXY_V1 | PROXY_V2,
};

enum proxy_header_status {
	PROXY_HEADER_MORE,              /* the bytes can be the begin of a header; more are needed */
	PROXY_HEADER_OK,
	PROXY_HEADER_BAD,               /* they are no header, whatever follows */
};

struct proxy_header {
	size_t            len;          /* bytes of the header; what follows is the client's */
	bool              names_client; /* false: UNKNOWN, LOCAL and the like; the rest is empty then */
	struct endpoint   from, to;     /* the client, and what it connected to; also of family AF_UNIX */
	struct proxy_tlvs tlvs;         /* refers to the bytes that were read */
	const char       *why;          /* BAD: what is wrong, in a few words */
};

/*
 * Reads a header of one of these versions (not PROXY_OFF) at the begin of len bytes, in which
 * bytes of the client may follow. *h is filled with OK; with BAD only h->why is, and with MORE
 * nothing is. A header is BAD as soon as no bytes that follow could make it a valid one, except that
 * the words in a line of version 1 are judged when its end has come.
 *
 * An IPv4-mapped IPv6 address becomes IPv4, as endpoint_of does it. Version 1 has it as
 * "::ffff:192.0.2.1": the specification does not mention that form, but inet_ntop(3) makes it, so
 * that HAProxy and nginx send it. Datagram transports are treated as UNSPEC, as the specification
 * says of what a receiver does not support. Families and transports that it does not combine are
 * BAD.
 */
enum proxy_header_status proxy_header_read(enum proxy_versions versions, const char *bytes, size_t len,
                                           struct proxy_header *h);

#endif

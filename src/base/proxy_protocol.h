/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The header that a proxy sends before the bytes of a connection, to say who the client is:
 * the PROXY protocol, version 1 (text) and 2 (binary). It does not know where the header goes.
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
 */
#ifndef DROVER_BASE_PROXY_PROTOCOL_H
#define DROVER_BASE_PROXY_PROTOCOL_H

#include "address.h"

#define PROXY_PROTOCOL_MAX 128          /* room for any header, with NUL */

/*
 * Both write a header to buf and return its length. If the two ends are not both IPv4 or both
 * IPv6, version 1 says UNKNOWN and version 2 says LOCAL. IPv6 zones are left out.
 */
size_t proxy_protocol_v1(char buf[static PROXY_PROTOCOL_MAX], const struct endpoint *from,
                       const struct endpoint *to);
size_t proxy_protocol_v2(char buf[static PROXY_PROTOCOL_MAX], const struct endpoint *from,
                       const struct endpoint *to);

#endif

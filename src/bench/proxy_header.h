/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The header that a proxy puts before a connection, to say who the client is:
 * the PROXY protocol, version 1 (text) and 2 (binary).
 */
#ifndef DROVER_BENCH_PROXY_HEADER_H
#define DROVER_BENCH_PROXY_HEADER_H

#include "address.h"

#define PROXY_HEADER_MAX 128

/*
 * Both return the length. Where the two addresses are not of one family of IP
 * there is nothing to say: version 1 says UNKNOWN, version 2 LOCAL.
 */
size_t proxy_header_v1(char buf[static PROXY_HEADER_MAX], const struct endpoint *from,
                       const struct endpoint *to);
size_t proxy_header_v2(char buf[static PROXY_HEADER_MAX], const struct endpoint *from,
                       const struct endpoint *to);

#endif

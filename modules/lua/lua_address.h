/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses that a script connects to. Names are looked up nowhere: that would stop the worker.
 */
#ifndef DROVER_LUA_ADDRESS_H
#define DROVER_LUA_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

/*
 * host is an IPv4 or IPv6 address in numbers, or "unix:/path" or "unix:@name", for which port does not
 * count. Returns NULL and *address with its length, or why it is none.
 */
const char *lua_address_parse(const char *host, int64_t port, struct sockaddr_storage *address,
                              socklen_t *len);

#endif

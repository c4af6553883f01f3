/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Socket addresses of listeners and peers. They are numeric: names are looked up by the
 * configuration (conf_address.c).
 */
#ifndef DROVER_BASE_ADDRESS_H
#define DROVER_BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* An address to bind, of any family that we serve. */
struct address {
	socklen_t len;                  /* bytes of u that count; 0: none */
	union {
		struct sockaddr     sa;
		struct sockaddr_in  in;
		struct sockaddr_in6 in6;
		struct sockaddr_un  un;
	} u;
};

/* One end of a connection, small, with IPv4-mapped addresses made IPv4. */
struct endpoint {
	sa_family_t family;             /* AF_INET, AF_INET6, AF_UNIX; 0: unknown */
	in_port_t   port;               /* host byte order; 0 for AF_UNIX */
	uint32_t    scope;              /* IPv6 zone, for link-local addresses */
	uint8_t     ip[16];             /* the first 4 for AF_INET */
};

#define ADDRESS_TEXT_MAX 128            /* room for any address below, with NUL */

/* Bytes of a unix socket's path, or of '@' and an abstract name. */
#define ADDRESS_UNIX_MAX (sizeof ((struct sockaddr_un *)0)->sun_path - 1)

/* Parses a sockaddr; a family that is not known becomes family 0. */
struct endpoint endpoint_of(const struct sockaddr *sa, socklen_t len);

/* "127.0.0.1:80", "[::1]:80", "unix", or "unknown". Returns buf. */
const char *endpoint_format(const struct endpoint *e, char *buf, size_t size);

/* Only the address: "127.0.0.1", "::1"; "" for a unix socket. Returns buf. */
const char *endpoint_ip(const struct endpoint *e, char *buf, size_t size);

/* "127.0.0.1:80", "[::1]:80", "unix:/path", "unix:@name". Returns buf. */
const char *address_format(const struct address *a, char *buf, size_t size);

/*
 * Makes *a the unix socket of that name: an absolute path, or '@' and an abstract
 * name, as in unix(7). a->len includes the NUL of a path; an abstract name has none,
 * because each byte of it is part of the name. 0, or -1 with errno, and *a as it was:
 * EINVAL if it is neither, ENAMETOOLONG if it has more than ADDRESS_UNIX_MAX bytes.
 */
int address_set_unix(struct address *a, const char *name);

/*
 * The same for any path, also a relative one; '@' means nothing in it. ENOENT if it
 * is empty: that would be an abstract name.
 */
int address_set_path(struct address *a, const char *path);

/* The port in host byte order; 0 where there is none. */
in_port_t address_port(const struct address *a);
void address_set_port(struct address *a, in_port_t port);

/* 0.0.0.0 or :: */
bool address_is_wildcard(const struct address *a);
bool address_equal(const struct address *a, const struct address *b);

/* Orders all addresses, as strcmp(3) does: 0 for those that are equal. */
int address_compare(const struct address *a, const struct address *b);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which certificate is for a name that a client asks for (SNI): that with the exact name, else
 * that with the wildcard for its first label. Lies in an arena, and does not change.
 */
#ifndef DROVER_TLS_CERTIFICATES_TLS_NAMES_H
#define DROVER_TLS_CERTIFICATES_TLS_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

struct tls_name {
	const char *name;               /* in lower case; "*.example.com": of one label before the dot */
	uint32_t    certificate;        /* its index */
};

struct tls_names {
	size_t          n;
	struct tls_name names[];        /* sorted, each name once */
};

/*
 * Builds the index in the arena, and sorts entries. The texts are lent as long as the index. Of a
 * name that several certificates have, the certificate with the lowest index is found. NULL with
 * errno if the arena is full.
 */
struct tls_names *tls_names_build(struct arena *a, struct tls_name *entries, size_t n);

/* The index of the certificate for a name in any case, with or without a dot at its end; -1: none. */
int tls_names_find(const struct tls_names *names, const char *name);

#endif

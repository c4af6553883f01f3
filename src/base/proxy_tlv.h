/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a header of the PROXY protocol, version 2, says beside two addresses: a list of type, length
 * and value (section 2.2 of https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). The
 * meaning of each value is left to the reader of struct proxy_tlvs.
 */
#ifndef DROVER_BASE_PROXY_TLV_H
#define DROVER_BASE_PROXY_TLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROXY_TLV_UNIQUE_ID_MAX 128     /* bytes of a unique id, by the specification */

struct proxy_text {                     /* untrusted bytes inside the header, without NUL at the end */
	const char *bytes;              /* NULL: the header has none */
	size_t      len;
};

struct proxy_ssl {                      /* the TLS connection between the client and the proxy */
	bool              used;         /* the client came over TLS; if not, the rest is empty */
	bool              has_certificate; /* the client has shown one, in this or an earlier connection */
	uint32_t          verify;       /* 0: the proxy has verified it; else its reason not to accept it */
	struct proxy_text version, cipher; /* as "TLSv1.3", "ECDHE-RSA-AES128-GCM-SHA256" */
	struct proxy_text common_name;  /* of the certificate's subject */
};

struct proxy_tlvs {
	struct proxy_text unique_id;    /* at most PROXY_TLV_UNIQUE_ID_MAX bytes */
	struct proxy_text authority;    /* the host name that the client asked for: SNI */
	struct proxy_ssl  ssl;
};

/*
 * Reads the TLVs of a header, from its byte `at` to its end, len. Types that are not in
 * struct proxy_tlvs are skipped; if a type comes twice, the first counts. A checksum is compared
 * with the whole header. Returns NULL, and *out refers to bytes of the header; or says what is
 * wrong, in a few words, and *out is undefined.
 */
const char *proxy_tlv_read(const char *header, size_t len, size_t at, struct proxy_tlvs *out);

#endif

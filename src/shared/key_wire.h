/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker and the key process say to each other: one request, one answer. Both come from
 * the same program, but neither trusts the other: all that is received is checked.
 */
#ifndef DROVER_SHARED_KEY_WIRE_H
#define DROVER_SHARED_KEY_WIRE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_MAGIC         0x6b657931u   /* "key1" */
#define KEY_SIGNATURE_MAX 2048          /* bytes: RSA with 16384 bits */
#define KEY_DATA_MAX      3072          /* bytes: with TLS 1.2, Ed25519 signs the parameters themselves */

enum key_scheme {
	KEY_RSA_PKCS1,                  /* data is a digest */
	KEY_RSA_PSS,                    /* likewise; the salt is as long as the digest */
	KEY_ECDSA,                      /* likewise */
	KEY_EDDSA,                      /* data is the message */
	KEY_SCHEMES,
};

enum key_digest { KEY_NO_DIGEST, KEY_SHA224, KEY_SHA256, KEY_SHA384, KEY_SHA512, KEY_DIGESTS };

struct key_request {
	uint32_t magic;
	uint32_t number;                /* the answer has it, too */
	uint32_t key;                   /* index among the certificates of the service */
	uint16_t scheme, digest;        /* enum key_scheme, enum key_digest */
	uint32_t len;                   /* of data; what follows is not sent */
	uint8_t  data[KEY_DATA_MAX];
};

enum key_status {
	KEY_SIGNED,
	KEY_UNKNOWN,                    /* the service has no such key, or it could not be read */
	KEY_REFUSED,                    /* the key cannot sign in that way */
	KEY_FAILED,                     /* OpenSSL could not */
	KEY_STATUSES,
};

struct key_answer {
	uint32_t magic;
	uint32_t number;                /* of the request */
	uint32_t status;                /* enum key_status */
	uint32_t len;                   /* of data; what follows is not sent; 0 unless SIGNED */
	uint8_t  data[KEY_SIGNATURE_MAX];
};

/* One write to a pipe each: all of it or nothing. */
_Static_assert(sizeof(struct key_request) <= PIPE_BUF && sizeof(struct key_answer) <= PIPE_BUF,
               "a message fits in a packet of a pipe");

/* "SHA2-256" and so on, as EVP_MD_fetch(3) knows it; NULL for KEY_NO_DIGEST and what is none. */
const char *key_digest_name(enum key_digest digest);

/* Whether n bytes that were received are a whole message in all its parts. */
bool key_request_is_whole(const struct key_request *r, size_t n);
bool key_answer_is_whole(const struct key_answer *a, size_t n);

/* Bytes to be sent. */
size_t key_request_size(const struct key_request *r);
size_t key_answer_size(const struct key_answer *a);

/*
 * The ends that one side has: two pipes in packet mode, which keep the bounds of messages and
 * carry no descriptors (fd_passing.h).
 */
struct key_channel {
	int requests;
	int answers;
};

#define KEY_CHANNEL_NONE ((struct key_channel){ -1, -1 })

/* Opens all four ends, close-on-exec and non-blocking. 0, or -1 with errno and both { -1, -1 }. */
int key_channel_open(struct key_channel *holder, struct key_channel *worker);
void key_channel_close(struct key_channel *c);

#endif

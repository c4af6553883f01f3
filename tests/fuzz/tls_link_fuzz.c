/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes from a client to the server's side of TLS, in pieces: the first byte of the input says
 * whether clients must show certificates, and how long the pieces are. Without the client's secrets
 * no handshake can be completed, so that it must fail, or wait for more, and say so in the same way
 * from then on.
 */
#include <config.h>

#include "fuzz.h"

#ifdef HAVE_OPENSSL

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arena.h"
#include "conf.h"
#include "fd.h"
#include "tls_context.h"
#include "tls_key.h"
#include "tls_keys.h"
#include "tls_link.h"
#include "tls_names.h"

enum { ASKS_NOTHING, ASKS_CERTIFICATES, CONTEXTS };

static const char *no_protocols[] = { NULL };
static struct conf_bytes der;
static struct conf_certificate certificate = { .der = &der, .n_der = 1 };
static struct conf_tls tls[CONTEXTS];
static struct tls_context *contexts[CONTEXTS];

/* ---- the service -------------------------------------------------------- */

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();

	X509_set_version(x, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	assert(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

/* Private keys come from files: this one has no name. */
static const char *write_key(EVP_PKEY *key)
{
	static char path[64];
	const int fd = memfd_create("key", MFD_CLOEXEC);
	FILE *f = fdopen(fd, "w");

	assert(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fflush(f) == 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return path;            /* as long as f is open, which is for good */
}

static void describe(EVP_PKEY *key)
{
	X509 *x = make_certificate(key);
	unsigned char *bytes = NULL;

	der.len = (size_t)i2d_X509(x, &bytes);
	der.data = bytes;
	certificate.chain = certificate.key = write_key(key);
	assert(tls_key_sha256(key, certificate.spki_sha256));
	X509_free(x);
}

static void make_contexts(void)
{
	static struct arena arena;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char why[KEY_FILE_WHY];

	describe(key);
	assert(arena_open(&arena, 65536) == 0);
	for (int i = 0; i < CONTEXTS; i++) {
		tls[i] = (struct conf_tls){
			.on = true, .certificates = &certificate, .n_certificates = 1, .tickets = true,
			.names = tls_names_build(&arena, NULL, 0), .alpn = no_protocols,
			.client_auth = i == ASKS_CERTIFICATES ? TLS_CLIENT_REQUIRED : TLS_CLIENT_NONE,
			.ca = &der, .n_ca = 1,
		};
		contexts[i] = tls_context_new(&tls[i], "fuzz", tls_keys_open(&tls[i], NULL, why), why, sizeof why);
		assert(contexts[i]);
	}
	EVP_PKEY_free(key);
}

/* ---- the client --------------------------------------------------------- */

static void read_away(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
}

static void check_failure(struct tls_link *l)
{
	struct tls_link_facts facts;
	char byte;

	tls_link_facts(l, &facts);
	assert(facts.error && facts.error[0] && !facts.version && !strchr(facts.why, ' '));
	assert(tls_link_has_failed(l) && tls_link_handshake(l) == TLS_FAILED);
	assert(tls_link_receive(l, &byte, 1) == -1 && !fd_not_yet(errno));
	assert(tls_link_send(l, "x", 1) == -1);
	tls_link_end(l);
	tls_link_end(l);
}

static enum tls_progress talk(struct tls_link *l, int fd, const uint8_t *data, size_t size, size_t piece)
{
	enum tls_progress p = TLS_UNDER_WAY;

	while (size > 0 && p == TLS_UNDER_WAY) {
		const ssize_t n = send(fd, data, size < piece ? size : piece, MSG_DONTWAIT | MSG_NOSIGNAL);

		assert(n > 0);          /* all that was sent before has been received */
		data += n;
		size -= (size_t)n;
		tls_link_stir(l, false);
		p = tls_link_handshake(l);
		assert(p != TLS_ESTABLISHED);
		read_away(fd);
	}
	return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int ends[2];
	struct tls_link *l;
	enum tls_progress p;

	if (size < 1)
		return 0;
	if (!contexts[0])
		make_contexts();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == -1)
		abort();
	l = tls_link_new(contexts[data[0] & 1], ends[0]);
	assert(l);
	p = talk(l, ends[1], data + 1, size - 1, (size_t)1 + (data[0] >> 1) * 37u);
	if (p == TLS_UNDER_WAY) {
		shutdown(ends[1], SHUT_WR);
		tls_link_stir(l, true);
		p = tls_link_handshake(l);
	}
	assert(p == TLS_FAILED);
	check_failure(l);
	tls_link_free(l);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

#else

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
	return 0;
}

#endif

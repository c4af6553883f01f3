/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes from a client to the server's side of TLS, in pieces: the first byte of the input says
 * whether clients must show certificates, and how long the pieces are. Without the client's secrets
 * no handshake can be completed, so that it must fail, or wait for more, and say so in the same way
 * from then on.
 */
#include <config.h>

#include "fuzz.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "fuzz_tls.h"
#include "tls_link.h"

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

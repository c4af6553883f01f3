/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of TLS and the server's side of it do what the input says, and the input damages what the
 * client sends, adds bytes to it, and cuts it off. Whatever it does: each side gets what the other has
 * sent, from its begin and in order; and the end of the client's bytes is only reported if the client has
 * said so.
 *
 * The first byte chooses the version. Then each step has two bytes: what happens, and how much of it.
 */
#include <config.h>

#include "fuzz.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "fuzz_tls.h"
#include "tls_link.h"

#define PIECE_MAX 65536

enum step {
	STEP_SHAKE_HANDS,
	STEP_CLIENT_WRITES,
	STEP_CLIENT_READS,
	STEP_CLIENT_WANTS_KEYS,
	STEP_CLIENT_SAYS_END,
	STEP_CLIENT_CUTS,
	STEP_DAMAGE,                    /* the byte at that offset in what the client sends next */
	STEP_BYTES,                     /* of the input, between what the client sends */
	STEP_SERVER_RECEIVES,
	STEP_SERVER_SENDS,
	STEP_SERVER_ENDS,
	STEPS,
};

static SSL_CTX *client_context;
static SSL *client;
static struct tls_link *server;
static int wire, server_wire;
static size_t client_sent, server_got, server_sent, client_got;
static size_t server_owes;              /* what tls_link_send must be offered again */
static int damage;                      /* an offset; -1: none */
static bool established, said_end, was_cut, server_failed, server_ended;

/* The byte at that position, in either direction. */
static char pattern(size_t at)
{
	return (char)(at * 7 + at / 251);
}

static const char *pattern_at(size_t at, size_t len)
{
	static char bytes[PIECE_MAX];

	for (size_t i = 0; i < len; i++)
		bytes[i] = pattern(at + i);
	return bytes;
}

static void check_pattern(const char *bytes, size_t len, size_t at)
{
	for (size_t i = 0; i < len; i++)
		assert(bytes[i] == pattern(at + i));
}

/* ---- the wire ----------------------------------------------------------- */

static void put_on_wire(const void *bytes, size_t len)
{
	if (!was_cut && send(wire, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len) {
		shutdown(wire, SHUT_WR);        /* there is no room: the rest would come too early */
		was_cut = true;
	}
}

static void carry(void)
{
	static char bytes[PIECE_MAX];
	ssize_t n;
	int len;

	while ((len = BIO_read(SSL_get_wbio(client), bytes, sizeof bytes)) > 0) {
		if (damage >= 0 && damage < len)
			bytes[damage] ^= 0x10;
		damage = damage < len ? -1 : damage;
		put_on_wire(bytes, (size_t)len);
	}
	while ((n = recv(wire, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
		BIO_write(SSL_get_rbio(client), bytes, (int)n);
}

/* ---- the server --------------------------------------------------------- */

static void shake_hands(void)
{
	enum tls_progress p;

	for (int i = 0; i < 4; i++) {
		SSL_do_handshake(client);
		carry();
		if (established || server_failed)
			continue;
		tls_link_stir(server, was_cut);
		p = tls_link_handshake(server);
		established = p == TLS_ESTABLISHED;
		server_failed = p == TLS_FAILED;
		carry();
	}
	ERR_clear_error();
}

static void check_failed(void)
{
	struct tls_link_facts facts;

	tls_link_facts(server, &facts);
	assert(tls_link_has_failed(server) && facts.error && facts.error[0]);
	server_failed = true;
}

/* Nothing waits in the socket, and the link says that it has nothing: then it has nothing. */
static void check_empty(size_t room)
{
	char byte;
	int waiting = 0;

	if (room == 0 || was_cut || tls_link_has_unread(server) || ioctl(server_wire, FIONREAD, &waiting) == -1 ||
	    waiting > 0)
		return;
	assert(tls_link_receive(server, &byte, 1) == -1 && errno == EAGAIN);
}

static void receive(size_t room)
{
	static char bytes[PIECE_MAX];
	ssize_t n;

	tls_link_stir(server, was_cut);
	n = tls_link_receive(server, bytes, room);
	assert(n <= (ssize_t)room);
	if (n > 0) {
		check_pattern(bytes, (size_t)n, server_got);
		server_got += (size_t)n;
		assert(server_got <= client_sent);
		check_empty(room);
	} else if (n == 0) {
		assert(said_end && server_got == client_sent);
		assert(tls_link_is_at_end(server));
	} else if (!fd_not_yet(errno)) {
		check_failed();
		assert(tls_link_receive(server, bytes, room) == -1 && !fd_not_yet(errno));
	}
}

static void server_sends(size_t len)
{
	ssize_t n;

	if (len < server_owes)
		len = server_owes;
	tls_link_stir(server, was_cut);
	n = tls_link_send(server, pattern_at(server_sent, len), len);
	assert(n <= (ssize_t)len);
	if (n >= 0)
		server_sent += (size_t)n;
	else if (!fd_not_yet(errno))
		check_failed();
	server_owes = n >= 0 ? len - (size_t)n : len;
}

/* If it has failed, and the caller knows that, what comes from then on is thrown away. */
static void server_ends(void)
{
	server_ended = tls_link_end(server) == 0 || !tls_link_is_ending(server);
	server_failed |= tls_link_has_failed(server) && !tls_link_has_unread(server);
}

/* ---- the client --------------------------------------------------------- */

static void client_reads(size_t room)
{
	static char bytes[PIECE_MAX];
	size_t n;

	ERR_clear_error();
	if (SSL_read_ex(client, bytes, room, &n) != 1)
		return;
	check_pattern(bytes, n, client_got);
	client_got += n;
	assert(client_got <= server_sent + server_owes);
}

static void client_writes(size_t len)
{
	size_t n;

	ERR_clear_error();
	if (len > 0 && !said_end && SSL_write_ex(client, pattern_at(client_sent, len), len, &n) == 1)
		client_sent += n;
}

static void client_wants_keys(void)
{
	ERR_clear_error();
	if (SSL_version(client) == TLS1_3_VERSION)
		SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED);
	else
		SSL_renegotiate(client);
	SSL_do_handshake(client);
}

static void client_cuts(void)
{
	shutdown(wire, SHUT_WR);
	was_cut = true;
}

/* ---- the play ----------------------------------------------------------- */

static void act_in_session(enum step step, size_t much)
{
	if (step == STEP_SERVER_RECEIVES && !server_failed)
		receive(1 + much * much);
	else if (step == STEP_SERVER_SENDS && !server_failed && !server_ended)
		server_sends(much * 200);
	else if (step == STEP_SERVER_ENDS && server_owes == 0)
		server_ends();
}

static void act(enum step step, size_t much)
{
	if (step == STEP_SHAKE_HANDS)
		shake_hands();
	else if (step == STEP_CLIENT_WRITES)
		client_writes(much * 100);
	else if (step == STEP_CLIENT_READS)
		client_reads(1 + much * much);
	else if (step == STEP_CLIENT_WANTS_KEYS)
		client_wants_keys();
	else if (step == STEP_CLIENT_SAYS_END)
		said_end |= SSL_shutdown(client) >= 0;
	else if (step == STEP_CLIENT_CUTS)
		client_cuts();
	else if (step == STEP_DAMAGE)
		damage = (int)much;
	else if (established)
		act_in_session(step, much);
	carry();
}

static void play(const uint8_t *data, size_t size)
{
	while (size >= 2) {
		const enum step step = data[0] % STEPS;
		size_t much = data[1];

		data += 2;
		size -= 2;
		if (step != STEP_BYTES) {
			act(step, much);
			continue;
		}
		much = much < size ? much : size;
		put_on_wire(data, much);
		data += much;
		size -= much;
	}
}

static void set_up(int version)
{
	int ends[2];

	if (!client_context) {
		make_contexts();
		client_context = SSL_CTX_new(TLS_client_method());
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == -1)
		abort();
	wire = ends[1];
	server_wire = ends[0];
	server = tls_link_new(contexts[ASKS_NOTHING], server_wire);
	client = SSL_new(client_context);
	assert(server && client);
	SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(client);
	SSL_set_min_proto_version(client, version);
	SSL_set_max_proto_version(client, version);
	client_sent = server_got = server_sent = client_got = server_owes = 0;
	damage = -1;
	established = said_end = was_cut = server_failed = server_ended = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	set_up(data[0] & 1 ? TLS1_3_VERSION : TLS1_2_VERSION);
	play(data + 1, size - 1);
	tls_link_free(server);
	SSL_free(client);
	close(wire);
	close(server_wire);
	ERR_clear_error();
	return 0;
}

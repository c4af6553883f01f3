/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS connections with a client in the same process: handshakes that work and that fail, bytes
 * through small sockets, ends, and clients that misbehave.
 */
#include <config.h>
#include "tls_link.h"

#include <netinet/in.h>

#include "tls_harness.h"

static int ends[2] = { -1, -1 };        /* the server's, the client's */
static struct tls_link *server;
static SSL *client;

/* ---- both sides --------------------------------------------------------- */

static void open_sockets(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
}

static void set_up(void)
{
	unit_block_sigpipe();
	tls_set_up();
	open_sockets();
}

static void drop_sides(void)
{
	SSL_free(client);
	tls_link_free(server);
	client = NULL;
	server = NULL;
	for (int i = 0; i < 2; i++)
		if (ends[i] != -1)
			close(ends[i]);
	ends[0] = ends[1] = -1;
}

static void tear_down(void)
{
	drop_sides();
	tls_tear_down();
}

static void begin(int version, const char *name)
{
	server = tls_link_new(tls_context, ends[0]);
	ck_assert_ptr_nonnull(server);
	client = tls_make_client(ends[1], version, name);
}

/* As the loop does before each call. */
static enum tls_progress serve(void)
{
	tls_link_stir(server, false);
	return tls_link_handshake(server);
}

/* Both go on until neither moves any more. Returns what the server says. */
static enum tls_progress shake_hands(void)
{
	enum tls_progress p = TLS_UNDER_WAY;

	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(client);
		if (p == TLS_UNDER_WAY)
			p = serve();
	}
	return p;
}

static void establish(int version, const char *name)
{
	begin(version, name);
	ck_assert_int_eq(shake_hands(), TLS_ESTABLISHED);
	ck_assert_int_eq(SSL_is_init_finished(client), 1);
}

static ssize_t receive(char *bytes, size_t size)
{
	tls_link_stir(server, false);
	return tls_link_receive(server, bytes, size);
}

static void expect_received(const char *text)
{
	char bytes[64];
	const ssize_t n = receive(bytes, sizeof bytes);

	ck_assert_int_eq(n, (ssize_t)strlen(text));
	ck_assert_mem_eq(bytes, text, strlen(text));
}

static void expect_again(void)
{
	char byte;

	ck_assert_int_eq(receive(&byte, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(!tls_link_has_unread(server));
}

static void expect_failure(int error)
{
	char byte;

	for (int i = 0; i < 2; i++) {   /* it stays so */
		ck_assert_int_eq(receive(&byte, 1), -1);
		ck_assert_int_eq(errno, error);
		ck_assert_int_eq(tls_link_send(server, "x", 1), -1);
		ck_assert_int_eq(errno, error);
	}
}

static void expect_why(const char *part)
{
	struct tls_link_facts f;

	tls_link_facts(server, &f);
	ck_assert_ptr_nonnull(f.error);
	unit_contains(f.error, part);
	ck_assert_ptr_null(strchr(f.why, ' '));
}

/* The alert that the client has got. */
static void expect_alert(const char *words)
{
	const unsigned long e = ERR_peek_last_error();

	ck_assert_ptr_nonnull(ERR_reason_error_string(e));
	unit_contains(ERR_reason_error_string(e), words);
}

/* ---- handshakes --------------------------------------------------------- */

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

START_TEST(a_client_is_served_with_either_version)
{
	static const char *const names[] = { "TLSv1.2", "TLSv1.3" };
	struct tls_link_facts f;
	char bytes[8];

	begin(versions[_i], "a.example");
	ck_assert(!tls_link_has_begun(server));
	ck_assert_int_eq(serve(), TLS_UNDER_WAY);
	ck_assert_int_eq(shake_hands(), TLS_ESTABLISHED);
	ck_assert(tls_link_has_begun(server));
	expect_again();
	ck_assert_int_eq(SSL_write(client, "hello", 5), 5);
	expect_received("hello");
	ck_assert_int_eq(tls_link_send(server, "bye", 3), 3);
	ck_assert_int_eq(SSL_read(client, bytes, sizeof bytes), 3);
	tls_link_facts(server, &f);
	ck_assert_str_eq(f.version, names[_i]);
	ck_assert_str_eq(f.cipher, SSL_get_cipher(client));
	ck_assert_str_eq(f.sni, "a.example");
	ck_assert(!f.resumed && !f.error);
} END_TEST

static const struct { const char *asked; int got; } name_rows[] = {
	{ "a.example",     0 },
	{ "A.Example",     0 },
	{ "x.b.example",   1 },
	{ "c.example",     2 },
	{ "b.example",     0 },                 /* not what the wildcard stands for: the first pair */
	{ "x.y.b.example", 0 },
	{ "other.example", 0 },
	{ NULL,            0 },
};

START_TEST(the_name_chooses_the_certificate)
{
	X509 *got;

	establish(0, name_rows[_i].asked);
	got = SSL_get1_peer_certificate(client);
	ck_assert_int_eq(X509_cmp(got, tls_pairs[name_rows[_i].got]->x509), 0);
	X509_free(got);
} END_TEST

START_TEST(a_pair_is_made_when_it_is_needed_first)
{
	for (int i = 0; i < 3; i++) {
		establish(0, "x.b.example");
		drop_sides();
		open_sockets();
	}
	ck_assert_int_eq(tls_n_keys, 2);        /* the first one, which shows early that keys can be had */
} END_TEST

static const char *const strange_names[] = { "other.example", NULL };

START_TEST(strict_refuses_a_name_that_no_certificate_has)
{
	tls_conf.sni = TLS_SNI_STRICT;
	begin(0, strange_names[_i]);
	ck_assert_int_eq(shake_hands(), TLS_FAILED);
	expect_alert("unrecognized name");
	expect_failure(EPROTO);
	expect_why("unrecognized name");
	drop_sides();
	open_sockets();
	establish(0, "x.b.example");
} END_TEST

START_TEST(a_name_cannot_forge_words_of_a_line)
{
	struct tls_link_facts f;

	establish(0, "a how=served\\\n\x80");
	tls_link_facts(server, &f);
	ck_assert_str_eq(f.sni, "a\\x20how=served\\x5c\\x0a\\x80");
} END_TEST

static const struct { int version; const char *why, *alert; } version_rows[] = {
	{ TLS1_VERSION,   "unsupported protocol", "protocol version" },
	{ TLS1_1_VERSION, "unsupported protocol", "protocol version" },
};

START_TEST(old_versions_are_refused)
{
	begin(version_rows[_i].version, "a.example");
	ck_assert_int_eq(shake_hands(), TLS_FAILED);
	expect_why(version_rows[_i].why);
	expect_alert(version_rows[_i].alert);
} END_TEST

START_TEST(min_version_is_kept)
{
	tls_conf.min_version = TLS_VERSION_1_3;
	tls_renew_context();
	begin(TLS1_2_VERSION, NULL);
	ck_assert_int_eq(shake_hands(), TLS_FAILED);
	expect_why("unsupported protocol");
	drop_sides();
	open_sockets();
	establish(TLS1_3_VERSION, NULL);
} END_TEST

START_TEST(ciphers_without_a_common_one_are_refused)
{
	tls_conf.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
	tls_renew_context();
	begin(TLS1_2_VERSION, NULL);
	SSL_set_cipher_list(client, "ECDHE-RSA-AES256-GCM-SHA384");
	ck_assert_int_eq(shake_hands(), TLS_FAILED);
	expect_why("no shared cipher");
	expect_alert("handshake failure");
} END_TEST

static const struct { const char *offer, *got; } alpn_rows[] = {
	{ "\2h2\3dot",  "dot" },
	{ "\3dot\3doq", "dot" },
	{ "\3doq",      "doq" },
	{ "\2h2",       NULL },
	{ "",           "" },
};

START_TEST(a_protocol_is_chosen_or_the_client_is_refused)
{
	static const char *alpn[] = { "dot", "doq", NULL };
	const char *offer = alpn_rows[_i].offer, *want = alpn_rows[_i].got;
	const unsigned char *got;
	unsigned len;

	tls_conf.alpn = alpn;
	tls_renew_context();
	begin(0, NULL);
	if (*offer)
		SSL_set_alpn_protos(client, (const unsigned char *)offer, (unsigned)strlen(offer));
	ck_assert_int_eq(shake_hands(), want ? TLS_ESTABLISHED : TLS_FAILED);
	SSL_get0_alpn_selected(client, &got, &len);
	if (want)
		ck_assert_uint_eq(len, strlen(want));
	if (want && *want)
		ck_assert_mem_eq(got, want, len);
	else if (!want)
		expect_alert("no application protocol");
} END_TEST

/* ---- what is no TLS ----------------------------------------------------- */

static const struct { const char *bytes; size_t len; const char *why; } garbage[] = {
	{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 26, "http request" },
	{ "CONNECT x:1 HTTP/1.1\r\n\r\n", 24, "https proxy request" },
	{ "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80", 14, "" },  /* SSLv2 */
	{ "\x16\x03\x01\x7f\xff" "aaaa", 9, "" },                               /* 32 KiB in a record */
	{ "\0\0\0\0\0\0\0\0\0\0\0", 11, "" },
	{ "quit\r\nquit\r\n", 12, "" },
	{ "\x15\x03\x01\x00\x02\x02\x28", 7, "" },                              /* an alert */
	{ "\x17\x03\x03\x00\x05" "hello", 10, "" },                             /* data */
};

START_TEST(what_is_no_tls_is_refused_with_a_reason)
{
	struct tls_link_facts f;
	char bytes[64];

	server = tls_link_new(tls_context, ends[0]);
	ck_assert_int_eq(write(ends[1], garbage[_i].bytes, garbage[_i].len), (ssize_t)garbage[_i].len);
	for (int i = 0; i < 3; i++)
		serve();
	if (tls_link_handshake(server) == TLS_UNDER_WAY) {      /* it waits for more; there is none */
		shutdown(ends[1], SHUT_WR);
		serve();
	}
	ck_assert_int_eq(tls_link_handshake(server), TLS_FAILED);
	expect_why(garbage[_i].why);
	tls_link_facts(server, &f);
	ck_assert_ptr_null(f.version);
	/* It is told the end, and what it sends is thrown away. */
	ck_assert_int_eq(tls_link_end(server), 0);
	while (recv(ends[1], bytes, sizeof bytes, 0) > 0)
		;
} END_TEST

START_TEST(a_client_that_goes_without_a_byte_has_not_begun)
{
	server = tls_link_new(tls_context, ends[0]);
	close(ends[1]);
	ends[1] = -1;
	ck_assert_int_eq(serve(), TLS_FAILED);
	ck_assert(!tls_link_has_begun(server));
	ck_assert(tls_link_was_cut(server));
} END_TEST

/* The client's first flight is cut at each byte, and then ends. */
START_TEST(a_client_that_goes_in_its_hello_is_cut_off)
{
	char hello[2048];
	ssize_t len;

	begin(0, "a.example");
	SSL_do_handshake(client);
	len = recv(ends[0], hello, sizeof hello, 0);
	ck_assert_int_gt(len, 100);
	for (ssize_t n = 1; n < len; n += 13) {
		drop_sides();
		open_sockets();
		server = tls_link_new(tls_context, ends[0]);
		ck_assert_int_eq(write(ends[1], hello, (size_t)n), n);
		unit_require(serve() == TLS_UNDER_WAY);
		close(ends[1]);
		ends[1] = -1;
		unit_require(serve() == TLS_FAILED);
		unit_require(tls_link_has_begun(server) && tls_link_was_cut(server));
		expect_why("the client ended the connection");
	}
} END_TEST

/* ---- bytes -------------------------------------------------------------- */

static void shrink_sockets(void)
{
	const int small = 4096;

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
}

static char pattern(size_t i)
{
	return (char)(i % 251);
}

/* The bytes move between two calls, as those of a buffer do. */
START_TEST(many_bytes_go_through_small_sockets)
{
	static char out[2][700000], in[100000];
	const size_t len = sizeof out[0];
	size_t sent = 0, got = 0;
	int side = 0;

	shrink_sockets();
	establish(versions[_i], NULL);
	for (size_t i = 0; i < len; i++)
		out[0][i] = out[1][i] = pattern(i);
	while (got < len) {
		ssize_t n = tls_link_send(server, out[side] + sent, len - sent);
		int m;

		unit_require(n >= 0 || errno == EAGAIN);
		memset(out[side], 0, sent);
		side = !side;
		sent += n > 0 ? (size_t)n : 0;
		while ((m = SSL_read(client, in, sizeof in)) > 0)
			for (int i = 0; i < m; i++)
				unit_require(in[i] == pattern(got++));
		unit_require(SSL_get_error(client, m) == SSL_ERROR_WANT_READ);
		tls_link_stir(server, false);
	}
	ck_assert_uint_eq(sent, len);
} END_TEST

static const size_t rooms[] = { 1, 7, 1000, 16384, 65536 };

START_TEST(what_was_taken_from_the_socket_is_told_of)
{
	static char out[50000], in[65536];
	size_t got = 0;
	bool again = true;

	establish(versions[_i % 2], NULL);
	for (size_t i = 0; i < sizeof out; i++)
		out[i] = pattern(i);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(SSL_write(client, out + 10000 * i, 10000), 10000);
	tls_link_stir(server, false);
	while (again) {
		const ssize_t n = tls_link_receive(server, in, rooms[_i / 2]);

		unit_require(n > 0 || (n == -1 && errno == EAGAIN));
		for (ssize_t i = 0; i < n; i++)
			unit_require(in[i] == pattern(got++));
		again = tls_link_has_unread(server);
	}
	ck_assert_uint_eq(got, sizeof out);
} END_TEST

/* ---- ends --------------------------------------------------------------- */

START_TEST(the_end_of_either_side_leaves_the_other_direction)
{
	char bytes[8];

	establish(versions[_i], NULL);
	ck_assert_int_eq(SSL_write(client, "last", 4), 4);
	ck_assert_int_eq(SSL_shutdown(client), 0);
	expect_received("last");
	ck_assert(tls_link_is_at_end(server) || tls_link_has_unread(server));
	ck_assert_int_eq(receive(bytes, sizeof bytes), 0);
	ck_assert(tls_link_is_at_end(server));
	ck_assert_int_eq(tls_link_send(server, "answer", 6), 6);
	ck_assert_int_eq(SSL_read(client, bytes, sizeof bytes), 6);
	ck_assert_int_eq(tls_link_end(server), 0);
	ck_assert_int_eq(tls_link_end(server), 0);
	ck_assert_int_eq(SSL_read(client, bytes, sizeof bytes), 0);
	ck_assert_int_eq(SSL_get_error(client, 0), SSL_ERROR_ZERO_RETURN);
	ck_assert_int_eq(recv(ends[1], bytes, sizeof bytes, 0), 0);
} END_TEST

START_TEST(after_our_end_the_client_may_go_on)
{
	establish(versions[_i], NULL);
	ck_assert_int_eq(tls_link_end(server), 0);
	ck_assert_int_eq(SSL_write(client, "more", 4), 4);
	expect_received("more");
	SSL_shutdown(client);
	ck_assert_int_eq(receive((char[1]){ 0 }, 1), 0);
} END_TEST

/* Nobody has checked who has sent these bytes. */
START_TEST(after_our_end_bytes_that_are_no_tls_are_not_received)
{
	establish(versions[_i], NULL);
	ck_assert_int_eq(tls_link_end(server), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(write(ends[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
		expect_failure(EPROTO);
	}
	ck_assert(tls_link_is_at_end(server));
} END_TEST

/* The error is not known yet when our side ends. */
START_TEST(an_error_behind_data_is_reported_after_our_end)
{
	establish(versions[_i], NULL);
	ck_assert_int_eq(SSL_write(client, "good", 4), 4);
	ck_assert_int_eq(write(ends[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	expect_received("good");
	tls_link_end(server);
	ck_assert_int_eq(write(ends[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	expect_failure(EPROTO);
} END_TEST

START_TEST(an_end_without_notice_is_an_error)
{
	char bytes[8];

	establish(versions[_i], NULL);
	ck_assert_int_eq(SSL_write(client, "half", 4), 4);
	shutdown(ends[1], SHUT_WR);
	tls_link_stir(server, true);
	ck_assert_int_eq(tls_link_receive(server, bytes, sizeof bytes), 4);
	ck_assert(tls_link_has_unread(server));
	expect_failure(ECONNRESET);
	ck_assert(tls_link_was_cut(server) && tls_link_has_failed(server));
} END_TEST

/* Its end waits until the client takes something. */
START_TEST(an_end_that_does_not_fit_is_sent_later)
{
	static char bytes[65536];
	size_t got = 0;
	int n;

	establish(TLS1_3_VERSION, NULL);
	while (send(ends[0], bytes, 1, 0) == 1)         /* plain ones: the client is not to read them */
		;
	ck_assert_int_eq(tls_link_end(server), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(tls_link_is_ending(server));
	ck_assert_int_eq(tls_link_end(server), -1);
	while (recv(ends[1], bytes, sizeof bytes, 0) > 0)
		;
	ck_assert_int_eq(tls_link_end(server), 0);
	ck_assert(!tls_link_is_ending(server));
	while ((n = (int)recv(ends[1], bytes, sizeof bytes, 0)) > 0)
		got += (size_t)n;
	ck_assert_uint_gt(got, 5);                      /* the message, and then the end of the socket */
	ck_assert_int_eq(n, 0);
} END_TEST

/* ---- clients that misbehave --------------------------------------------- */

START_TEST(a_renegotiation_is_refused)
{
	char bytes[64];

	establish(TLS1_2_VERSION, NULL);
	ck_assert_int_eq(SSL_renegotiate(client), 1);
	SSL_do_handshake(client);
	ck_assert_int_eq(receive(bytes, sizeof bytes), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(SSL_do_handshake(client), -1);
	expect_alert("no renegotiation");
} END_TEST

START_TEST(new_keys_are_made_when_the_client_wants_them)
{
	char bytes[8];

	establish(TLS1_3_VERSION, NULL);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED), 1);
		ck_assert_int_eq(SSL_write(client, "hello", 5), 5);
		expect_received("hello");
		ck_assert_int_eq(tls_link_send(server, "bye", 3), 3);
		ck_assert_int_eq(SSL_read(client, bytes, sizeof bytes), 3);
	}
} END_TEST

/* Only asks for new keys, and throws away what comes. */
static bool ask_for_keys(void)
{
	char answer[4096];

	SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED);
	SSL_do_handshake(client);
	return recv(ends[1], answer, sizeof answer, 0) >= 0 || errno == EAGAIN;
}

START_TEST(a_client_that_only_wants_new_keys_is_broken_off)
{
	char byte;
	int n = 0;

	establish(TLS1_3_VERSION, NULL);
	while (ask_for_keys() && receive(&byte, 1) == -1 && errno == EAGAIN)
		unit_require(++n < 10000);
	expect_failure(EPROTO);
	expect_why("too many messages");
} END_TEST

/* We have to answer, and cannot: then the stream must wait for room. */
/* A byte now and then does not make up for that. */
START_TEST(a_client_that_wants_new_keys_all_the_time_is_broken_off)
{
	ssize_t n = 1;
	char byte;

	establish(TLS1_3_VERSION, NULL);
	for (int i = 0; i < 100 && n > 0; i++) {
		for (int k = 0; k < 20; k++)
			ck_assert(ask_for_keys());
		ck_assert_int_eq(SSL_write(client, "x", 1), 1);
		tls_link_stir(server, false);
		n = tls_link_receive(server, &byte, 1);
	}
	ck_assert_int_eq(n, -1);
	ck_assert_int_eq(errno, EPROTO);
	expect_why("too many messages without data");
} END_TEST

/* Else a worker would do nothing else as long as the client sends. */
START_TEST(a_client_that_sends_bytes_one_by_one_is_not_served_for_ever)
{
	static char bytes[200];
	ssize_t n;

	establish(versions[_i], NULL);
	for (size_t i = 0; i < sizeof bytes; i++)
		ck_assert_int_eq(SSL_write(client, "x", 1), 1);
	tls_link_stir(server, false);
	for (size_t got = 0; got < sizeof bytes; got += (size_t)n) {
		n = tls_link_receive(server, bytes, sizeof bytes);
		ck_assert_int_gt(n, 0);
		ck_assert_int_le(n, 100);
		ck_assert(tls_link_has_unread(server) || got + (size_t)n == sizeof bytes);
	}
} END_TEST

START_TEST(a_handshake_may_wait_for_room)
{
	static char bytes[65536];

	shrink_sockets();
	begin(versions[_i], NULL);
	SSL_do_handshake(client);
	while (send(ends[0], bytes, 1, 0) == 1)
		;
	ck_assert_int_eq(serve(), TLS_UNDER_WAY);
	ck_assert(tls_link_receives_after_room(server));
	while (recv(ends[1], bytes, sizeof bytes, 0) > 0)
		;
	ck_assert_int_eq(shake_hands(), TLS_ESTABLISHED);
	ck_assert(!tls_link_receives_after_room(server));
} END_TEST

START_TEST(a_broken_record_is_an_error)
{
	establish(versions[_i], NULL);
	ck_assert_int_eq(write(ends[1], "\x17\x03\x03\x00\x20" "0123456789abcdef0123456789abcdef", 37), 37);
	expect_failure(EPROTO);
	ck_assert(!tls_link_was_cut(server));
	ck_assert_int_eq(tls_link_end(server), 0);
} END_TEST

/* ---- certificates of clients -------------------------------------------- */

static void demand(enum tls_client_auth auth)
{
	tls_conf.client_auth = auth;
	tls_conf.ca = &tls_client->der;
	tls_conf.n_ca = 1;
	tls_renew_context();
}

static void show_certificate(const struct certificate *c)
{
	ck_assert_int_eq(SSL_use_cert_and_key(client, c->x509, c->key, NULL, 1), 1);
}

enum shown { SHOWS_NONE, SHOWS_GOOD, SHOWS_FOREIGN };

static const struct { enum tls_client_auth auth; enum shown shown; const char *why; } client_rows[] = {
	{ TLS_CLIENT_NONE,     SHOWS_NONE,    NULL },
	{ TLS_CLIENT_NONE,     SHOWS_FOREIGN, NULL },           /* it is not asked for */
	{ TLS_CLIENT_OPTIONAL, SHOWS_NONE,    NULL },
	{ TLS_CLIENT_OPTIONAL, SHOWS_GOOD,    NULL },
	{ TLS_CLIENT_OPTIONAL, SHOWS_FOREIGN, "self-signed certificate" },
	{ TLS_CLIENT_REQUIRED, SHOWS_NONE,    "peer did not return a certificate" },
	{ TLS_CLIENT_REQUIRED, SHOWS_GOOD,    NULL },
	{ TLS_CLIENT_REQUIRED, SHOWS_FOREIGN, "self-signed certificate" },
};

START_TEST(clients_show_certificates)
{
	const int row = _i / 2;

	demand(client_rows[row].auth);
	begin(versions[_i % 2], NULL);
	if (client_rows[row].shown == SHOWS_GOOD)
		show_certificate(tls_client);
	else if (client_rows[row].shown == SHOWS_FOREIGN)
		show_certificate(tls_pairs[0]);
	ck_assert_int_eq(shake_hands(), client_rows[row].why ? TLS_FAILED : TLS_ESTABLISHED);
	if (client_rows[row].why)
		expect_why(client_rows[row].why);
} END_TEST

/* ---- sessions ----------------------------------------------------------- */

/* One that can be resumed, or NULL. */
static SSL_SESSION *earn_session_with(int version, const struct certificate *shown)
{
	SSL_SESSION *s;
	char byte;

	begin(version, "a.example");
	if (shown)
		show_certificate(shown);
	ck_assert_int_eq(shake_hands(), TLS_ESTABLISHED);
	SSL_read(client, &byte, 1);     /* a ticket of TLS 1.3 comes after the handshake */
	s = SSL_get1_session(client);
	if (!SSL_SESSION_is_resumable(s)) {
		SSL_SESSION_free(s);
		s = NULL;
	}
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN);
	drop_sides();
	open_sockets();
	return s;
}

static SSL_SESSION *earn_session(int version)
{
	return earn_session_with(version, NULL);
}

/* Whether both sides say that it was resumed. */
static bool resumes(SSL_SESSION *s, int version)
{
	struct tls_link_facts f;

	begin(version, "a.example");
	SSL_set_session(client, s);
	ck_assert_int_eq(shake_hands(), TLS_ESTABLISHED);
	tls_link_facts(server, &f);
	ck_assert_int_eq(f.resumed, SSL_session_reused(client));
	return f.resumed;
}

START_TEST(a_session_is_resumed_with_a_ticket)
{
	SSL_SESSION *s = earn_session(versions[_i]);

	ck_assert_ptr_nonnull(s);
	ck_assert(resumes(s, versions[_i]));
	SSL_SESSION_free(s);
} END_TEST

START_TEST(without_tickets_no_session_is_resumed)
{
	SSL_SESSION *s;

	tls_conf.tickets = false;
	tls_renew_context();
	s = earn_session(versions[_i]);
	if (s)
		ck_assert(!resumes(s, versions[_i]));
	SSL_SESSION_free(s);
} END_TEST

/* As workers do that share the keys of tickets: one after a reload, or of another service. */
static void change_context_but_keep_keys(const char *service)
{
	unsigned char keys[80];
	struct tls_context *next = tls_make_context(service);

	ck_assert_int_eq(SSL_CTX_get_tlsext_ticket_keys(tls_context_ssl_ctx(tls_context), keys, 80), 1);
	ck_assert_int_eq(SSL_CTX_set_tlsext_ticket_keys(tls_context_ssl_ctx(next), keys, 80), 1);
	tls_context_free(tls_context);
	tls_context = next;
}

enum change { CHANGES_NOTHING, CHANGES_SERVICE, CHANGES_AUTH };

START_TEST(a_ticket_counts_only_where_the_same_is_demanded)
{
	const int version = versions[_i % 2];
	SSL_SESSION *s = earn_session(version);

	if (_i / 2 == CHANGES_AUTH) {
		tls_conf.client_auth = TLS_CLIENT_OPTIONAL;
		tls_conf.ca = &tls_client->der;
		tls_conf.n_ca = 1;
	}
	change_context_but_keep_keys(_i / 2 == CHANGES_SERVICE ? "other" : "test");
	ck_assert_int_eq(resumes(s, version), _i / 2 == CHANGES_NOTHING);
	SSL_SESSION_free(s);
} END_TEST

/* Of the authority that the service trusts, until so many seconds from now. */
static struct certificate *issue_certificate(int64_t until)
{
	return certificate_make(&(struct certificate_wish){
		.subject = "another client", .issuer = tls_client, .key_of = tls_client, .to = FROM_NOW(until) });
}

static const struct { int64_t certificate, list; bool resumed; } late_rows[] = {
	{  600,  600, true },
	{ -600,  600, false },
	{  600, -600, false },
};

/* Else a client that comes often enough would be served for ever. */
START_TEST(a_session_is_not_resumed_when_its_certificate_or_list_has_expired)
{
	const int version = versions[_i % 2], row = _i / 2;
	struct certificate *c = issue_certificate(late_rows[row].certificate);
	struct conf_bytes list = certificate_crl_der(tls_client, NULL, 0, late_rows[row].list);
	SSL_SESSION *s;

	tls_conf.crl = &list;
	tls_conf.n_crl = 1;
	demand(TLS_CLIENT_OPTIONAL);
	/* As if that were some time ago. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(tls_context_ssl_ctx(tls_context)),
	                            X509_V_FLAG_NO_CHECK_TIME);
	s = earn_session_with(version, c);
	change_context_but_keep_keys("test");
	ck_assert_int_eq(resumes(s, version), late_rows[row].resumed);
	SSL_SESSION_free(s);
	certificate_free(c);
	OPENSSL_free((void *)(uintptr_t)list.data);
} END_TEST

static TCase *link_case(Suite *s, const char *name)
{
	return unit_case(s, name, set_up, tear_down);
}

static void add_handshakes(Suite *s)
{
	TCase *tc = link_case(s, "handshakes");

	tcase_add_loop_test(tc, a_client_is_served_with_either_version, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, the_name_chooses_the_certificate, 0, ARRAY_SIZE(name_rows));
	tcase_add_test(tc, a_pair_is_made_when_it_is_needed_first);
	tcase_add_loop_test(tc, strict_refuses_a_name_that_no_certificate_has, 0, ARRAY_SIZE(strange_names));
	tcase_add_test(tc, a_name_cannot_forge_words_of_a_line);
	tcase_add_loop_test(tc, old_versions_are_refused, 0, ARRAY_SIZE(version_rows));
	tcase_add_test(tc, min_version_is_kept);
	tcase_add_test(tc, ciphers_without_a_common_one_are_refused);
	tcase_add_loop_test(tc, a_protocol_is_chosen_or_the_client_is_refused, 0, ARRAY_SIZE(alpn_rows));
	tc = link_case(s, "no TLS");
	tcase_add_loop_test(tc, what_is_no_tls_is_refused_with_a_reason, 0, ARRAY_SIZE(garbage));
	tcase_add_test(tc, a_client_that_goes_without_a_byte_has_not_begun);
	tcase_add_test(tc, a_client_that_goes_in_its_hello_is_cut_off);
}

static void add_bytes(Suite *s)
{
	TCase *tc = link_case(s, "bytes");

	tcase_add_loop_test(tc, many_bytes_go_through_small_sockets, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, what_was_taken_from_the_socket_is_told_of, 0,
	                    2 * ARRAY_SIZE(rooms));
	tc = link_case(s, "ends");
	tcase_add_loop_test(tc, the_end_of_either_side_leaves_the_other_direction, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, after_our_end_the_client_may_go_on, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, after_our_end_bytes_that_are_no_tls_are_not_received, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, an_error_behind_data_is_reported_after_our_end, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, an_end_without_notice_is_an_error, 0, ARRAY_SIZE(versions));
	tcase_add_test(tc, an_end_that_does_not_fit_is_sent_later);
}

static void add_odd_clients(Suite *s)
{
	TCase *tc = link_case(s, "misbehaviour");

	tcase_add_test(tc, a_renegotiation_is_refused);
	tcase_add_test(tc, new_keys_are_made_when_the_client_wants_them);
	tcase_add_test(tc, a_client_that_only_wants_new_keys_is_broken_off);
	tcase_add_test(tc, a_client_that_wants_new_keys_all_the_time_is_broken_off);
	tcase_add_loop_test(tc, a_client_that_sends_bytes_one_by_one_is_not_served_for_ever, 0,
	                    ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, a_handshake_may_wait_for_room, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, a_broken_record_is_an_error, 0, ARRAY_SIZE(versions));
	tc = link_case(s, "certificates of clients");
	tcase_add_loop_test(tc, clients_show_certificates, 0, 2 * ARRAY_SIZE(client_rows));
	tc = link_case(s, "sessions");
	tcase_add_loop_test(tc, a_session_is_resumed_with_a_ticket, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, without_tickets_no_session_is_resumed, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, a_session_is_not_resumed_when_its_certificate_or_list_has_expired, 0,
	                    2 * ARRAY_SIZE(late_rows));
	tcase_add_loop_test(tc, a_ticket_counts_only_where_the_same_is_demanded, 0, 6);
}

int main(void)
{
	Suite *s = suite_create("tls_link");
	int result;

	tls_make_pairs();
	add_handshakes(s);
	add_bytes(s);
	add_odd_clients(s);
	result = unit_run(s);
	tls_free_pairs();
	return result;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that send what is no TLS, or no TLS that makes sense, before the handshake and after it. Each
 * costs its own connection and is logged with a reason, no worker dies, and others are served.
 */
#include <config.h>
#include "hostile_harness.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES_MAX 200000

static unsigned char bytes[BYTES_MAX];

/* ---- bytes -------------------------------------------------------------- */

/* A record with a header that says that length, and that many bytes. */
static size_t put_record(size_t at, unsigned char type, unsigned length, size_t len)
{
	const unsigned char header[] = { type, 3, 3, (unsigned char)(length >> 8), (unsigned char)length };

	ck_assert_uint_le(at + sizeof header + len, sizeof bytes);
	memcpy(bytes + at, header, sizeof header);
	memset(bytes + at + sizeof header, 'x', len);
	return at + sizeof header + len;
}

static size_t put_text(const char *text)
{
	const size_t len = strlen(text);

	memcpy(bytes, text, len);
	return len;
}

static size_t http(void)
{
	return put_text("GET / HTTP/1.1\r\nHost: s.example\r\n\r\n");
}

static size_t http_proxy(void)
{
	return put_text("CONNECT s.example:443 HTTP/1.1\r\n\r\n");
}

static size_t ssh(void)
{
	return put_text("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
}

/* The begin of a hello of SSL 2.0, by which clients of the nineties ask for that, or for TLS 1.0. */
static size_t sslv2_asking(unsigned char major, unsigned char minor)
{
	static const unsigned char hello[] = {
		0x80, 0x1f, 1, 0, 0, 0, 6, 0, 0, 0, 16, 0x07, 0x00, 0xc0, 0x00, 0x00, 0x2f,
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	};

	memcpy(bytes, hello, sizeof hello);
	bytes[3] = major;
	bytes[4] = minor;
	return sizeof hello;
}

static size_t sslv2(void)
{
	return sslv2_asking(0, 2);
}

static size_t sslv2_for_tls(void)
{
	return sslv2_asking(3, 1);
}

static size_t garbage(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < 5000; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(x >> 24);
	}
	return 5000;
}

static size_t zeros(void)
{
	memset(bytes, 0, 5000);
	return 5000;
}

/* A record may have 16 KiB, and some that it grows by. */
static size_t big_record(void)
{
	return put_record(0, 22, 20000, 20000);
}

/* A hello of 16 MiB, of which some comes. */
static size_t big_hello(void)
{
	const size_t end = put_record(0, 22, 16000, 16000);

	memcpy(bytes + 5, "\1\xff\xff\xff\3\3", 6);
	return end;
}

static size_t empty_records(void)
{
	size_t at = 0;

	while (at < 1000)
		at = put_record(at, 22, 0, 0);
	return at;
}

static size_t data(void)
{
	return put_record(0, 23, 100, 100);
}

static size_t heartbeat(void)
{
	const size_t end = put_record(0, 24, 3, 3);

	memcpy(bytes + 5, "\1\x40", 3);
	return end;
}

static size_t fatal_alert(void)
{
	const size_t end = put_record(0, 21, 2, 2);

	memcpy(bytes + 5, "\2\x28", 2);
	return end;
}

static size_t alerts(void)
{
	size_t at = 0;

	while (at < 7000) {
		put_record(at, 21, 2, 2);
		memcpy(bytes + at + 5, "\1\x5a", 2);
		at += 7;
	}
	return at;
}

static size_t cipher_changes(void)
{
	size_t at = 0;

	while (at < 100000) {
		put_record(at, 20, 1, 1);
		bytes[at + 5] = 1;
		at += 6;
	}
	return at;
}

static const struct {
	const char *name;
	size_t    (*put)(void);
	const char *why;                /* by OpenSSL 3.0 and later */
} rows[] = {
	{ "HTTP", http, "http-request" },
	{ "HTTP for a proxy", http_proxy, "https-proxy-request" },
	{ "SSH", ssh, "" },
	{ "SSL 2.0", sslv2, "" },
	{ "SSL 2.0 for TLS 1.0", sslv2_for_tls, "" },
	{ "garbage", garbage, "" },
	{ "zeros", zeros, "" },
	{ "a record of 20,000 bytes", big_record, "" },
	{ "a hello of 16 MiB", big_hello, "" },
	{ "empty records", empty_records, "" },
	{ "data", data, "" },
	{ "a heartbeat", heartbeat, "" },
	{ "a fatal alert", fatal_alert, "" },
	{ "many alerts", alerts, "" },
	{ "many changes of cipher", cipher_changes, "" },
};

/* The daemon may end the connection before it has read all. */
static void send_bytes(int fd, size_t len)
{
	for (size_t sent = 0; sent < len; ) {
		ssize_t n;

		turn_until_ready(fd, POLLOUT);
		n = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1)
			return;
		sent += (size_t)n;
	}
}

START_TEST(before_the_handshake)
{
	hostile_start("");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const int fd = hostile_connect();

		files_write("row", "%s\n", rows[i].name);
		send_bytes(fd, rows[i].put());
		client_expect_gone(fd);
		close(fd);
		hostile_expect_end("tls", rows[i].why);
	}
	hostile_check(ARRAY_SIZE(rows));
} END_TEST

/* ---- after the handshake ------------------------------------------------ */

static size_t half_record(void)
{
	return put_record(0, 23, 1000, 500);
}

static const struct {
	const char *name;
	size_t    (*put)(void);
	bool        ends;               /* the client ends after it: the daemon would wait for more */
} later[] = {
	{ "HTTP", http, false },
	{ "garbage", garbage, false },
	{ "a record of 20,000 bytes", big_record, false },
	{ "data that is not encrypted", data, false },
	{ "empty records", empty_records, false },
	{ "a hello of 16 MiB", big_hello, false },
	{ "an alert that is not encrypted", fatal_alert, false },
	{ "half a record", half_record, true },
};

START_TEST(after_the_handshake)
{
	hostile_start("");
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		SSL *ssl = hostile_connect_tls(_i);

		files_write("row", "%s\n", later[i].name);
		send_bytes(SSL_get_fd(ssl), later[i].put());
		if (later[i].ends)
			client_end(SSL_get_fd(ssl));
		client_expect_gone(SSL_get_fd(ssl));
		tls_client_close(ssl);
		hostile_expect_end(later[i].ends ? "truncated" : "tls", "");
	}
	hostile_check(0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_garbage");
	TCase *tc = hostile_case(s, "garbage");

	tcase_add_test(tc, before_the_handshake);
	tcase_add_loop_test(tc, after_the_handshake, TLS1_2_VERSION, TLS1_3_VERSION + 1);
	return harness_run(s);
}

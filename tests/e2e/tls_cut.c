/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients whose handshake breaks off, or is damaged, at any place in any message of it: each costs its own
 * connection. With DROVER_LONG_TESTS in the environment, that is every byte of the handshake.
 */
#include <config.h>
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "../certificates.h"
#include "operator.h"
#include "tls_flight.h"

#define WAITING_MAX 400                 /* clients at once that have fallen silent */

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static struct daemon d;
static struct tls_client_wish wish;
static SSL *resident;
static size_t offsets[TLS_FLIGHT_MAX], n_offsets, total;
static long long n_refused;

/* Ed25519: its signatures are always as long, and so are handshakes. */
static void make_certificates(void)
{
	certificate_issue("ca", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("s", &(struct certificate_wish){ .issued_by = "ca", .names = "DNS:s.example" });
	certificate_issue("c", &(struct certificate_wish){ .issued_by = "ca", .type = "Ed25519" });
}

static void check_others(void)
{
	SSL *visitor = tls_client_connect(daemon_address(&d, "s", 0), &wish);

	tls_client_say(visitor, "hello");
	tls_client_expect(visitor, "hello");
	tls_client_close(visitor);
	ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "truncated");
	tls_client_say(resident, "still here");
	tls_client_expect(resident, "still here");
}

/* A whole handshake, which says where others can be cut. */
static void record(bool every)
{
	static struct tls_flight f;

	tls_flight_begin(&f, daemon_address(&d, "s", 0), &wish);
	ck_assert(tls_flight_go(&f));
	total = f.sent;
	n_offsets = tls_flight_offsets(&f, every, offsets);
	tls_flight_free(&f);
	client_end(f.fd);
	client_expect_gone(f.fd);
	close(f.fd);
	ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "truncated");
}

static void start(int version, const char *handshake)
{
	const char *at = files_path("");

	ck_assert_int_eq(chdir(at), 0);
	make_certificates();
	daemon_start(&d, "control = { socket = \"%s/control.sock\"; };\n" SERVICES(
	             " s = { listen = \"127.0.0.1:0\"; workers = 1; connections = 1000; "
	             "tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; client_auth = \"required\";"
	             " client_ca = \"%s/ca.pem\"; }; timeouts = { handshake = \"%s\"; };"
	             " handler = { type = \"echo\"; }; };"), at, at, at, at, handshake);
	wish = (struct tls_client_wish){ .host = "s.example", .trusts = "ca", .shows = "c", .version = version };
	resident = tls_client_connect(daemon_address(&d, "s", 0), &wish);
	n_refused = 0;
	record(getenv("DROVER_LONG_TESTS"));
}

/* No process died, and each client that failed was counted. */
static void check_end(void)
{
	check_others();
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "key-process-end"), 0);
	ck_assert_int_eq(operator_run_args(files_path("control.sock"), "--json", "status"), 0);
	harness_contains(operator_output(), files_text("\"tls\":%lld", n_refused));
	tls_client_close(resident);
}

/* A connected socket over which the first bytes of a handshake have gone. */
static int cut_at(size_t offset)
{
	static struct tls_flight f;

	tls_flight_begin(&f, daemon_address(&d, "s", 0), &wish);
	f.cut = offset;
	ck_assert(!tls_flight_go(&f));
	ck_assert_uint_eq(f.sent, offset);
	tls_flight_free(&f);
	return f.fd;
}

static const char *how(void)
{
	return event_word(daemon_wait_for(&d, "connection-end"), "how");
}

START_TEST(clients_that_end_in_the_handshake)
{
	start(versions[_i], "60s");
	for (size_t i = 0; i < n_offsets; i++) {
		const int fd = cut_at(offsets[i]);

		client_end(fd);
		client_expect_gone(fd);
		close(fd);
		ck_assert_str_eq(how(), offsets[i] == 0 ? "closed" : "tls");
		n_refused += offsets[i] != 0;
	}
	check_end();
} END_TEST

/* The kernel may throw away what the client has sent before. */
START_TEST(clients_that_reset_in_the_handshake)
{
	start(versions[_i], "60s");
	for (size_t i = 0; i < n_offsets; i++) {
		const char *seen;

		client_reset(cut_at(offsets[i]));
		seen = how();
		if (strcmp(seen, "tls") == 0)
			n_refused++;
		else
			ck_assert_str_eq(seen, "reset");
	}
	check_end();
} END_TEST

static void expect_timed_out(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		client_expect_gone(fds[i]);
		close(fds[i]);
		ck_assert_str_eq(how(), "handshake");
	}
	n_refused += (long long)n;
}

START_TEST(clients_that_stop_in_the_handshake)
{
	int fds[WAITING_MAX];
	size_t n = 0;

	start(versions[_i], "2s");
	for (size_t i = 0; i < n_offsets; i++) {
		fds[n++] = cut_at(offsets[i]);
		if (n < WAITING_MAX && i + 1 < n_offsets)
			continue;
		tls_client_say(resident, "still here");
		tls_client_expect(resident, "still here");
		expect_timed_out(fds, n);
		n = 0;
	}
	check_end();
} END_TEST

/* Whatever comes of it: some bytes do not matter. */
START_TEST(clients_whose_handshake_is_damaged)
{
	static struct tls_flight f;

	start(versions[_i], "60s");
	for (size_t i = 0; i < n_offsets; i++) {
		const char *seen;

		tls_flight_begin(&f, daemon_address(&d, "s", 0), &wish);
		f.flip = offsets[i];
		ck_assert(!tls_flight_go(&f));
		tls_flight_free(&f);
		client_end(f.fd);
		client_expect_gone(f.fd);
		close(f.fd);
		seen = how();
		n_refused += strcmp(seen, "tls") == 0;
		ck_assert_msg(strcmp(seen, "tls") == 0 || strcmp(seen, "truncated") == 0, "byte %zu of %zu: %s",
		              offsets[i], total, seen);
	}
	check_end();
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_cut");
	TCase *tc = harness_case(s, "cut");

	if (getenv("DROVER_LONG_TESTS"))
		tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, clients_that_end_in_the_handshake, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, clients_that_reset_in_the_handshake, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, clients_that_stop_in_the_handshake, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, clients_whose_handshake_is_damaged, 0, ARRAY_SIZE(versions));
	return harness_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A filter written in C, over TLS: many clients at once, long answers, and a filter that fails; and
 * requests without frames.
 */
#include <config.h>
#include "filter_harness.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../certificates.h"
#include "tls_client.h"

#define CLIENTS 32
#define ROUNDS  20
#define LONG    3000000
#define RAW     200000

static void set_up(void)
{
	ck_assert_int_eq(chdir(files_path("")), 0);
	certificate_issue("ca", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("s", &(struct certificate_wish){ .issued_by = "ca", .names = "DNS:s.example" });
}

static void start(const char *handler, const char *rest)
{
	const char *at = files_path("");

	filter_start(handler, files_text("tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; }; %s", at, at, rest));
}

static SSL *connect_client(void)
{
	const struct tls_client_wish w = { .host = "s.example", .trusts = "ca" };

	return tls_client_connect(daemon_address(&d, "s", 0), &w);
}

/* All ask before any of them reads. */
START_TEST(many_clients_get_their_own_answers)
{
	SSL *clients[CLIENTS];

	start("", "");
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = connect_client();
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CLIENTS; i++)
			tls_client_say(clients[i], files_text("client %d, round %d\nand again %d\n", i, round, i));
		for (int i = 0; i < CLIENTS; i++)
			tls_client_expect(clients[i], files_text("client %d, round %d\nand again %d\n", i, round, i));
	}
	for (int i = 0; i < CLIENTS; i++) {
		tls_client_end(clients[i]);
		ck_assert(tls_client_is_told_end(clients[i]));
		tls_client_close(clients[i]);
		ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "closed");
	}
} END_TEST

/* The client ends its side and reads nothing until then. */
START_TEST(a_long_answer_arrives_as_a_whole)
{
	char *answer = malloc(LONG + 2);
	SSL *ssl;

	ck_assert_ptr_nonnull(answer);
	start("", "max_request = 4194304;");
	ssl = connect_client();
	tls_client_say(ssl, files_text("much %d\n", LONG));
	tls_client_end(ssl);
	tls_client_receive(ssl, answer, LONG + 1);
	answer[LONG + 1] = '\0';
	ck_assert_uint_eq(strspn(answer, "x"), LONG);   /* one assertion: Check sends a message for each */
	ck_assert_int_eq(answer[LONG], '\n');
	ck_assert(tls_client_is_told_end(ssl));
	tls_client_close(ssl);
	free(answer);
} END_TEST

/* One read brings one record or several, and close_notify is the end after all of them. */
START_TEST(the_bytes_of_records_are_raw_requests)
{
	const char *at = files_path("");
	char *sent = malloc(RAW), *got = malloc(RAW);
	SSL *ssl;

	for (size_t i = 0; i < RAW; i++)
		sent[i] = (char)(i * 7 + i / 256);
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1;"
	             " tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; };"
	             " handler = { type = \"filter\"; framing = \"raw\"; argv = \"/bin/cat\"; }; };"), at, at);
	ssl = connect_client();
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
	tls_client_send(ssl, sent, RAW);
	tls_client_end(ssl);
	tls_client_receive(ssl, got, RAW);
	ck_assert_mem_eq(got, sent, RAW);
	ck_assert(tls_client_is_told_end(ssl));
	ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "closed");
	tls_client_close(ssl);
	free(sent);
	free(got);
} END_TEST

static const char *const failures[] = { "die\n", "crash\n", "half\n" };

/* And is not told that these are all. */
START_TEST(the_client_of_a_filter_that_fails_gets_whole_answers)
{
	SSL *victim, *other;
	const struct event *e;

	start("", "");
	victim = connect_client();
	tls_client_say(victim, files_text("one\n%s", failures[_i]));
	tls_client_expect(victim, "one\n");
	ck_assert(!tls_client_is_told_end(victim));
	e = daemon_wait_for(&d, "connection-end");
	ck_assert_str_eq(event_word(e, "how"), "failed");
	ck_assert_int_eq(event_number(e, "out"), 4);
	tls_client_close(victim);
	other = connect_client();
	tls_client_say(other, "two\n");
	tls_client_expect(other, "two\n");
	tls_client_close(other);
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_filter");
	TCase *tc = harness_case(s, "filter");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, many_clients_get_their_own_answers);
	tcase_add_test(tc, a_long_answer_arrives_as_a_whole);
	tcase_add_test(tc, the_bytes_of_records_are_raw_requests);
	tcase_add_loop_test(tc, the_client_of_a_filter_that_fails_gets_whole_answers, 0, ARRAY_SIZE(failures));
	return harness_run(s);
}

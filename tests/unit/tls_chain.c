/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of certificates and private keys: what is read from them, and what is wrong with them.
 */
#include <config.h>
#include "unit.h"

#include <openssl/evp.h>

#include "../certificates.h"
#include "tls_chain.h"
#include "tls_key.h"
#include "tls_pem.h"

static struct certificate *root, *middle, *leaf, *other;
static struct tls_key_reader *reader;
static struct tls_chain chain;
static char why[TLS_WHY_MAX];

static void set_up(void)
{
	unit_enter_folder();
	root = certificate_make(&(struct certificate_wish){ .subject = "Root", .is_ca = true });
	middle = certificate_make(&(struct certificate_wish){ .subject = "Middle", .is_ca = true, .issuer = root });
	leaf = certificate_make(&(struct certificate_wish){
		.subject = "leaf", .names = "DNS:A.Example,DNS:*.a.example,IP:192.0.2.1,IP:2001:db8::1,"
		                            "email:a@a.example,URI:http://a.example/", .issuer = middle });
	other = certificate_make(&(struct certificate_wish){ .subject = "other", .type = "Ed25519" });
	reader = tls_key_reader_new();
}

static void tear_down(void)
{
	tls_chain_free(&chain);
	tls_key_reader_free(reader);
	certificate_free(root);
	certificate_free(middle);
	certificate_free(leaf);
	certificate_free(other);
	unit_leave_folder();
}

static bool read_text(const char *text)
{
	tls_chain_free(&chain);
	why[0] = '\0';
	return tls_chain_read(&chain, text, strlen(text), 10, NULL, why);
}

static bool read_chain(const struct certificate *first, const struct certificate *second,
                       const struct certificate *third)
{
	certificate_write("chain", first);
	if (second)
		certificate_add("chain", second);
	if (third)
		certificate_add("chain", third);
	return read_text(unit_read_file("chain"));
}

static EVP_PKEY *read_key(const char *path)
{
	const char *text = unit_read_file(path);

	why[0] = '\0';
	return tls_key_read(reader, text, strlen(text), why);
}

/* ---- PEM ---------------------------------------------------------------- */

START_TEST(a_text_is_cut_into_its_blocks_with_their_lines)
{
	struct tls_pem p = tls_pem_in("hello\n-----BEGIN ONE-----\nAAAA\n-----END ONE-----\n\nbetween\r\n"
	                              "-----BEGIN TWO-----\r\nAAAA\r\nAAAA\r\n-----END TWO-----");
	struct tls_pem_block b;

	ck_assert_int_eq(tls_pem_cut(&p, &b, why), 1);
	ck_assert_str_eq(b.label, "ONE");
	ck_assert_int_eq(b.line, 2);
	ck_assert_int_eq(b.len, 3);
	tls_pem_release(&b);
	ck_assert_int_eq(tls_pem_cut(&p, &b, why), 1);
	ck_assert_str_eq(b.label, "TWO");
	ck_assert_int_eq(b.line, 7);
	ck_assert_int_eq(b.len, 6);
	tls_pem_release(&b);
	ck_assert_int_eq(tls_pem_cut(&p, &b, why), 0);
	tls_pem_release(&b);
} END_TEST

static const struct { const char *text, *why; } broken[] = {
	{ "\n-----BEGIN CERTIFICATE-----\nAAAA\n", "line 2: what begins here has no END line" },
	{ "-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	  "line 1: what begins here has no END line" },
	{ "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "line 1: what begins here is not PEM (" },
	{ "-----BEGIN CERTIFICATE-----\nAAAA\n-----END OTHER-----\n", "line 1: what begins here is not PEM (" },
	{ "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	  "line 1: the certificate cannot be decoded (" },
	{ "", "there is no certificate in it" },
	{ "no PEM at all\n", "there is no certificate in it" },
	{ "-----BEGIN ONE-----\nAAAA\n-----END ONE-----\n", "there is no certificate in it" },
};

START_TEST(what_is_broken_is_told_with_its_line)
{
	ck_assert(!read_text(broken[_i].text));
	unit_contains(why, broken[_i].why);
} END_TEST

START_TEST(der_is_told_with_the_command_that_converts_it)
{
	static const char der[] = "\x30\x82\x01\x0a\x02\x82";

	ck_assert(!tls_chain_read(&chain, der, sizeof der - 1, 10, NULL, why));
	unit_contains(why, "DER");
	unit_contains(why, "openssl x509 -inform DER");
	ck_assert_ptr_null(tls_key_read(reader, der, sizeof der - 1, why));
	unit_contains(why, "openssl pkey -inform DER");
} END_TEST

/* ---- chains ------------------------------------------------------------- */

START_TEST(a_chain_is_read_with_text_before_it_and_dos_line_ends)
{
	static char text[65536];
	size_t len = 0;

	certificate_write("chain", leaf);
	certificate_add("chain", middle);
	len += (size_t)sprintf(text, "subject=leaf\r\n\r\n");
	for (const char *c = unit_read_file("chain"); *c; c++) {
		if (*c == '\n')
			text[len++] = '\r';
		text[len++] = *c;
	}
	ck_assert_msg(read_text(text), "%s", why);
	ck_assert_uint_eq(chain.n, 2);
	ck_assert_int_eq(tls_chain_order(&chain, leaf->key, why), TLS_ORDER_RIGHT);
} END_TEST

START_TEST(a_key_in_the_same_file_is_passed_over)
{
	certificate_write_key("chain", leaf);
	certificate_add("chain", leaf);
	ck_assert_msg(read_text(unit_read_file("chain")), "%s", why);
	ck_assert_uint_eq(chain.n, 1);
} END_TEST

START_TEST(too_many_certificates_are_told)
{
	certificate_write("chain", leaf);
	for (int i = 0; i < 10; i++)
		certificate_add("chain", middle);
	ck_assert(!read_text(unit_read_file("chain")));
	unit_contains(why, "too many certificates (at most 10)");
} END_TEST

START_TEST(what_another_chain_has_is_not_decoded_again)
{
	struct tls_chain like = { 0 };
	const char *text;

	certificate_write("chain", other);
	certificate_add("chain", middle);
	text = unit_read_file("chain");
	ck_assert(tls_chain_read(&like, text, strlen(text), 10, NULL, why));
	certificate_write("chain", leaf);
	certificate_add("chain", middle);
	text = unit_read_file("chain");
	ck_assert(tls_chain_read(&chain, text, strlen(text), 10, &like, why));
	ck_assert_ptr_eq(chain.links[1].certificate, like.links[1].certificate);
	ck_assert_ptr_ne(chain.links[0].certificate, like.links[0].certificate);
	tls_chain_free(&like);
	ck_assert_int_eq(tls_chain_order(&chain, leaf->key, why), TLS_ORDER_RIGHT);
} END_TEST

/* l leaf, m middle, r root, o other */
static const struct {
	const char    *files;
	bool           with_key;
	enum tls_order order;
	const char    *why;
} orders[] = {
	{ "l", true, TLS_ORDER_RIGHT, "" },
	{ "lm", true, TLS_ORDER_RIGHT, "" },
	{ "lmr", true, TLS_ORDER_RIGHT, "" },
	{ "lmr", false, TLS_ORDER_RIGHT, "" },
	{ "o", true, TLS_ORDER_RIGHT, "" },             /* the key is judged elsewhere */
	{ "ml", true, TLS_ORDER_WRONG, "number 2, CN=leaf; number 1, CN=Middle" },
	{ "ml", false, TLS_ORDER_WRONG, "number 2, CN=leaf; number 1, CN=Middle" },
	{ "rml", true, TLS_ORDER_WRONG, "number 3, CN=leaf; number 2, CN=Middle; number 1, CN=Root" },
	{ "lrm", true, TLS_ORDER_WRONG, "number 1, CN=leaf; number 3, CN=Middle; number 2, CN=Root" },
	{ "ol", true, TLS_ORDER_WRONG, "number 2, CN=leaf" },
	{ "lom", true, TLS_ORDER_WRONG, "number 1, CN=leaf; number 3, CN=Middle" },
	{ "lo", true, TLS_ORDER_FOREIGN, "number 2, CN=other" },
	{ "lmo", true, TLS_ORDER_FOREIGN, "number 3, CN=other" },
	{ "lmm", true, TLS_ORDER_FOREIGN, "number 3, CN=Middle" },
	{ "lr", true, TLS_ORDER_FOREIGN, "number 2, CN=Root" },
};

static const struct certificate *by_letter(char c)
{
	return c == 'l' ? leaf : c == 'm' ? middle : c == 'r' ? root : c == 'o' ? other : NULL;
}

START_TEST(the_order_of_a_chain_is_judged)
{
	const char *f = orders[_i].files;

	ck_assert(read_chain(by_letter(f[0]), f[1] ? by_letter(f[1]) : NULL, f[1] && f[2] ? by_letter(f[2]) : NULL));
	why[0] = '\0';
	ck_assert_int_eq(tls_chain_order(&chain, orders[_i].with_key ? leaf->key : NULL, why), orders[_i].order);
	ck_assert_str_eq(why, orders[_i].why);
} END_TEST

/* ---- what a certificate says -------------------------------------------- */

static void collect(void *arg, const char *name)
{
	strcat(strcat(arg, name), " ");
}

START_TEST(names_of_servers_and_addresses_are_told_in_lower_case)
{
	char names[512] = "";

	ck_assert(read_chain(leaf, NULL, NULL));
	tls_chain_names(chain.links[0].certificate, collect, names);
	ck_assert_str_eq(names, "a.example *.a.example 192.0.2.1 2001:db8::1 ");
	names[0] = '\0';
	ck_assert(read_chain(root, NULL, NULL));
	tls_chain_names(chain.links[0].certificate, collect, names);
	ck_assert_str_eq(names, "");
} END_TEST

START_TEST(a_name_with_odd_bytes_is_passed_over)
{
	struct certificate *odd = certificate_make(&(struct certificate_wish){
		.subject = "odd\n", .names = "DNS:a b,DNS:x\x01y,DNS:fine" });
	char names[512] = "", subject[64];

	ck_assert(read_chain(odd, NULL, NULL));
	tls_chain_names(chain.links[0].certificate, collect, names);
	ck_assert_str_eq(names, "fine ");
	ck_assert_ptr_null(strchr(tls_chain_subject(chain.links[0].certificate, subject, sizeof subject), '\n'));
	certificate_free(odd);
} END_TEST

START_TEST(times_and_digests_are_told)
{
	struct tls_facts facts;
	const int64_t now = time(NULL);
	uint8_t sha256[32];

	ck_assert(read_chain(leaf, NULL, NULL));
	ck_assert(tls_chain_facts(chain.links[0].certificate, &facts, why));
	ck_assert_int_le(llabs(facts.not_before - (now - CERTIFICATES_DAY)), 60);
	ck_assert_int_le(llabs(facts.not_after - (now + 90 * CERTIFICATES_DAY)), 60);
	ck_assert(tls_key_sha256(leaf->key, sha256));
	ck_assert_mem_eq(facts.spki_sha256, sha256, sizeof sha256);
	ck_assert(EVP_Digest(chain.links[0].der, chain.links[0].len, sha256, NULL, EVP_sha256(), NULL) == 1);
	ck_assert_mem_eq(facts.sha256, sha256, sizeof sha256);
} END_TEST

/* ---- keys --------------------------------------------------------------- */

static const struct { const char *wanted, *type; bool isolated; } types[] = {
	{ "P-256", "EC P-256", true }, { "P-384", "EC P-384", true }, { "P-521", "EC P-521", false },
	{ "RSA", "RSA 2048", true }, { "Ed25519", "Ed25519", true },
};

START_TEST(keys_are_read_and_belong_to_their_certificates)
{
	struct certificate *c = certificate_make(&(struct certificate_wish){ .subject = "c",
	                                                                     .type = types[_i].wanted });
	char type[64];
	EVP_PKEY *key;

	certificate_write("key", leaf);         /* certificates before the key are passed over */
	certificate_add_key("key", c);
	for (int i = 0; i < 3; i++) {
		key = read_key("key");
		ck_assert_msg(key != NULL, "%s", why);
		ck_assert_int_eq(EVP_PKEY_eq(key, c->key), 1);
		ck_assert_int_eq(EVP_PKEY_eq(key, leaf->key) == 1, 0);
		ck_assert_str_eq(tls_key_type(key, type, sizeof type), types[_i].type);
		ck_assert_int_eq(tls_key_can_be_isolated(key), types[_i].isolated);
		EVP_PKEY_free(key);
	}
	certificate_free(c);
} END_TEST

START_TEST(keys_in_older_forms_are_read)
{
	static const char *const commands[] = {
		"openssl ecparam -name prime256v1 -genkey -out key 2>/dev/null",
		"openssl genrsa -traditional -out key 2048 2>/dev/null",
	};
	EVP_PKEY *key;

	if (system("openssl version >/dev/null 2>&1") != 0)
		return;
	ck_assert_int_eq(system(commands[_i]), 0);
	key = read_key("key");
	ck_assert_msg(key != NULL, "%s", why);
	EVP_PKEY_free(key);
} END_TEST

START_TEST(an_encrypted_key_is_told_with_the_command_that_decrypts_it)
{
	certificate_write_encrypted_key("key", leaf);
	ck_assert_ptr_null(read_key("key"));
	unit_contains(why, "line 1: the private key is encrypted (decrypt it: openssl pkey");
	unit_write_file("key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
	                "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n"
	                "-----END RSA PRIVATE KEY-----\n");
	ck_assert_ptr_null(read_key("key"));
	unit_contains(why, "the private key is encrypted");
} END_TEST

START_TEST(a_file_without_a_key_is_told)
{
	certificate_write("key", leaf);
	ck_assert_ptr_null(read_key("key"));
	unit_contains(why, "there is no private key in it");
	unit_write_file("key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	ck_assert_ptr_null(read_key("key"));
	unit_contains(why, "line 1: the private key cannot be decoded (");
	unit_write_file("key", "");
	ck_assert_ptr_null(read_key("key"));
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_chain");
	TCase *tc = unit_case(s, "pem", set_up, tear_down);

	tcase_add_test(tc, a_text_is_cut_into_its_blocks_with_their_lines);
	tcase_add_loop_test(tc, what_is_broken_is_told_with_its_line, 0, ARRAY_SIZE(broken));
	tcase_add_test(tc, der_is_told_with_the_command_that_converts_it);
	tc = unit_case(s, "chain", set_up, tear_down);
	tcase_add_test(tc, a_chain_is_read_with_text_before_it_and_dos_line_ends);
	tcase_add_test(tc, a_key_in_the_same_file_is_passed_over);
	tcase_add_test(tc, too_many_certificates_are_told);
	tcase_add_test(tc, what_another_chain_has_is_not_decoded_again);
	tcase_add_loop_test(tc, the_order_of_a_chain_is_judged, 0, ARRAY_SIZE(orders));
	tc = unit_case(s, "facts", set_up, tear_down);
	tcase_add_test(tc, names_of_servers_and_addresses_are_told_in_lower_case);
	tcase_add_test(tc, a_name_with_odd_bytes_is_passed_over);
	tcase_add_test(tc, times_and_digests_are_told);
	tc = unit_case(s, "key", set_up, tear_down);
	tcase_add_loop_test(tc, keys_are_read_and_belong_to_their_certificates, 0, ARRAY_SIZE(types));
	tcase_add_loop_test(tc, keys_in_older_forms_are_read, 0, 2);
	tcase_add_test(tc, an_encrypted_key_is_told_with_the_command_that_decrypts_it);
	tcase_add_test(tc, a_file_without_a_key_is_told);
	return unit_run(s);
}

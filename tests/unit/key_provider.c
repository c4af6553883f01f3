/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys that are in a key process sign as OpenSSL's own keys do, alone and in handshakes; all else
 * stays with OpenSSL's own provider.
 */
#include <config.h>

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include "clock.h"
#include "key_harness.h"
#include "tls_keys.h"

static struct pair pairs[PAIRS];
static struct conf_certificate certificates[PAIRS];
static struct conf_service service, other;
static struct key_fixture process;
static struct key_channel ours, its;
static struct tls_keys *keys;

static void make_pairs(void)
{
	unit_enter_folder();
	unit_block_sigpipe();
	for (int i = 0; i < PAIRS; i++) {
		pair_make(&pairs[i], (enum pair_kind)i, i);
		certificates[i] = pairs[i].certificate;
	}
	service.tls = (struct conf_tls){ .on = true, .isolate_keys = true,
	                                 .certificates = certificates, .n_certificates = PAIRS };
	other = (struct conf_service){ .tls = { .on = true, .isolate_keys = true,
	                                        .certificates = certificates, .n_certificates = 1 } };
	process = (struct key_fixture){ .services = { &service, &other }, .needs_all = true };
	process.conf = (struct conf){ .services = process.services, .n_services = 2 };
	ck_assert_int_eq(key_channel_open(&its, &ours), 0);
}

static void free_pairs(void)
{
	for (int i = 0; i < PAIRS; i++)
		pair_free(&pairs[i]);
	key_channel_close(&ours);
	unit_leave_folder();
}

static void open_keys(void)
{
	char why[KEY_FILE_WHY];

	keys = tls_keys_open(&service.tls, &ours, why);
	ck_assert_ptr_nonnull(keys);
}

static void start_process(size_t index)
{
	key_fixture_start(&process, &(struct key_caller){ index, its }, 1);
	key_channel_close(&its);
	ck_assert_int_eq(key_fixture_hear(&process), LEASH_READY);
}

static void setup(void)
{
	make_pairs();
	start_process(0);
	open_keys();
}

static void teardown(void)
{
	tls_keys_free(&keys);
	key_fixture_end(&process);
	free_pairs();
}

/* ---- signatures --------------------------------------------------------- */

static const struct {
	const char    *name;
	enum pair_kind kind;
	const char    *digest;
	int            padding;         /* 0: none */
} signatures[] = {
	{ "RSA PKCS1 SHA-256", PAIR_RSA, "SHA256", RSA_PKCS1_PADDING },
	{ "RSA PKCS1 SHA-384", PAIR_RSA, "SHA384", RSA_PKCS1_PADDING },
	{ "RSA PKCS1 SHA-512", PAIR_RSA, "SHA512", RSA_PKCS1_PADDING },
	{ "RSA PSS SHA-256", PAIR_RSA, "SHA256", RSA_PKCS1_PSS_PADDING },
	{ "RSA PSS SHA-384", PAIR_RSA, "SHA384", RSA_PKCS1_PSS_PADDING },
	{ "RSA PSS SHA-512", PAIR_RSA, "SHA512", RSA_PKCS1_PSS_PADDING },
	{ "ECDSA P-256", PAIR_P256, "SHA256", 0 },
	{ "ECDSA P-384", PAIR_P384, "SHA384", 0 },
	{ "Ed25519", PAIR_ED25519, NULL, 0 },
};

static void set_padding(EVP_PKEY_CTX *ctx, int padding)
{
	if (padding == 0)
		return;
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 0);
	if (padding == RSA_PKCS1_PSS_PADDING)
		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST), 0);
}

static const unsigned char text[] = "what is signed";

static bool sign(EVP_PKEY *key, int row, unsigned char *signature, size_t *len)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	bool done;

	ck_assert_int_eq(EVP_DigestSignInit_ex(md, &ctx, signatures[row].digest, NULL, NULL, key, NULL), 1);
	set_padding(ctx, signatures[row].padding);
	done = EVP_DigestSign(md, signature, len, text, sizeof text) == 1;
	EVP_MD_CTX_free(md);
	return done;
}

static int verify(EVP_PKEY *key, int row, const unsigned char *signature, size_t len)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	int result;

	ck_assert_int_eq(EVP_DigestVerifyInit_ex(md, &ctx, signatures[row].digest, NULL, NULL, key, NULL), 1);
	set_padding(ctx, signatures[row].padding);
	result = EVP_DigestVerify(md, signature, len, text, sizeof text);
	EVP_MD_CTX_free(md);
	return result;
}

START_TEST(signs_as_the_private_key_does)
{
	const enum pair_kind kind = signatures[_i].kind;
	EVP_PKEY *key = tls_keys_get(keys, &certificates[kind], kind);
	unsigned char signature[1024];
	size_t len = sizeof signature;

	ck_assert_ptr_nonnull(key);
	ck_assert(sign(key, _i, signature, &len));
	ck_assert_msg(verify(pairs[kind].made->key, _i, signature, len) == 1, "%s", signatures[_i].name);
	ck_assert_int_le((int)len, EVP_PKEY_get_size(key));
	signature[len / 2] ^= 1;
	ck_assert_int_ne(verify(pairs[kind].made->key, _i, signature, len), 1);
	EVP_PKEY_free(key);
} END_TEST

START_TEST(is_equal_to_the_public_key)
{
	EVP_PKEY *key = tls_keys_get(keys, &certificates[_i], (size_t)_i);
	EVP_PKEY *another = tls_keys_get(keys, &certificates[(_i + 1) % PAIRS], (size_t)(_i + 1) % PAIRS);

	ck_assert_int_eq(X509_check_private_key(pairs[_i].made->x509, key), 1);
	ck_assert_int_eq(EVP_PKEY_eq(key, pairs[_i].made->key), 1);
	ck_assert_int_ne(X509_check_private_key(pairs[_i].made->x509, another), 1);
	ck_assert_int_eq(EVP_PKEY_get_bits(key), EVP_PKEY_get_bits(pairs[_i].made->key));
	ck_assert_int_eq(EVP_PKEY_get_size(key), EVP_PKEY_get_size(pairs[_i].made->key));
	EVP_PKEY_free(another);
	EVP_PKEY_free(key);
} END_TEST

START_TEST(private_part_cannot_be_exported)
{
	EVP_PKEY *key = tls_keys_get(keys, &certificates[_i], (size_t)_i);
	OSSL_PARAM *params = NULL;
	unsigned char *der = NULL;

	ck_assert_int_ne(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
	ck_assert_int_le(i2d_PrivateKey(key, &der), 0);
	ERR_clear_error();
	EVP_PKEY_free(key);
} END_TEST

/* ---- handshakes --------------------------------------------------------- */

/* Both sides in this process, until both are done or one fails. */
static bool shake_hands(SSL *client, SSL *server)
{
	BIO *one, *two;
	int c = 0, s = 0;

	ck_assert_int_eq(BIO_new_bio_pair(&one, 1 << 16, &two, 1 << 16), 1);
	SSL_set_bio(client, one, one);
	SSL_set_bio(server, two, two);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int turn = 0; turn < 20 && !(c == 1 && s == 1); turn++) {
		if (c != 1 && (c = SSL_do_handshake(client)) != 1 &&
		    SSL_get_error(client, c) != SSL_ERROR_WANT_READ)
			return false;
		if (s != 1 && (s = SSL_do_handshake(server)) != 1 &&
		    SSL_get_error(server, s) != SSL_ERROR_WANT_READ)
			return false;
	}
	return c == 1 && s == 1;
}

static SSL_CTX *make_context(int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	ck_assert_ptr_nonnull(ctx);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	return ctx;
}

/* The client has a certificate of `client` kind, which the server verifies. */
static void handshake(SSL_CTX *server_ctx, int version, enum pair_kind kind, enum pair_kind client_kind)
{
	SSL_CTX *client_ctx = make_context(version);
	SSL *server = SSL_new(server_ctx), *client = SSL_new(client_ctx);
	EVP_PKEY *key = tls_keys_get(keys, &certificates[kind], kind);
	X509_STORE *store = SSL_CTX_get_cert_store(server_ctx);

	X509_STORE_add_cert(store, pairs[client_kind].made->x509);
	SSL_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	ck_assert_int_eq(SSL_use_cert_and_key(client, pairs[client_kind].made->x509,
	                                      pairs[client_kind].made->key, NULL, 1), 1);
	ck_assert_int_eq(SSL_use_cert_and_key(server, pairs[kind].made->x509, key, NULL, 1), 1);
	if (!shake_hands(client, server)) {
		ERR_print_errors_fp(stderr);
		ck_abort_msg("kind %d, version %x", kind, version);
	}
	ck_assert_int_eq(SSL_version(client), version);
	ck_assert_int_eq(SSL_get_verify_result(server), X509_V_OK);
	EVP_PKEY_free(key);
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(client_ctx);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

START_TEST(handshake_with_keys_in_the_key_process)
{
	const int version = versions[_i % 2];
	SSL_CTX *ctx = make_context(version);

	for (int client = 0; client < PAIRS; client++)
		handshake(ctx, version, (enum pair_kind)(_i / 2), (enum pair_kind)client);
	SSL_CTX_free(ctx);
} END_TEST

/* openssl#19128: with a provider that is loaded later, there was "no private key". */
START_TEST(handshake_with_a_context_that_was_made_before)
{
	const int version = versions[_i % 2];
	SSL_CTX *ctx;

	make_pairs();
	start_process(0);
	ctx = make_context(version);
	open_keys();
	handshake(ctx, version, (enum pair_kind)(_i / 2), PAIR_RSA);
	SSL_CTX_free(ctx);
	teardown();
} END_TEST

/* ---- trouble ------------------------------------------------------------ */

static bool sign_with(enum pair_kind kind, char reason[static 256])
{
	EVP_PKEY *key = tls_keys_get(keys, &certificates[kind], kind);
	unsigned char signature[1024];
	size_t len = sizeof signature;
	const char *data = "";
	int flags;
	bool done;

	ERR_clear_error();
	done = sign(key, kind == PAIR_P256 ? 6 : 0, signature, &len);
	if (!done)
		ERR_peek_error_all(NULL, NULL, NULL, &data, &flags);
	snprintf(reason, 256, "%s", data);
	ERR_clear_error();
	EVP_PKEY_free(key);
	return done;
}

START_TEST(key_of_another_service_is_not_there)
{
	char reason[256];

	make_pairs();
	start_process(1);               /* we are a worker of the other service, which has the first key only */
	open_keys();
	ck_assert(sign_with(PAIR_RSA, reason));
	ck_assert(!sign_with(PAIR_P256, reason));
	ck_assert_str_eq(reason, "key process: it does not have the key");
	teardown();
} END_TEST

START_TEST(silent_key_process_costs_two_seconds_once)
{
	char reason[256];
	int64_t began, took;

	make_pairs();
	open_keys();
	began = clock_ms();
	ck_assert(!sign_with(PAIR_P256, reason));
	ck_assert_str_eq(reason, "key process: it does not answer");
	took = clock_ms() - began;
	ck_assert_int_ge(took, 2000);
	began = clock_ms();
	ck_assert(!sign_with(PAIR_P256, reason));
	ck_assert_int_lt(clock_ms() - began, 1000);
	/* One that comes later answers both of them, and then the next one. */
	start_process(0);
	while (!sign_with(PAIR_P256, reason))
		ck_assert_str_eq(reason, "key process: it does not answer");
	teardown();
} END_TEST

START_TEST(key_process_that_is_gone_fails_at_once)
{
	char reason[256];

	make_pairs();
	open_keys();
	key_channel_close(&its);
	ck_assert(!sign_with(PAIR_P256, reason));
	ck_assert_str_eq(reason, "key process: it is gone");
	tls_keys_free(&keys);
	free_pairs();
} END_TEST

/* What another process could answer in place of a key process. */
static void answer_with(const struct key_answer *a, size_t len, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(write(its.answers, a, len), (ssize_t)len);
}

START_TEST(garbage_for_an_answer_is_thrown_away)
{
	struct key_answer a = { .magic = KEY_MAGIC, .number = 1, .status = KEY_SIGNED, .len = 64 };
	char reason[256];

	make_pairs();
	open_keys();
	answer_with(&a, 3, 2);                          /* short */
	answer_with(&a, key_answer_size(&a) - 1, 2);    /* not as long as it says */
	a.number = 77;
	answer_with(&a, key_answer_size(&a), 2);        /* of another request */
	a.status = KEY_STATUSES;
	answer_with(&a, key_answer_size(&a), 2);
	start_process(0);
	ck_assert(sign_with(PAIR_P256, reason));
	teardown();
} END_TEST

static const struct {
	const char        *name;
	struct key_request request;
	size_t             len;         /* 0: as it says */
} bad_requests[] = {
	{ "a byte", { .magic = KEY_MAGIC }, 1 },
	{ "another magic", { .magic = 1, .scheme = KEY_EDDSA, .len = 5 }, 0 },
	{ "shorter than it says", { .magic = KEY_MAGIC, .scheme = KEY_EDDSA, .len = 5 }, 26 },
	{ "longer than it says", { .magic = KEY_MAGIC, .scheme = KEY_EDDSA, .len = 5 }, 100 },
	{ "as long as nothing can be", { .magic = KEY_MAGIC, .scheme = KEY_EDDSA, .len = UINT32_MAX }, 100 },
	{ "a scheme that is none", { .magic = KEY_MAGIC, .scheme = KEY_SCHEMES, .len = 5 }, 0 },
	{ "a digest that is none", { .magic = KEY_MAGIC, .scheme = KEY_ECDSA, .digest = KEY_DIGESTS,
	                             .len = 32 }, 0 },
	{ "a digest of the wrong length", { .magic = KEY_MAGIC, .scheme = KEY_RSA_PSS,
	                                    .digest = KEY_SHA256, .len = 31 }, 0 },
	{ "no digest", { .magic = KEY_MAGIC, .scheme = KEY_RSA_PKCS1, .len = 32 }, 0 },
};

START_TEST(garbage_for_a_request_ends_the_channel)
{
	const struct key_request *r = &bad_requests[_i].request;
	const size_t len = bad_requests[_i].len > 0 ? bad_requests[_i].len : key_request_size(r);
	struct pollfd answers = { .fd = ours.answers, .events = POLLIN };

	ck_assert_int_eq(write(ours.requests, r, len), (ssize_t)len);
	ck_assert_int_eq(key_fixture_hear(&process), LEASH_KEYS);
	unit_contains(process.report->text, "malformed request");
	ck_assert_int_eq(poll(&answers, 1, -1), 1);
	ck_assert_int_eq(read(ours.answers, &(char){ 0 }, 1), 0);
} END_TEST

/* Whole requests that make no sense for the key. */
static const struct {
	struct key_request request;
	enum key_status    status;
} odd_requests[] = {
	{ { .key = PAIRS, .scheme = KEY_EDDSA, .len = 5 }, KEY_UNKNOWN },
	{ { .key = UINT32_MAX, .scheme = KEY_EDDSA, .len = 5 }, KEY_UNKNOWN },
	{ { .key = PAIR_RSA, .scheme = KEY_ECDSA, .digest = KEY_SHA256, .len = 32 }, KEY_REFUSED },
	{ { .key = PAIR_P256, .scheme = KEY_RSA_PSS, .digest = KEY_SHA256, .len = 32 }, KEY_REFUSED },
	{ { .key = PAIR_P384, .scheme = KEY_EDDSA, .len = 32 }, KEY_REFUSED },
	{ { .key = PAIR_ED25519, .scheme = KEY_ECDSA, .digest = KEY_SHA256, .len = 32 }, KEY_REFUSED },
	{ { .key = PAIR_ED25519, .scheme = KEY_EDDSA, .len = KEY_DATA_MAX }, KEY_SIGNED },
};

START_TEST(odd_request_is_answered)
{
	struct pollfd answers = { .fd = ours.answers, .events = POLLIN };
	struct key_request r = odd_requests[_i].request;
	struct key_answer a;
	ssize_t n;

	r.magic = KEY_MAGIC;
	r.number = 5;
	ck_assert_int_eq(write(ours.requests, &r, key_request_size(&r)), (ssize_t)key_request_size(&r));
	ck_assert_int_eq(poll(&answers, 1, -1), 1);
	n = read(ours.answers, &a, sizeof a);
	ck_assert(n > 0 && key_answer_is_whole(&a, (size_t)n));
	ck_assert_uint_eq(a.status, odd_requests[_i].status);
	ck_assert_uint_eq(a.number, 5);
} END_TEST

/* ---- files -------------------------------------------------------------- */

START_TEST(key_of_another_certificate_ends_the_key_process)
{
	make_pairs();
	certificate_write_key("1.key", pairs[PAIR_P384].made);
	key_fixture_start(&process, NULL, 0);
	ck_assert_int_eq(key_fixture_hear(&process), LEASH_WORDS);
	ck_assert_int_eq(WEXITSTATUS(key_fixture_join(&process)), 78);
	ck_assert_str_eq(process.report->text, "test.conf:2: private key \"1.key\": it does not belong to"
	                 " the certificate in use, of 1.pem");
	free_pairs();
} END_TEST

START_TEST(key_that_was_lost_costs_only_its_own_certificate)
{
	char reason[256];

	make_pairs();
	process.needs_all = false;
	ck_assert_int_eq(unlink("0.key"), 0);
	key_fixture_start(&process, &(struct key_caller){ 0, its }, 1);
	key_channel_close(&its);
	ck_assert_int_eq(key_fixture_hear(&process), LEASH_KEYS);
	ck_assert_str_eq(process.report->text, "test.conf:1: private key \"0.key\": No such file or"
	                 " directory");
	ck_assert_int_eq(key_fixture_hear(&process), LEASH_READY);
	open_keys();
	ck_assert(sign_with(PAIR_P256, reason));
	ck_assert(!sign_with(PAIR_RSA, reason));
	teardown();
} END_TEST

START_TEST(without_isolation_the_worker_reads_the_keys)
{
	char why[KEY_FILE_WHY];
	EVP_PKEY *key;

	make_pairs();
	service.tls.isolate_keys = false;
	keys = tls_keys_open(&service.tls, &(struct key_channel){ -1, -1 }, why);
	ck_assert_ptr_nonnull(keys);
	key = tls_keys_get(keys, &certificates[PAIR_P256], PAIR_P256);
	ck_assert_int_eq(EVP_PKEY_eq(key, pairs[PAIR_P256].made->key), 1);
	EVP_PKEY_free(key);
	tls_keys_free(&keys);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	certificates[PAIR_RSA].key = "fifo";
	ck_assert_ptr_null(tls_keys_open(&service.tls, &(struct key_channel){ -1, -1 }, why));
	ck_assert_str_eq(why, "test.conf:1: private key \"fifo\": it is not a regular file");
	free_pairs();
} END_TEST

int main(void)
{
	Suite *s = suite_create("key_provider");
	TCase *with = unit_case(s, "with", setup, teardown), *alone = unit_case(s, "alone", NULL, NULL);

	tcase_add_loop_test(with, signs_as_the_private_key_does, 0, ARRAY_SIZE(signatures));
	tcase_add_loop_test(with, is_equal_to_the_public_key, 0, PAIRS);
	tcase_add_loop_test(with, private_part_cannot_be_exported, 0, PAIRS);
	tcase_add_loop_test(with, handshake_with_keys_in_the_key_process, 0, 2 * PAIRS);
	tcase_add_loop_test(with, garbage_for_a_request_ends_the_channel, 0, ARRAY_SIZE(bad_requests));
	tcase_add_loop_test(with, odd_request_is_answered, 0, ARRAY_SIZE(odd_requests));
	tcase_add_loop_test(alone, handshake_with_a_context_that_was_made_before, 0, 2 * PAIRS);
	tcase_add_test(alone, key_of_another_service_is_not_there);
	tcase_add_test(alone, silent_key_process_costs_two_seconds_once);
	tcase_add_test(alone, key_process_that_is_gone_fails_at_once);
	tcase_add_test(alone, garbage_for_an_answer_is_thrown_away);
	tcase_add_test(alone, key_of_another_certificate_ends_the_key_process);
	tcase_add_test(alone, key_that_was_lost_costs_only_its_own_certificate);
	tcase_add_test(alone, without_isolation_the_worker_reads_the_keys);
	return unit_run(s);
}

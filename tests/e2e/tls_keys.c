/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private keys are in one process only, and no client notices when that process dies, hangs or is
 * replaced.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "control_harness.h"
#include "operator.h"
#include "../certificates.h"
#include "tls_client.h"
#include "tls_load.h"

/* The paths of a pair, for two of %s. */
#define TLS(rest) ECHO("tls = { chain = \"%s\"; key = \"%s\"; " rest " };")
#define PAIR(name) files_path(name ".pem"), files_path(name ".key")

static struct daemon d;

/* ---- helpers ------------------------------------------------------------ */

/* A certificate and its key in the test's folder. */
static void issue(const char *name, const char *type)
{
	certificate_issue(files_path(name), &(struct certificate_wish){ .names = "DNS:a.example", .type = type });
}

static void make_pairs(void)
{
	issue("rsa", "RSA");
	issue("ec", "P-256");
}

static pid_t next_key_process(void)
{
	return (pid_t)event_number(daemon_wait_for(&d, "key-process-ready"), "pid");
}

static pid_t start(const char *name)
{
	daemon_start(&d, TLS(""), control_path(), files_path(files_text("%s.pem", name)),
	             files_path(files_text("%s.key", name)));
	return next_key_process();
}

static void echo(SSL *ssl)
{
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
}

/* NULL if the handshake fails. */
static SSL *shake_hands(int fd)
{
	SSL *ssl = tls_client_new(fd, &(struct tls_client_wish){ 0 });

	if (tls_client_shake_hands(ssl))
		return ssl;
	tls_client_close(ssl);
	return NULL;
}

static SSL *visit(void)
{
	SSL *ssl = shake_hands(daemon_connect(&d, "s"));

	ck_assert_ptr_nonnull(ssl);
	echo(ssl);
	return ssl;
}

static bool shows(SSL *ssl, const char *name)
{
	X509 *x = SSL_get1_peer_certificate(ssl);
	char its[64] = "";

	ck_assert_ptr_nonnull(x);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, its, sizeof its);
	X509_free(x);
	return strcmp(its, name) == 0;
}

static bool is_visited_with(const char *certificate)
{
	SSL *ssl = shake_hands(daemon_connect(&d, "s"));
	const bool is = ssl && shows(ssl, certificate);

	if (!ssl)
		return false;
	echo(ssl);
	tls_client_close(ssl);
	return is;
}

static void check_visit(const char *certificate)
{
	ck_assert(is_visited_with(certificate));
}

/* After a reload, an old worker may accept until it has heard that it is to drain. */
static void await_visit(const char *certificate)
{
	while (!is_visited_with(certificate))
		;
}

/* ---- memory ------------------------------------------------------------- */

#define FORMS 3

/* A key as it may lie in memory: a secret number in both orders of bytes, and lines of its file. */
struct secret {
	unsigned char bytes[FORMS][256];
	size_t        len[FORMS];
};

static void keep_number(struct secret *s, const EVP_PKEY *key, const char *name)
{
	BIGNUM *n = NULL;

	ck_assert_int_eq(EVP_PKEY_get_bn_param(key, name, &n), 1);
	s->len[0] = s->len[1] = (size_t)BN_num_bytes(n);
	ck_assert_uint_lt(s->len[0], sizeof s->bytes[0]);
	BN_bn2bin(n, s->bytes[0]);
	BN_bn2lebinpad(n, s->bytes[1], (int)s->len[1]);
	BN_clear_free(n);
}

/* The second line of Base64; of a short key, the first, which has half of the secret number. */
static void keep_line(struct secret *s, const char *path)
{
	const char *text = files_read(path), *line = strchr(text, '\n') + 1;
	const char *next = strchr(line, '\n') + 1;

	if (*next != '-' && strlen(next) > 64)
		line = next;
	s->len[2] = strcspn(line, "\n");
	memcpy(s->bytes[2], line, s->len[2]);
}

static struct secret read_secret(const char *name, const char *number)
{
	const char *path = files_path(files_text("%s.key", name));
	FILE *f = fopen(path, "re");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	struct secret s;

	ck_assert_msg(key, "%s: %m", path);
	fclose(f);
	keep_number(&s, key, number);
	keep_line(&s, path);
	EVP_PKEY_free(key);
	return s;
}

static bool remembers(pid_t pid, const struct secret *s)
{
	for (int i = 0; i < FORMS; i++)
		if (process_remembers_bytes(pid, s->bytes[i], s->len[i]))
			return true;
	return false;
}

/* The master and its children, but not the key process. */
static void check_others_forget(pid_t holder, const struct secret *s)
{
	const char *children = files_read(files_text("/proc/%d/task/%d/children", d.pid, d.pid));
	int pid, n, others = 0;

	ck_assert(!remembers(d.pid, s));
	for (; sscanf(children, "%d%n", &pid, &n) == 1; children += n)
		if (pid != holder) {
			ck_assert_msg(!remembers(pid, s), "process %d: %s", pid,
			              files_read(files_text("/proc/%d/cmdline", pid)));
			others++;
		}
	ck_assert_int_ge(others, 2);
}

/* Used, so that whatever signatures leave behind is there; and after a reload. */
START_TEST(no_other_process_has_a_key_in_its_memory)
{
	struct secret rsa, ec;
	pid_t holder;
	int former;

	make_pairs();
	rsa = read_secret("rsa", OSSL_PKEY_PARAM_RSA_FACTOR1);
	ec = read_secret("ec", OSSL_PKEY_PARAM_PRIV_KEY);
	holder = start("rsa");
	for (int i = 0; i < 4; i++)
		check_visit("rsa");
	ck_assert(remembers(holder, &rsa));
	check_others_forget(holder, &rsa);
	former = process_watch(holder);
	daemon_reload(&d, TLS(""), control_path(), PAIR("ec"));
	holder = next_key_process();
	for (int i = 0; i < 4; i++)
		await_visit("ec");
	daemon_wait_for(&d, "generation-gone generation=1");
	process_wait_end(former);
	daemon_barrier(&d);             /* it has been waited for */
	ck_assert(remembers(holder, &ec));
	check_others_forget(holder, &ec);
	check_others_forget(holder, &rsa);
	ck_assert(!remembers(holder, &rsa));
	OPENSSL_cleanse(&rsa, sizeof rsa);
	OPENSSL_cleanse(&ec, sizeof ec);
} END_TEST

/* So that the search above finds what it looks for: in a worker that has the keys. */
START_TEST(without_isolation_the_workers_have_the_key)
{
	struct secret ec;
	pid_t worker;

	make_pairs();
	ec = read_secret("ec", OSSL_PKEY_PARAM_PRIV_KEY);
	daemon_start(&d, TLS("isolate_keys = false;"), control_path(), PAIR("ec"));
	worker = daemon_next_worker(&d, "s");
	check_visit("ec");
	ck_assert_uint_eq(daemon_saw(&d, "key-process-start"), 0);
	ck_assert(remembers(worker, &ec));
} END_TEST

/* ---- what the key process may do ---------------------------------------- */

START_TEST(key_process_can_do_nothing_but_sign)
{
	pid_t holder;
	struct stat st;

	make_pairs();
	holder = start("ec");
	ck_assert_str_eq(process_status(holder, "Seccomp"), "2");
	ck_assert_str_eq(process_status(holder, "NoNewPrivs"), "1");
	ck_assert_str_eq(process_status(holder, "CapPrm"), "0000000000000000");
	ck_assert_str_eq(process_status(holder, "CapBnd"), "0000000000000000");
	if (harness_is_root())
		ck_assert(process_status(holder, "Uid")[0] != '0');
	/* Of a process that cannot be dumped, they belong to root. */
	ck_assert_int_eq(stat(files_text("/proc/%d/mem", holder), &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	ck_assert_str_eq(process_file(files_text("/proc/%d/cmdline", holder)), "droverd: tls keys");
} END_TEST

/* Before, a client would wait for a signature, and other workers could serve it. */
static void check_accepts_after_keys(int generation)
{
	const struct event *keys = daemon_wait_for(&d, "key-process-ready generation=%d", generation);
	const pid_t worker = (pid_t)event_number(
		daemon_wait_for(&d, "worker-start service=s generation=%d", generation), "pid");

	ck_assert_uint_lt(keys->nr, daemon_wait_for(&d, "worker-ready service=s pid=%d", worker)->nr);
}

START_TEST(workers_accept_when_the_key_process_has_read_its_keys)
{
	make_pairs();
	daemon_start(&d, TLS(""), control_path(), PAIR("rsa"));
	check_accepts_after_keys(1);
	daemon_reload(&d, TLS(""), control_path(), PAIR("ec"));
	check_accepts_after_keys(2);
} END_TEST

/* ---- it dies, it hangs -------------------------------------------------- */

START_TEST(key_process_is_killed_under_load_and_no_handshake_fails)
{
	struct tls_load l;
	SSL *resident;
	pid_t holder;
	long served, failed;

	make_pairs();
	holder = start("ec");
	resident = visit();
	tls_load_start(&l, daemon_port(&d, "s", 0));
	for (int i = 0; i < 3; i++) {
		echo(resident);
		ck_assert_int_eq(kill(holder, SIGKILL), 0);
		daemon_wait_for(&d, "key-process-end pid=%d how=signal value=9", holder);
		holder = next_key_process();
		echo(resident);
	}
	served = tls_load_stop(&l, &failed);
	ck_assert_int_eq(failed, 0);
	ck_assert_int_gt(served, 0);
	check_visit("ec");
	tls_client_close(resident);
} END_TEST

START_TEST(key_process_that_hangs_is_replaced)
{
	struct tls_load l;
	SSL *resident;
	pid_t holder;
	long failed;

	make_pairs();
	holder = start("ec");
	resident = visit();
	tls_load_start(&l, daemon_port(&d, "s", 0));
	ck_assert_int_eq(kill(holder, SIGSTOP), 0);
	echo(resident);
	daemon_wait_for(&d, "key-process-hang pid=%d", holder);
	daemon_wait_for(&d, "key-process-end pid=%d how=signal value=9", holder);
	next_key_process();
	tls_load_stop(&l, &failed);     /* some may have waited for two seconds */
	echo(resident);
	for (int i = 0; i < 8; i++)
		check_visit("ec");
	tls_client_close(resident);
} END_TEST

START_TEST(workers_that_are_killed_come_back_with_the_same_key_process)
{
	struct tls_load l;
	long served, failed;

	make_pairs();
	start("ec");
	tls_load_start(&l, daemon_port(&d, "s", 0));
	for (int i = 0; i < 4; i++) {
		const pid_t worker = daemon_next_worker(&d, "s");

		ck_assert_int_eq(kill(worker, SIGKILL), 0);
		daemon_wait_for(&d, "worker-end pid=%d", worker);
	}
	daemon_next_worker(&d, "s");
	served = tls_load_stop(&l, &failed);    /* connections of killed workers are lost */
	ck_assert_int_gt(served, 0);
	check_visit("ec");
	ck_assert_uint_eq(daemon_saw(&d, "key-process-start"), 1);
} END_TEST

/* The files are read again then; a reload would have told that they have changed. */
START_TEST(key_that_was_replaced_without_a_reload_is_reported)
{
	SSL *resident;
	pid_t holder;

	make_pairs();
	holder = start("ec");
	resident = visit();
	issue("ec", "P-256");
	ck_assert_int_eq(kill(holder, SIGKILL), 0);
	daemon_wait_for(&d, "key-process-report");
	next_key_process();
	harness_contains(daemon_errors(&d), "private key \"");
	harness_contains(daemon_errors(&d), "it does not belong to the certificate in use");
	ck_assert_ptr_null(shake_hands(daemon_connect(&d, "s")));
	echo(resident);
	daemon_reload(&d, TLS(""), control_path(), PAIR("ec"));
	await_visit("ec");
	tls_client_close(resident);
} END_TEST

/* ---- reload ------------------------------------------------------------- */

START_TEST(reloads_with_other_keys_under_load_cost_no_handshake)
{
	struct tls_load l;
	SSL *resident;
	long served, failed;

	make_pairs();
	start("ec");
	resident = visit();
	tls_load_start(&l, daemon_port(&d, "s", 0));
	for (int i = 0; i < 10; i++) {
		daemon_reload(&d, TLS(""), control_path(), PAIR("rsa"));
		await_visit("rsa");
		echo(resident);
		daemon_reload(&d, TLS(""), control_path(), PAIR("ec"));
		await_visit("ec");
	}
	served = tls_load_stop(&l, &failed);
	ck_assert_int_eq(failed, 0);
	ck_assert_int_gt(served, 20);
	echo(resident);
	tls_client_close(resident);
} END_TEST

/* What is wrong with the key, and how the reason ends. */
static const struct {
	const char *setup, *key, *reason;
} broken[] = {
	{ "rm ec.key", "ec.key", "No such file or directory" },
	{ "cp rsa.key ec.key", "ec.key", "this is not the private key of the certificate in" },
	{ "echo hello > ec.key", "ec.key", "there is no private key in it" },
};

START_TEST(reload_with_a_broken_key_fails_and_says_why)
{
	SSL *resident;

	make_pairs();
	start("ec");
	resident = visit();
	process_must("/bin/sh", "-c", files_text("cd %s && %s", files_path(""), broken[_i].setup));
	ck_assert_int_ne(operator_run_args(control_path(), "reload"), 0);
	harness_contains(operator_errors(), broken[_i].key);
	harness_contains(operator_errors(), broken[_i].reason);
	echo(resident);
	check_visit("ec");
	tls_client_close(resident);
} END_TEST

/* keyless_droverd: the check finds nothing, and then the key process cannot read the key. */
static void lose_keys(bool lost)
{
	ck_assert_int_eq(setenv("KEYLESS", files_path("keyless"), 1), 0);
	if (lost)
		files_write("keyless", "%s", "");
	else
		ck_assert(unlink(files_path("keyless")) == 0 || errno == ENOENT);
}

START_TEST(reload_whose_key_process_fails_fails_and_says_why)
{
	SSL *resident;

	make_pairs();
	d.program = "tests/e2e/keyless_droverd";
	lose_keys(false);
	start("ec");
	resident = visit();
	lose_keys(true);
	ck_assert_int_ne(operator_run_args(control_path(), "reload"), 0);
	harness_contains(operator_errors(), "ec.key\": it was lost");
	daemon_wait_for(&d, "reload-failed reason=keys");
	daemon_wait_for(&d, "generation-gone generation=2");
	echo(resident);
	check_visit("ec");
	lose_keys(false);
	ck_assert_int_eq(operator_run_args(control_path(), "reload"), 0);
	await_visit("ec");
	tls_client_close(resident);
} END_TEST

START_TEST(start_whose_key_process_fails_is_no_start)
{
	make_pairs();
	d.program = "tests/e2e/keyless_droverd";
	lose_keys(true);
	d.may_end = true;
	daemon_config(&d, TLS(""), control_path(), PAIR("ec"));
	daemon_spawn(&d);
	ck_assert_int_eq(daemon_join(&d), EX_CONFIG);
	harness_contains(daemon_errors(&d), "ec.key\": it was lost");
} END_TEST

/* ---- upgrade ------------------------------------------------------------ */

/* Until the list of connections has one that has not begun its handshake. */
static void await_handshake(void)
{
	while (!strstr(control_ask("{\"command\":\"connections\"}", "\"connections\""), "\"handshake\""))
		;
}

/* A client that has connected, and begins its handshake when the program is another one. */
START_TEST(key_process_serves_the_workers_of_the_program_before)
{
	SSL *resident, *late;
	pid_t holder;
	int fd;

	make_pairs();
	holder = start("ec");
	resident = visit();
	fd = daemon_connect(&d, "s");
	await_handshake();
	upgrade_to_next(&d);
	ck_assert_int_ne(next_key_process(), holder);
	ck_assert_uint_eq(daemon_saw(&d, "key-process-end"), 0);
	late = shake_hands(fd);
	ck_assert_ptr_nonnull(late);
	echo(late);
	echo(resident);
	check_visit("ec");
	tls_client_close(late);
	tls_client_close(resident);
	daemon_wait_for(&d, "generation-gone generation=1");
	check_visit("ec");
} END_TEST

START_TEST(upgrade_whose_key_process_fails_goes_back)
{
	SSL *resident;

	make_pairs();
	lose_keys(true);
	start("ec");
	resident = visit();
	upgrade_install(upgrade_built("keyless_droverd"));
	ck_assert_int_ne(operator_run_args(control_path(), "upgrade"), 0);
	harness_contains(operator_errors(), "it was lost");
	echo(resident);
	check_visit("ec");
	tls_client_close(resident);
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_keys");
	TCase *tc = harness_case(s, "keys"), *upgrade = upgrade_case(s, "upgrade");

	harness_add_for_root(tc, no_other_process_has_a_key_in_its_memory);
	harness_add_for_root(tc, without_isolation_the_workers_have_the_key);
	tcase_add_test(tc, key_process_can_do_nothing_but_sign);
	tcase_add_test(tc, workers_accept_when_the_key_process_has_read_its_keys);
	tcase_add_test(tc, key_process_is_killed_under_load_and_no_handshake_fails);
	tcase_add_test(tc, key_process_that_hangs_is_replaced);
	tcase_add_test(tc, workers_that_are_killed_come_back_with_the_same_key_process);
	tcase_add_test(tc, key_that_was_replaced_without_a_reload_is_reported);
	tcase_add_test(tc, reloads_with_other_keys_under_load_cost_no_handshake);
	tcase_add_loop_test(tc, reload_with_a_broken_key_fails_and_says_why, 0, ARRAY_SIZE(broken));
	tcase_add_test(tc, reload_whose_key_process_fails_fails_and_says_why);
	tcase_add_test(tc, start_whose_key_process_fails_is_no_start);
	tcase_add_test(upgrade, key_process_serves_the_workers_of_the_program_before);
	tcase_add_test(upgrade, upgrade_whose_key_process_fails_goes_back);
	return harness_run(s);
}

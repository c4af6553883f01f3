/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Key pairs with self-signed certificates in the folder of the test, as a configuration has them,
 * and a key process for them.
 */
#ifndef DROVER_TESTS_KEY_HARNESS_H
#define DROVER_TESTS_KEY_HARNESS_H

#include <sys/mman.h>

#include "../certificates.h"
#include "key_process.h"
#include "tls_key.h"
#include "unit.h"

enum pair_kind { PAIR_RSA, PAIR_P256, PAIR_P384, PAIR_ED25519, PAIRS };

struct pair {
	struct certificate     *made;           /* by OpenSSL itself, with the private part of its key */
	char                    chain_path[32], key_path[32];
	struct conf_certificate certificate;
};

/* number makes the names of its files. */
static inline void pair_make(struct pair *p, enum pair_kind kind, int number)
{
	static const char *const types[PAIRS] = {
		[PAIR_RSA] = "RSA", [PAIR_P256] = "P-256", [PAIR_P384] = "P-384", [PAIR_ED25519] = "Ed25519",
	};

	snprintf(p->chain_path, sizeof p->chain_path, "%d.pem", number);
	snprintf(p->key_path, sizeof p->key_path, "%d.key", number);
	p->made = certificate_make(&(struct certificate_wish){ .subject = p->key_path, .type = types[kind] });
	p->certificate = (struct conf_certificate){
		.place = { "test.conf", 1 + number }, .chain = p->chain_path, .key = p->key_path,
		.der = &p->made->der, .n_der = 1,
	};
	ck_assert(tls_key_sha256(p->made->key, p->certificate.spki_sha256));
	certificate_write_key(p->key_path, p->made);
}

static inline void pair_free(struct pair *p)
{
	certificate_free(p->made);
}

/* ---- a key process ------------------------------------------------------ */

struct key_fixture {
	struct conf_service *services[2];
	struct conf          conf;
	struct key_report   *report;
	struct leash         leash;             /* the master's ends */
	pid_t                pid;
	bool                 needs_all;
};

static inline void key_fixture_forget(void *arg)
{
	(void)arg;
}

/* Starts it for services that have these certificates. The caller has channels to it. */
static inline void key_fixture_start(struct key_fixture *f, const struct key_caller *callers, size_t n)
{
	struct leash its;

	f->report = mmap(NULL, sizeof *f->report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(f->report, MAP_FAILED);
	ck_assert_int_eq(leash_open(&f->leash, &its), 0);
	f->pid = fork();
	ck_assert_int_ne(f->pid, -1);
	if (f->pid == 0)
		key_process_main(&(struct key_process_start){
			.conf = &f->conf, .callers = callers, .n_callers = n, .leash = its,
			.needs_all = f->needs_all, .report = f->report, .forget = key_fixture_forget });
	leash_close(&its);
}

/* The next word that it says; LEASH_WORDS: it has ended. */
static inline enum leash_word key_fixture_hear(const struct key_fixture *f)
{
	struct pollfd ear = { .fd = leash_ear(&f->leash), .events = POLLIN };
	struct leash_message m;

	ck_assert_int_eq(poll(&ear, 1, -1), 1);
	return leash_hear(&f->leash, &m) == LEASH_OK ? m.word : LEASH_WORDS;
}

/* Its exit status, once it has ended by itself or by an order. */
static inline int key_fixture_join(struct key_fixture *f)
{
	int status;

	ck_assert_int_eq(waitpid(f->pid, &status, 0), f->pid);
	leash_close(&f->leash);
	return status;
}

static inline void key_fixture_end(struct key_fixture *f)
{
	ck_assert_int_eq(leash_order(&f->leash, &(struct leash_message){ .word = LEASH_END }), 0);
	ck_assert_int_eq(key_fixture_join(f), 0);
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key `tls`: what workers get of it, what is refused, what is warned of, and what a dump says.
 */
#include <config.h>
#include "conf_harness.h"

#include <sys/stat.h>
#include <time.h>

#include <openssl/x509.h>

#include "../certificates.h"
#include "conf_validity.h"
#include "tls_names.h"

#define ECHO "listen = \"*:0\"; handler = { type = \"echo\"; }; "
#define MANY 5000

static struct certificate *ca, *sub_ca, *a, *b;
static char said[16384];                /* errors and warnings, a line each */

static void set_up(void)
{
	unit_enter_folder();
	ca = certificate_make(&(struct certificate_wish){ .subject = "CA", .is_ca = true });
	a = certificate_make(&(struct certificate_wish){ .subject = "a", .names = "DNS:a.example,DNS:*.a.example",
	                                                 .issuer = ca });
	b = certificate_make(&(struct certificate_wish){ .subject = "b", .names = "DNS:b.example", .issuer = ca });
	certificate_write("ca", ca);
	certificate_write("a", a);
	certificate_add("a", ca);
	certificate_write_key("a.key", a);
	certificate_write("b", b);
	certificate_write_key("b.key", b);
	sub_ca = certificate_make(&(struct certificate_wish){ .subject = "sub", .is_ca = true, .issuer = ca });
	certificate_write("sub-ca", sub_ca);
}

static void tear_down(void)
{
	arena_close(&arena);
	certificate_free(ca);
	certificate_free(sub_ca);
	certificate_free(a);
	certificate_free(b);
	unit_leave_folder();
}

/* Each @ becomes the folder of the test. */
static char *in_folder(const char *text)
{
	static char out[1 << 20];
	size_t len = 0;

	for (; *text; text++)
		if (*text == '@')
			len += (size_t)snprintf(out + len, sizeof out - len, "%s", unit_folder);
		else
			out[len++] = *text;
	out[len] = '\0';
	return out;
}

/* A service with that in its group `tls`. */
static char *with_tls(const char *own)
{
	static char text[8192];

	snprintf(text, sizeof text, "services = { s = { " ECHO " tls = { %s }; }; };", own);
	return in_folder(text);
}

static void keep(void *arg, enum conf_weight weight, const char *line)
{
	(void)arg, (void)weight;
	strcat(strcat(said, line), "\n");
}

static struct conf *try(const char *text)
{
	said[0] = '\0';
	arena_close(&arena);
	ck_assert_int_eq(arena_open(&arena, CONF_ARENA_SIZE), 0);
	return conf_load(&arena, "t.conf", text, keep, NULL);
}

static const struct conf_tls *tls_of(const char *text)
{
	const struct conf *conf = try(text);

	ck_assert_msg(conf && said[0] == '\0', "%s", said);
	return &conf->services[0]->tls;
}

#define PAIR_A "chain = \"@/a\"; key = \"@/a.key\"; "
#define PAIRS  "certificates = ( { " PAIR_A "}, { chain = \"@/b\"; key = \"@/b.key\"; } ); "

/* ---- what workers get --------------------------------------------------- */

START_TEST(without_the_key_there_is_no_tls)
{
	const struct conf *conf = try("services = { s = { " ECHO " }; };");

	ck_assert(!conf->services[0]->tls.on);
	ck_assert(!conf->services[0]->listen[0].tls);
} END_TEST

START_TEST(a_pair_is_there_as_der_with_its_facts)
{
	const struct conf_tls *tls = tls_of(with_tls(PAIR_A));
	const struct conf_certificate *c = &tls->certificates[0];
	const unsigned char *der;
	X509 *x;

	ck_assert(tls->on);
	ck_assert_uint_eq(tls->n_certificates, 1);
	ck_assert_uint_eq(c->n_der, 2);
	der = c->der[0].data;
	x = d2i_X509(NULL, &der, (long)c->der[0].len);
	ck_assert_int_eq(X509_cmp(x, a->x509), 0);
	X509_free(x);
	ck_assert_str_eq(c->names[0], "a.example");
	ck_assert_str_eq(c->names[1], "*.a.example");
	ck_assert_ptr_null(c->names[2]);
	ck_assert_str_eq(c->type, "EC P-256");
	ck_assert_int_gt(c->not_after, time(NULL) + 89 * CERTIFICATES_DAY);
	ck_assert_str_eq(c->chain, in_folder("@/a"));
	ck_assert_str_eq(c->key, in_folder("@/a.key"));
} END_TEST

START_TEST(defaults_are_those_of_the_manual)
{
	const struct conf_tls *tls = tls_of(with_tls(PAIR_A));

	ck_assert_int_eq(tls->sni, TLS_SNI_DEFAULT);
	ck_assert_int_eq(tls->min_version, TLS_VERSION_1_2);
	unit_contains(tls->ciphers, "ECDHE-ECDSA-AES128-GCM-SHA256:");
	unit_contains(tls->ciphersuites, "TLS_AES_128_GCM_SHA256:");
	unit_contains(tls->groups, "X25519:P-256:P-384");
	ck_assert_ptr_null(tls->alpn[0]);
	ck_assert_int_eq(tls->client_auth, TLS_CLIENT_NONE);
	ck_assert(tls->tickets && tls->isolate_keys);
	ck_assert_ptr_null(tls->ticket_keys);
} END_TEST

START_TEST(the_certificate_for_a_name_is_found)
{
	const struct conf_tls *tls = tls_of(with_tls(PAIRS));

	ck_assert_uint_eq(tls->n_certificates, 2);
	ck_assert_int_eq(tls_names_find(tls->names, "a.example"), 0);
	ck_assert_int_eq(tls_names_find(tls->names, "x.a.example"), 0);
	ck_assert_int_eq(tls_names_find(tls->names, "b.example"), 1);
	ck_assert_int_eq(tls_names_find(tls->names, "c.example"), -1);
} END_TEST

START_TEST(one_file_may_have_chain_and_key)
{
	const struct conf_tls *tls;

	certificate_add_key("a", a);
	tls = tls_of(with_tls("chain = \"@/a\"; "));
	ck_assert_str_eq(tls->certificates[0].key, in_folder("@/a"));
	tls = tls_of(with_tls("chain = \"@/a\"; key = \"@/a\"; "));
	ck_assert_str_eq(tls->certificates[0].key, in_folder("@/a"));
} END_TEST

START_TEST(a_listener_can_be_without_tls)
{
	const struct conf *conf = try(in_folder("services = { s = { listen = ( \"127.0.0.1:0\", { address ="
		" \"*:0\"; tls = false; } ); handler = { type = \"echo\"; }; tls = { " PAIR_A " }; }; };"));

	ck_assert_msg(conf != NULL, "%s", said);
	ck_assert(conf->services[0]->listen[0].tls);
	ck_assert(!conf->services[0]->listen[1].tls);
	ck_assert(!conf->services[0]->listen[conf->services[0]->n_listen - 1].tls);
} END_TEST

static const struct { const char *defaults, *own; bool on; const char *chain; } layers[] = {
	{ PAIR_A, "", true, "@/a" },
	{ PAIR_A, "tls = false;", false, NULL },
	{ PAIR_A, "tls = true;", true, "@/a" },
	{ PAIR_A, "tls = { sni = \"strict\"; };", true, "@/a" },
	{ PAIR_A, "tls = { chain = \"@/b\"; key = \"@/b.key\"; };", true, "@/b" },
	{ PAIR_A, "tls = { certificates = ( { chain = \"@/b\"; key = \"@/b.key\"; } ); };", true, "@/b" },
	{ PAIRS, "tls = { chain = \"@/b\"; key = \"@/b.key\"; };", true, "@/b" },
	{ "client_ca = \"@/ca\"; ticket_keys = \"/nowhere\"; ciphers = \"HIGH\"; ", "tls = { " PAIR_A
	  "tickets = false; min_version = \"1.3\"; };", true, "@/a" },
};

START_TEST(a_service_overrides_defaults)
{
	char text[4096];
	const struct conf_tls *tls;

	snprintf(text, sizeof text, "defaults = { tls = { %s }; }; services = { s = { " ECHO " %s }; };",
	         layers[_i].defaults, layers[_i].own);
	tls = tls_of(in_folder(text));
	ck_assert_int_eq(tls->on, layers[_i].on);
	if (!layers[_i].chain)
		return;
	ck_assert_uint_eq(tls->n_certificates, 1);
	ck_assert_str_eq(tls->certificates[0].chain, in_folder(layers[_i].chain));
	ck_assert_ptr_null(tls->client_ca);
	ck_assert_ptr_null(tls->ticket_keys);
	ck_assert(tls->min_version == TLS_VERSION_1_2 || !tls->ciphers);
} END_TEST

START_TEST(clients_are_asked_for_certificates_of_an_issuer)
{
	const struct certificate *revoked[] = { a };
	const struct conf_tls *tls;

	certificate_write_crl("crl", ca, revoked, 1, CERTIFICATES_DAY);
	tls = tls_of(with_tls(PAIR_A "client_auth = \"required\"; client_ca = \"@/ca\"; client_crl ="
	                             " \"@/crl\"; "));
	ck_assert_int_eq(tls->client_auth, TLS_CLIENT_REQUIRED);
	ck_assert_uint_eq(tls->n_ca, 1);
	ck_assert_uint_eq(tls->n_crl, 1);
	/* The issuer is also in the chain: its bytes are there once. */
	ck_assert_ptr_eq(tls->ca[0].data, tls->certificates[0].der[1].data);
} END_TEST

#define KEY_48(c) c c c c c c c c c c c c c c c c       /* 48 bytes of base64: 4 characters for 3 of them */

static const struct { const char *lines; size_t n; uint64_t len; char first, second; } key_files[] = {
	{ KEY_48("AAAA") "\n", 1, 16, 0x00, 0 },
	{ "\n  " KEY_48("AAAA") " \r\n\n" KEY_48("////"), 2, 16, 0x00, (char)0xff },
	{ KEY_48("AAAA") "\n" KEY_48("BBBB") "\n" KEY_48("////") "\n", 3, 16, 0x04, 0x00 },
	{ KEY_48("////") "\n" KEY_48("AAAA") "\n" KEY_48("BBBB") "\n" KEY_48("CCCC") "\n", 3, 16, 0x04, 0x00 },
	{ KEY_48("BBBB") "BBBB" "BBBB" "BBBB" "BBBB" "BBBB" "BBBB" "BBBB" "BBBB" "BBBB" "BBBB" "BBB=", 1, 32, 0x04, 0 },
};

START_TEST(keys_of_tickets_are_read_and_the_last_but_one_encrypts)
{
	const struct conf_tls *tls;
	char own[256];

	unit_write_file("keys", key_files[_i].lines);
	ck_assert_int_eq(chmod("keys", 0600), 0);
	snprintf(own, sizeof own, PAIR_A "ticket_keys = \"@/keys\"; ");
	tls = tls_of(with_tls(own));
	ck_assert_uint_eq(tls->n_ticket_secrets, key_files[_i].n);
	ck_assert_uint_eq(tls->ticket_secrets[0].len, key_files[_i].len);
	ck_assert_int_eq((char)tls->ticket_secrets[0].name[0], key_files[_i].first);
	if (tls->n_ticket_secrets > 1)
		ck_assert_int_eq((char)tls->ticket_secrets[1].name[0], key_files[_i].second);
} END_TEST

/* ---- what is wrong ------------------------------------------------------ */

static const struct { const char *own, *complaint; } wrong[] = {
	{ "", "t.conf:1: services.s.tls needs a certificate (as in chain = " },
	{ "key = \"@/a.key\"; ", "services.s.tls needs a certificate" },
	{ PAIRS PAIR_A, "services.s.tls.chain cannot stand beside certificates (move the pair into" },
	{ "certificates = ( ); ", "services.s.tls.certificates must be a list of groups that is not empty" },
	{ "certificates = \"@/a\"; ", "services.s.tls.certificates must be a list of groups" },
	{ "certificates = ( { key = \"@/a.key\"; } ); ", " needs chain (as in chain = " },
	{ "certificates = ( { chain = \"@/a\"; key = \"@/a.key\"; kye = 1; } ); ",
	  "is not a known key (did you mean key?)" },
	{ "chain = \"@/a\"; key = \"@/b.key\"; ",
	  "services.s.tls.key names @/b.key: this is not the private key of the certificate in @/a (CN=a)" },
	{ "chain = \"@/a\"; ", "services.s.tls.chain names @/a: there is no private key in it" },
	{ "chain = \"@/a\"; ", "key names the file of the key, if that is another one" },
	{ "chain = \"@/a.key\"; key = \"@/a.key\"; ", "services.s.tls.chain names @/a.key: there is no certificate" },
	{ "chain = \"@/none\"; key = \"@/a.key\"; ", "t.conf:1: cannot open @/none: No such file or directory" },
	{ "chain = \"@/a\"; key = \"@/none\"; ", "t.conf:1: cannot open @/none: No such file or directory" },
	{ "chain = \"@\"; key = \"@/a.key\"; ", "t.conf:1: @ is not a regular file" },
	{ "chain = \"@/fifo\"; key = \"@/a.key\"; ", "t.conf:1: @/fifo is not a regular file" },
	{ "chain = \"@/a\"; key = \"@/fifo\"; ", "t.conf:1: @/fifo is not a regular file" },
	{ "chain = \"a\"; key = \"@/a.key\"; ", "services.s.tls.chain must be an absolute path" },
	{ "chain = \"@/encrypted\"; ", "the private key is encrypted (decrypt it: openssl pkey" },
	{ "chain = \"@/wrong-order\"; key = \"@/a.key\"; ",
	  "the certificates are in the wrong order (right: number 2, CN=a; number 1, CN=CA)" },
	{ "chain = \"@/der\"; key = \"@/a.key\"; ", "it is DER, not PEM (convert it: openssl x509 -inform DER" },
	{ "chain = \"@/weak\"; ", "services.s.tls.chain names @/weak: OpenSSL refuses it: ee key too small" },
	{ "chain = \"@/p521\"; ", "a key of type EC P-521 needs isolate_keys = false" },
	{ "chain = \"@/future\"; ", "the certificate is not valid before 20" },
	{ PAIR_A "sni = \"nice\"; ", "services.s.tls.sni" },
	{ PAIR_A "min_version = \"1.1\"; ", "services.s.tls.min_version" },
	{ PAIR_A "min_version = \"1.3\"; ciphers = \"HIGH\"; ",
	  "services.s.tls.ciphers are of TLS 1.2, and mean nothing with min_version = \"1.3\"" },
	{ PAIR_A "ciphers = \"HIGH:ECDHE-ECDSA-AES128-GCM-SHA257\"; ",
	  "services.s.tls.ciphers names ECDHE-ECDSA-AES128-GCM-SHA257, which OpenSSL does not know here" },
	{ PAIR_A "ciphers = \"HIGH:!HIGH\"; ", "services.s.tls.ciphers is refused by OpenSSL: no cipher match" },
	{ PAIR_A "ciphersuites = \"TLS_AES_128_GCM_SHA256:TLS_AES\"; ",
	  "services.s.tls.ciphersuites names TLS_AES, which" },
	{ PAIR_A "groups = \"X25519:P-257\"; ", "services.s.tls.groups names P-257, which" },
	{ PAIR_A "alpn = [ \"a\", \"\" ]; ", "services.s.tls.alpn holds a name of 0 bytes (1 to 255)" },
	{ PAIR_A "client_auth = \"required\"; ", "services.s.tls.client_auth needs client_ca" },
	{ PAIR_A "client_ca = \"@/ca\"; ",
	  "services.s.tls.client_ca needs client_auth = \"optional\" or \"required\"" },
	{ PAIR_A "client_crl = \"@/ca\"; ", "services.s.tls.client_crl needs client_auth" },
	{ PAIR_A "client_auth = \"optional\"; client_ca = \"@/b\"; ",
	  "services.s.tls.client_ca names @/b: number 1, CN=b, is no certificate of an issuer" },
	{ PAIR_A "client_auth = \"optional\"; client_ca = \"@/sub-ca\"; ",
	  "services.s.tls.client_ca names @/sub-ca: there is no root in it" },
	{ PAIR_A "client_auth = \"optional\"; client_ca = \"@/ca\"; client_crl = \"@/ca\"; ",
	  "services.s.tls.client_crl names @/ca: there is no list of revoked certificates in it" },
	{ PAIR_A "client_auth = \"optional\"; client_ca = \"@/ca\"; client_crl = \"@/foreign-crl\"; ",
	  "a list in it is of an issuer that client_ca does not have" },
	{ PAIR_A "tickets = false; ticket_keys = \"/x\"; ",
	  "services.s.tls.ticket_keys means nothing with tickets = false" },
	{ PAIR_A "ticket_keys = \"@/none\"; ", "cannot open @/none: No such file or directory" },
	{ PAIR_A "ticket_keys = \"@/a\"; ",
	  "services.s.tls.ticket_keys names @/a: line 1 is not 48 or 80 bytes in base64 (as openssl rand" },
	{ PAIR_A "ticket_keys = \"@/empty\"; ", "services.s.tls.ticket_keys names @/empty, which is empty" },
	{ PAIR_A "isolate = true; ", "services.s.tls.isolate is not a known key (did you mean isolate_keys?)" },
};

static void write_wrong_files(void)
{
	struct certificate *weak = certificate_make(&(struct certificate_wish){ .subject = "w", .names = "DNS:w",
	                                                                        .type = "RSA-1024" });
	struct certificate *p521 = certificate_make(&(struct certificate_wish){ .subject = "p", .names = "DNS:p",
	                                                                        .type = "P-521" });
	struct certificate *future = certificate_make(&(struct certificate_wish){
		.subject = "f", .names = "DNS:f", .from = FROM_NOW(CERTIFICATES_DAY) });
	struct certificate *foreign = certificate_make(&(struct certificate_wish){ .subject = "g", .is_ca = true });

	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	certificate_write_encrypted_key("encrypted", a);
	certificate_add("encrypted", a);
	certificate_write("wrong-order", ca);
	certificate_add("wrong-order", a);
	unit_write_file("empty", "\n  \n");
	unit_write_file("der", "\x30\x82\x01\x01\x02");
	certificate_write_with_key("weak", weak);
	certificate_write_with_key("p521", p521);
	certificate_write_with_key("future", future);
	certificate_write_crl("foreign-crl", foreign, NULL, 0, CERTIFICATES_DAY);
	certificate_free(weak);
	certificate_free(p521);
	certificate_free(future);
	certificate_free(foreign);
}

START_TEST(what_is_wrong_is_refused_with_its_place)
{
	write_wrong_files();
	ck_assert_ptr_null(try(with_tls(wrong[_i].own)));
	unit_contains(said, in_folder(wrong[_i].complaint));
	ck_assert_msg(strchr(said, '\n')[1] == '\0', "%s", said);   /* one line */
} END_TEST

static const struct { const char *service, *complaint; } wrong_services[] = {
	{ "listen = ( { address = \"*:0\"; tls = true; } );", "services.s.listen.tls needs tls = { ... } of the"
	  " service" },
	{ "listen = ( { address = \"*:0\"; tls = false; } ); tls = { " PAIR_A " };",
	  "services.s.tls means nothing, because all listeners have tls = false" },
	{ "listen = \"*:0\"; tls = true;", "services.s.tls needs a certificate" },
	{ "listen = \"*:0\"; tls = 1;", "services.s.tls must be true or false, or a group" },
};

START_TEST(what_is_wrong_in_a_service_is_refused)
{
	char text[4096];

	snprintf(text, sizeof text, "services = { s = { handler = { type = \"echo\"; }; %s }; };",
	         wrong_services[_i].service);
	ck_assert_ptr_null(try(in_folder(text)));
	unit_contains(said, wrong_services[_i].complaint);
} END_TEST

/* ---- warnings ----------------------------------------------------------- */

static const struct { struct certificate_wish wish; const char *own, *warning; } warned[] = {
	{ { .subject = "w", .names = "DNS:w", .to = FROM_NOW(10 * CERTIFICATES_DAY - 3600) }, "",
	  "warning: services.s.tls.chain names @/w: the certificate expires in 9 days, at 20" },
	{ { .subject = "w", .names = "DNS:w", .to = FROM_NOW(CERTIFICATES_DAY / 2) }, "",
	  "warning: services.s.tls.chain names @/w: the certificate expires in less than a day, at 20" },
	{ { .subject = "w", .names = "DNS:w", .from = FROM_NOW(-3 * CERTIFICATES_DAY),
	    .to = FROM_NOW(-CERTIFICATES_DAY - 60) }, "",
	  "warning: services.s.tls.chain names @/w: the certificate expired 1 day ago, at 20" },
	{ { .subject = "w" }, "", "has no names in subjectAltName, so that most clients refuse it" },
	{ { .subject = "w" }, "sni = \"strict\"; ", "has no names in subjectAltName, so that no client gets it" },
	{ { .subject = "w", .names = "DNS:w", .usage = "clientAuth" }, "",
	  "the certificate is not for TLS servers (extendedKeyUsage)" },
};

START_TEST(what_is_odd_is_warned_of_and_loads)
{
	struct certificate *w = certificate_make(&warned[_i].wish);
	char own[512];

	certificate_write_with_key("w", w);
	certificate_free(w);
	snprintf(own, sizeof own, "chain = \"@/w\"; %s", warned[_i].own);
	ck_assert_msg(try(with_tls(own)) != NULL, "%s", said);
	unit_contains(said, in_folder(warned[_i].warning));
	ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
} END_TEST

START_TEST(a_key_that_all_users_can_read_is_warned_of)
{
	ck_assert_int_eq(chmod("a.key", 0644), 0);
	ck_assert_ptr_nonnull(try(with_tls(PAIR_A)));
	unit_contains(said, in_folder("names @/a.key: all users can read this private key (chmod o= @/a.key)"));
	ck_assert_int_eq(chmod("a.key", 0640), 0);
	ck_assert_ptr_nonnull(try(with_tls(PAIR_A)));
	ck_assert_str_eq(said, "");
} END_TEST

START_TEST(a_chain_with_a_foreign_certificate_is_warned_of)
{
	certificate_add("a", b);
	ck_assert_ptr_nonnull(try(with_tls(PAIR_A)));
	unit_contains(said, "not all certificates are of one chain (leave out: number 3, CN=b)");
} END_TEST

START_TEST(a_name_in_two_certificates_is_warned_of)
{
	ck_assert_ptr_nonnull(try(with_tls("certificates = ( { " PAIR_A " }, { " PAIR_A " } ); ")));
	unit_contains(said, in_folder("has several certificates for *.a.example (@/a is used), and for more"));
} END_TEST

START_TEST(an_expired_list_of_revoked_certificates_is_warned_of)
{
	certificate_write_crl("crl", ca, NULL, 0, -CERTIFICATES_DAY);
	ck_assert_ptr_nonnull(try(with_tls(PAIR_A "client_auth = \"optional\"; client_ca = \"@/ca\"; client_crl ="
	                                          " \"@/crl\"; ")));
	unit_contains(said, "a list in it has expired (clients of that issuer are refused");
} END_TEST

/* ---- expired at a reload ------------------------------------------------ */

static struct conf *reload(struct arena *into, const struct conf *before, const char *text)
{
	const struct conf *conf = NULL;

	said[0] = '\0';
	ck_assert_int_eq(arena_open(into, CONF_ARENA_SIZE), 0);
	conf_load_for(CONF_FOR_DAEMON, into, "t.conf", text, before, keep, NULL, &conf);
	return (struct conf *)(uintptr_t)conf;
}

static void write_expired(const char *path)
{
	struct certificate *c = certificate_make(&(struct certificate_wish){
		.subject = "w", .names = "DNS:w", .from = FROM_NOW(-3 * CERTIFICATES_DAY), .to = FROM_NOW(-60) });

	certificate_write_with_key(path, c);
	certificate_free(c);
}

START_TEST(an_expired_certificate_is_an_error_only_at_a_reload_that_brings_it)
{
	static const char service[] = "user = \"%s\"; services = { s = { " ECHO " tls = { chain = \"@/w\"; }; }; };";
	struct arena old = { 0 }, new = { 0 };
	const struct conf *before;
	char text[1024];

	snprintf(text, sizeof text, service, geteuid() == 0 ? "root" : "nobody");
	if (geteuid() != 0)
		memmove(text, strstr(text, "services"), strlen(strstr(text, "services")) + 1);
	write_expired("w");
	before = reload(&old, NULL, in_folder(text));
	ck_assert_msg(before != NULL, "%s", said);      /* a start */
	unit_contains(said, "expired less than a day ago");
	ck_assert_msg(reload(&new, before, in_folder(text)) != NULL, "%s", said);
	unit_contains(said, "warning");
	arena_close(&new);
	write_expired("w");
	ck_assert_ptr_null(reload(&new, before, in_folder(text)));
	unit_contains(said, in_folder("t.conf:1: services.s.tls.chain names @/w: the certificate expired"));
	arena_close(&new);
	arena_close(&old);
} END_TEST

/* ---- the dump, and size ------------------------------------------------- */

START_TEST(a_dump_loads_to_the_same_dump)
{
	static const char *const services[] = {
		"tls = { " PAIR_A " };", "tls = { " PAIRS "sni = \"strict\"; alpn = [ \"x\", \"y\" ]; min_version ="
		" \"1.3\"; client_auth = \"optional\"; client_ca = \"@/ca\"; isolate_keys = false; tickets = false; };",
	};
	char text[4096], *first, *second;

	snprintf(text, sizeof text, "services = { s = { listen = ( \"127.0.0.1:0\", { address = \"unix:@/x\"; tls ="
	         " false; } ); handler = { type = \"echo\"; }; %s }; };", services[_i]);
	first = dump(try(in_folder(text)));
	unit_contains(first, in_folder("{ chain = \"@/a\"; key = \"@/a.key\"; }"));
	second = dump(try(first));
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(second, first);
	free(first);
	free(second);
} END_TEST

START_TEST(five_thousand_pairs_fit_and_load_in_seconds)
{
	struct certificate_wish wish = { .issuer = ca };
	char subject[32], names[128], *text = NULL;
	struct timespec from, to;
	const struct conf *conf;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "services = { s = { " ECHO " tls = { certificates = (");
	for (int i = 0; i < MANY; i++) {
		struct certificate *c;

		snprintf(subject, sizeof subject, "host%d.example", i);
		snprintf(names, sizeof names, "DNS:%s,DNS:www.%s", subject, subject);
		wish.subject = subject;
		wish.names = names;
		wish.key_of = a;
		c = certificate_make(&wish);
		certificate_write(subject, c);
		certificate_add(subject, ca);
		certificate_add_key(subject, c);
		certificate_free(c);
		fprintf(out, "%s{ chain = \"@/%s\"; }", i ? ", " : "", subject);
	}
	fprintf(out, "); }; }; };");
	fclose(out);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	conf = try(in_folder(text));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ck_assert_msg(conf && said[0] == '\0', "%.1000s", said);
	ck_assert_uint_eq(conf->services[0]->tls.n_certificates, MANY);
	ck_assert_int_eq(tls_names_find(conf->services[0]->tls.names, "www.host4711.example"), 4711);
	printf("# %d pairs: %.2f s of CPU time, %zu KiB\n", MANY,
	       (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, conf->size >> 10);
	ck_assert_uint_lt(conf->size, CONF_ARENA_SIZE / 4);
	free(text);
} END_TEST

/* ---- how long a certificate is valid ------------------------------------ */

static const struct { int64_t left; bool is_short; int64_t days; const char *text; } validity[] = {
	{ 14 * CERTIFICATES_DAY, false, 14, "expires in 14 days, at 2001-09-23T01:46:40Z" },
	{ 14 * CERTIFICATES_DAY - 1, true, 13, "expires in 13 days, at " },
	{ 2 * CERTIFICATES_DAY - 1, true, 1, "expires in 1 day, at " },
	{ 1, true, 0, "expires in less than a day, at " },
	{ 0, true, 0, "expires in less than a day, at " },
	{ -1, true, -1, "expired less than a day ago, at " },
	{ -CERTIFICATES_DAY, true, -1, "expired 1 day ago, at " },
	{ -CERTIFICATES_DAY - 1, true, -2, "expired 1 day ago, at " },
	{ -30 * CERTIFICATES_DAY, true, -30, "expired 30 days ago, at " },
};

START_TEST(the_days_that_are_left_are_told)
{
	const int64_t now = 1000000000;
	const struct conf_certificate c = { .not_after = now + validity[_i].left };
	char text[CONF_VALIDITY_TEXT];

	ck_assert_int_eq(conf_validity_is_short(&c, now), validity[_i].is_short);
	ck_assert_int_eq(conf_validity_days(&c, now), validity[_i].days);
	unit_contains(conf_validity_text(&c, now, text), validity[_i].text);
} END_TEST

int main(void)
{
	Suite *s = suite_create("conf_tls");
	TCase *tc = unit_case(s, "workers", set_up, tear_down);

	tcase_add_test(tc, without_the_key_there_is_no_tls);
	tcase_add_test(tc, a_pair_is_there_as_der_with_its_facts);
	tcase_add_test(tc, defaults_are_those_of_the_manual);
	tcase_add_test(tc, the_certificate_for_a_name_is_found);
	tcase_add_test(tc, one_file_may_have_chain_and_key);
	tcase_add_test(tc, a_listener_can_be_without_tls);
	tcase_add_loop_test(tc, a_service_overrides_defaults, 0, ARRAY_SIZE(layers));
	tcase_add_test(tc, clients_are_asked_for_certificates_of_an_issuer);
	tcase_add_loop_test(tc, keys_of_tickets_are_read_and_the_last_but_one_encrypts, 0,
	                    ARRAY_SIZE(key_files));
	tc = unit_case(s, "wrong", set_up, tear_down);
	tcase_add_loop_test(tc, what_is_wrong_is_refused_with_its_place, 0, ARRAY_SIZE(wrong));
	tcase_add_loop_test(tc, what_is_wrong_in_a_service_is_refused, 0, ARRAY_SIZE(wrong_services));
	tc = unit_case(s, "warnings", set_up, tear_down);
	tcase_add_loop_test(tc, what_is_odd_is_warned_of_and_loads, 0, ARRAY_SIZE(warned));
	tcase_add_test(tc, a_key_that_all_users_can_read_is_warned_of);
	tcase_add_test(tc, a_chain_with_a_foreign_certificate_is_warned_of);
	tcase_add_test(tc, a_name_in_two_certificates_is_warned_of);
	tcase_add_test(tc, an_expired_list_of_revoked_certificates_is_warned_of);
	tcase_add_test(tc, an_expired_certificate_is_an_error_only_at_a_reload_that_brings_it);
	tc = unit_case(s, "whole", set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_dump_loads_to_the_same_dump, 0, 2);
	tcase_add_test(tc, five_thousand_pairs_fit_and_load_in_seconds);
	tc = unit_case(s, "validity", NULL, NULL);
	tcase_add_loop_test(tc, the_days_that_are_left_are_told, 0, ARRAY_SIZE(validity));
	return run_tap(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates in the configuration: what droverd -t says of them, what a reload refuses, and what
 * droverctl shows.
 */
#include <config.h>
#include "harness.h"

#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../certificates.h"
#include "control_harness.h"
#include "operator.h"

#define DAY CERTIFICATES_DAY

static struct daemon d;
static struct certificate *made;

/* Makes the certificate and its key in the file "pair". */
static void write_pair(const struct certificate_wish *wish)
{
	certificate_free(made);
	made = certificate_make(wish);
	certificate_write_with_key(files_path("pair"), made);
}

static void write_good_pair(void)
{
	write_pair(&(struct certificate_wish){ .subject = "a", .names = "DNS:a.example,DNS:b.example,DNS:c.example,"
	                                       "DNS:d.example,DNS:e.example,DNS:f.example",
	                                       .to = FROM_NOW(20 * DAY + 60) });
}

static const char *config(const char *rest)
{
	return files_text("control = { socket = \"%s\"; };\n"
	                  SERVICES(SERVICE("s", "echo", "workers = 1; tls = { chain = \"%s\"; %s };")
	                           SERVICE("plain", "echo", "workers = 1;")),
	                  control_path(), files_path("pair"), rest);
}

static void check_refused(const char *reason)
{
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=check");
	harness_contains(daemon_errors(&d), reason);
	daemon_check_echo(&d, "plain");
}

/* ---- -t ----------------------------------------------------------------- */

static int test_config(const char *rest)
{
	daemon_config(&d, "%s", config(rest));
	return daemon_run(&d, (const char *[]){ "-t", "-c", d.config, NULL });
}

START_TEST(a_test_tells_names_and_days_of_each_certificate)
{
	write_good_pair();
	ck_assert_int_eq(test_config(""), 0);
	harness_contains(daemon_output(&d), files_text("%s: a.example, b.example, c.example, d.example, e.example"
	                 " and 1 more: EC P-256, expires in 20 days, at 20", files_path("pair")));
	harness_contains(daemon_output(&d), "configuration ok");
	ck_assert_str_eq(daemon_errors(&d), "");
} END_TEST

START_TEST(a_test_tells_what_is_wrong_with_its_place)
{
	struct certificate *other = certificate_make(&(struct certificate_wish){ .subject = "other" });

	write_good_pair();
	certificate_write_key(files_path("other"), other);
	certificate_free(other);
	ck_assert_int_eq(test_config(files_text("key = \"%s\";", files_path("other"))), 78);
	harness_contains(daemon_errors(&d), files_text("%s:%d: services.s.tls.key names %s: this is not the private"
	                 " key of the certificate in %s (CN=a)", d.config, daemon_config_lines_before() + 2,
	                 files_path("other"), files_path("pair")));
} END_TEST

START_TEST(a_test_warns_of_what_expires_and_succeeds)
{
	write_pair(&(struct certificate_wish){ .subject = "a", .names = "DNS:a", .from = FROM_NOW(-9 * DAY),
	                                       .to = FROM_NOW(-2 * DAY - 60) });
	ck_assert_int_eq(test_config(""), 0);
	harness_contains(daemon_errors(&d), "warning: services.s.tls.chain names ");
	harness_contains(daemon_errors(&d), "the certificate expired 2 days ago, at 20");
	harness_contains(daemon_output(&d), ": a: EC P-256, expired 2 days ago");
} END_TEST

/* ---- reload ------------------------------------------------------------- */

START_TEST(a_reload_takes_new_files_and_refuses_broken_ones)
{
	write_good_pair();
	daemon_start(&d, "%s", config(""));
	certificate_write(files_path("pair"), made);            /* without the key */
	check_refused("there is no private key in it");
	certificate_write_encrypted_key(files_path("pair"), made);
	certificate_add(files_path("pair"), made);
	check_refused("the private key is encrypted");
	ck_assert_int_eq(unlink(files_path("pair")), 0);
	check_refused("No such file or directory");
	files_mkfifo("pair");
	check_refused("is not a regular file");
	ck_assert_int_eq(unlink(files_path("pair")), 0);
	write_pair(&(struct certificate_wish){ .subject = "a", .names = "DNS:a", .from = FROM_NOW(DAY) });
	check_refused("the certificate is not valid before 20");
	write_good_pair();
	daemon_reload(&d, "%s", config(""));
} END_TEST

START_TEST(an_expired_certificate_fails_only_the_reload_that_brings_it)
{
	const struct certificate_wish expired = { .subject = "a", .names = "DNS:a", .from = FROM_NOW(-9 * DAY),
	                                          .to = FROM_NOW(-60) };

	write_pair(&expired);
	daemon_start(&d, "%s", config(""));
	harness_contains(daemon_errors(&d), "the certificate expired less than a day ago");
	daemon_reload(&d, "%s", config("sni = \"strict\";"));
	write_pair(&expired);
	check_refused("services.s.tls.chain names ");
	check_refused("the certificate expired less than a day ago");
	write_good_pair();
	daemon_reload(&d, "%s", config(""));
} END_TEST

/* ---- droverctl ---------------------------------------------------------- */

static json_t *ask(const char *command)
{
	json_t *answer;

	ck_assert_int_eq(operator_run(control_path(), (const char *[]){ "--json", command, NULL }), 0);
	answer = json_loads(operator_output(), 0, NULL);
	ck_assert_ptr_nonnull(answer);
	return answer;
}

START_TEST(droverctl_shows_certificates_and_their_days)
{
	json_t *answer, *first;

	write_good_pair();
	daemon_start(&d, "%s", config(""));
	answer = ask("certificates");
	ck_assert_uint_eq(json_array_size(json_object_get(answer, "certificates")), 1);
	first = json_array_get(json_object_get(answer, "certificates"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(first, "service")), "s");
	ck_assert_str_eq(json_string_value(json_object_get(first, "type")), "EC P-256");
	ck_assert_str_eq(json_string_value(json_object_get(first, "chain")), files_path("pair"));
	ck_assert_int_eq(json_integer_value(json_object_get(first, "days")), 20);
	ck_assert_uint_eq(json_array_size(json_object_get(first, "names")), 6);
	ck_assert_uint_eq(strlen(json_string_value(json_object_get(first, "sha256"))), 64);
	json_decref(answer);
	answer = ask("status");
	ck_assert_uint_eq(json_array_size(json_object_get(answer, "certificates")), 0);
	json_decref(answer);
	ck_assert_int_eq(operator_run(control_path(), (const char *[]){ "certificates", NULL }), 0);
	harness_contains(operator_output(), "SERVICE  NAMES                    KEY       UNTIL ");
	harness_contains(operator_output(), "s        a.example, b.example +4  EC P-256  20");
	ck_assert_int_eq(operator_run(control_path(), (const char *[]){ "certificates", "plain", NULL }), 0);
	ck_assert_ptr_null(strstr(operator_output(), "a.example"));
} END_TEST

START_TEST(the_status_shows_what_expires_soon)
{
	json_t *answer;

	write_pair(&(struct certificate_wish){ .subject = "a", .names = "DNS:a", .to = FROM_NOW(5 * DAY + 60) });
	daemon_start(&d, "%s", config(""));
	answer = ask("status");
	ck_assert_uint_eq(json_array_size(json_object_get(answer, "certificates")), 1);
	json_decref(answer);
	ck_assert_int_eq(operator_run(control_path(), (const char *[]){ "status", NULL }), 0);
	harness_contains(operator_output(), files_text("certificate %s of s expires at 20", files_path("pair")));
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_conf");
	TCase *tc = harness_case(s, "test");

	tcase_add_test(tc, a_test_tells_names_and_days_of_each_certificate);
	tcase_add_test(tc, a_test_tells_what_is_wrong_with_its_place);
	tcase_add_test(tc, a_test_warns_of_what_expires_and_succeeds);
	tc = harness_case(s, "reload");
	tcase_add_test(tc, a_reload_takes_new_files_and_refuses_broken_ones);
	tcase_add_test(tc, an_expired_certificate_fails_only_the_reload_that_brings_it);
	tc = harness_case(s, "droverctl");
	tcase_add_test(tc, droverctl_shows_certificates_and_their_days);
	tcase_add_test(tc, the_status_shows_what_expires_soon);
	return harness_run(s);
}

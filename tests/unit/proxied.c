/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is kept of the values in a PROXY header, and how odd bytes in them are written.
 */
#include <config.h>
#include "proxied.h"

#include "unit.h"

static const struct endpoint proxy = { .family = AF_INET, .port = 1 };
static const struct endpoint ours = { .family = AF_INET, .port = 2 };

static struct proxied *p;

static void drop(void)
{
	free(p);
}

/* As a header says it; NULL: not at all. */
static struct proxy_text text(const char *s)
{
	return (struct proxy_text){ .bytes = s, .len = s ? strlen(s) : 0 };
}

static void take(const struct proxy_tlvs *tlvs)
{
	const struct proxy_header h = { .names_client = true, .tlvs = *tlvs };

	p = proxied_new(&h, &proxy, &ours);
	ck_assert_ptr_nonnull(p);
}

START_TEST(the_ends_of_the_socket_are_kept)
{
	take(&(struct proxy_tlvs){ 0 });
	ck_assert_mem_eq(&p->peer, &proxy, sizeof proxy);
	ck_assert_mem_eq(&p->local, &ours, sizeof ours);
	ck_assert(!p->unique_id && !p->authority && !p->tls && !p->tls_version && !p->tls_cipher);
	ck_assert(!p->verify && !p->subject);
} END_TEST

START_TEST(values_are_kept_apart)
{
	take(&(struct proxy_tlvs){ .unique_id = text("id"), .authority = text("example.org"), .ssl = {
		.used = true, .version = text("TLSv1.3"), .cipher = text("ABC"), .has_certificate = true,
		.common_name = text("alice") } });
	ck_assert_str_eq(p->unique_id, "id");
	ck_assert_str_eq(p->authority, "example.org");
	ck_assert(p->tls);
	ck_assert_str_eq(p->tls_version, "TLSv1.3");
	ck_assert_str_eq(p->tls_cipher, "ABC");
	ck_assert_str_eq(p->verify, "SUCCESS");
	ck_assert_str_eq(p->subject, "CN=alice");
} END_TEST

START_TEST(no_byte_of_a_value_can_end_a_line_or_a_string)
{
	take(&(struct proxy_tlvs){ .unique_id = { .bytes = "a\n\0\xe9 b", .len = 6 } });
	ck_assert_str_eq(p->unique_id, "a\\x0a\\x00\\xe9\\x20b");
} END_TEST

START_TEST(a_host_name_cannot_forge_words_of_a_log_line)
{
	take(&(struct proxy_tlvs){ .authority = text("x how=served\\x20") });
	ck_assert_str_eq(p->authority, "x\\x20how=served\\x5cx20");
} END_TEST

START_TEST(an_empty_value_is_none)
{
	take(&(struct proxy_tlvs){ .unique_id = text(""), .authority = text("") });
	ck_assert_ptr_null(p->unique_id);
	ck_assert_ptr_null(p->authority);
} END_TEST

/* A part of a name is another name. */
START_TEST(a_value_that_is_too_long_is_left_out_as_a_whole)
{
	char longest[PROXIED_VALUE_MAX + 2];

	memset(longest, '\xff', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	take(&(struct proxy_tlvs){ .authority = text(longest), .unique_id = text(longest + 1), .ssl = {
		.used = true, .has_certificate = true, .common_name = text(longest) } });
	ck_assert_ptr_null(p->authority);
	ck_assert_uint_eq(strlen(p->unique_id), 4 * PROXIED_VALUE_MAX);
	ck_assert_ptr_null(p->subject);
	ck_assert_str_eq(p->verify, "SUCCESS");
} END_TEST

static const struct { const char *name, *subject; } names[] = {
	{ "alice",               "CN=alice" },
	{ "Alice Liddell",       "CN=Alice Liddell" },
	{ "a,O=Root+b",          "CN=a\\,O=Root\\+b" },
	{ " #a ",                "CN=\\ #a\\ " },
	{ "#a#",                 "CN=\\#a#" },
	{ " ",                   "CN=\\ " },
	{ "a\"b\\c<d>e;f",       "CN=a\\\"b\\\\c\\<d\\>e\\;f" },
	{ "J\xc3\xbcrgen\n\x7f", "CN=J\\C3\\BCrgen\\0A\\7F" },
};

START_TEST(a_name_is_written_as_a_distinguished_name)
{
	take(&(struct proxy_tlvs){ .ssl = { .used = true, .has_certificate = true,
	                                    .common_name = text(names[_i].name) } });
	ck_assert_str_eq(p->subject, names[_i].subject);
} END_TEST

static const struct {
	bool        used, has_certificate;
	uint32_t    verify;
	const char *result, *subject;
} verified[] = {
	{ true,  true,  0,          "SUCCESS",           "CN=alice" },
	{ true,  true,  18,         "FAILED:18",         NULL },
	{ true,  true,  UINT32_MAX, "FAILED:4294967295", NULL },
	{ true,  false, 0,          "NONE",              NULL },
	{ false, true,  0,          NULL,                NULL },
};

START_TEST(only_a_verified_name_is_kept)
{
	take(&(struct proxy_tlvs){ .ssl = { .used = verified[_i].used, .verify = verified[_i].verify,
		.has_certificate = verified[_i].has_certificate, .common_name = text("alice") } });
	ck_assert_pstr_eq(p->verify, verified[_i].result);
	ck_assert_pstr_eq(p->subject, verified[_i].subject);
} END_TEST

int main(void)
{
	Suite *s = suite_create("proxied");
	TCase *tc = unit_case(s, "values", NULL, drop);

	tcase_add_test(tc, the_ends_of_the_socket_are_kept);
	tcase_add_test(tc, values_are_kept_apart);
	tcase_add_test(tc, no_byte_of_a_value_can_end_a_line_or_a_string);
	tcase_add_test(tc, a_host_name_cannot_forge_words_of_a_log_line);
	tcase_add_test(tc, an_empty_value_is_none);
	tcase_add_test(tc, a_value_that_is_too_long_is_left_out_as_a_whole);
	tcase_add_loop_test(tc, a_name_is_written_as_a_distinguished_name, 0, ARRAY_SIZE(names));
	tcase_add_loop_test(tc, only_a_verified_name_is_kept, 0, ARRAY_SIZE(verified));
	return unit_run(s);
}

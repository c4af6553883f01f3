/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sources of clients: made of addresses, as text, and which ones lie in which.
 */
#include <config.h>
#include "source_id.h"

#include "endpoint_harness.h"

static struct source_id parse(const char *text)
{
	struct source_id s;

	ck_assert_msg(source_id_parse(text, &s) == CIDR_OK, "%s", text);
	return s;
}

static const struct {
	const char *ip;
	uid_t       uid;
	int         ipv4_len, ipv6_len;
	const char *want;
} made[] = {
	{ "192.0.2.7",     0,    32, 64,  "192.0.2.7/32" },
	{ "192.0.2.7",     1000, 24, 64,  "192.0.2.0/24" },
	{ "192.0.2.7",     0,    0,  64,  "0.0.0.0/0" },
	{ "2001:db8::1:2", 0,    32, 64,  "2001:db8::/64" },
	{ "2001:db8::1:2", 0,    32, 128, "2001:db8::1:2/128" },
	{ "unix",          1000, 32, 64,  "uid:1000" },
	{ "unix",          0,    32, 64,  "uid:0" },
	{ "?",             1000, 32, 64,  "unknown" },
};

START_TEST(a_client_has_the_source_of_its_prefix_or_its_user)
{
	const struct endpoint e = endpoint(made[_i].ip);
	const struct source_id s = source_id_of(&e, made[_i].uid, made[_i].ipv4_len, made[_i].ipv6_len);
	char text[SOURCE_ID_TEXT_MAX];

	ck_assert_str_eq(source_id_format(&s, text, sizeof text), made[_i].want);
	ck_assert_int_eq(source_id_is_known(&s), strcmp(text, "unknown") != 0);
} END_TEST

START_TEST(text_is_read_back)
{
	static const char *const rows[] = { "192.0.2.7/32", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/64",
	                                    "::/0", "uid:0", "uid:1000", "uid:4294967294" };
	char text[SOURCE_ID_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct source_id s = parse(rows[i]);

		ck_assert_str_eq(source_id_format(&s, text, sizeof text), rows[i]);
	}
} END_TEST

static const struct { const char *text; enum cidr_error want; } refused[] = {
	{ "", CIDR_MALFORMED }, { "uid:", CIDR_MALFORMED }, { "uid:-1", CIDR_MALFORMED },
	{ "uid:root", CIDR_MALFORMED }, { "uid:4294967295", CIDR_MALFORMED }, { "uid", CIDR_MALFORMED },
	{ "uid:1 ", CIDR_MALFORMED }, { "192.0.2.7/33", CIDR_LENGTH }, { "192.0.2.7/24", CIDR_HOST_BITS },
};

START_TEST(what_is_no_source_is_refused)
{
	struct source_id s;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		ck_assert_msg(source_id_parse(refused[i].text, &s) == refused[i].want, "%s", refused[i].text);
} END_TEST

static const struct { const char *a, *b; bool covers; } pairs[] = {
	{ "192.0.2.0/24",  "192.0.2.7/32",  true },
	{ "192.0.2.7/32",  "192.0.2.7/32",  true },
	{ "192.0.2.7/32",  "192.0.2.0/24",  false },
	{ "192.0.2.0/25",  "192.0.2.128/32", false },
	{ "0.0.0.0/0",     "192.0.2.7/32",  true },
	{ "0.0.0.0/0",     "2001:db8::/64", false },
	{ "::/0",          "192.0.2.7/32",  false },
	{ "2001:db8::/32", "2001:db8:1::/64", true },
	{ "uid:7",         "uid:7",         true },
	{ "uid:7",         "uid:8",         false },
	{ "0.0.0.0/0",     "uid:7",         false },
	{ "uid:7",         "0.0.0.0/0",     false },
};

START_TEST(a_source_covers_what_lies_in_it)
{
	const struct source_id a = parse(pairs[_i].a), b = parse(pairs[_i].b);

	ck_assert_msg(source_id_covers(&a, &b) == pairs[_i].covers, "%s, %s", pairs[_i].a, pairs[_i].b);
	ck_assert_msg(source_id_equal(&a, &b) == (strcmp(pairs[_i].a, pairs[_i].b) == 0), "%s, %s",
	              pairs[_i].a, pairs[_i].b);
} END_TEST

/* In their order. */
static const char *const ordered[] = {
	"uid:0", "uid:7", "uid:1000", "0.0.0.0/0", "10.0.0.0/8", "192.0.2.0/24", "192.0.2.0/32",
	"192.0.2.7/32", "::/0", "2001:db8::/64", "2001:db8:0:1::/64",
};

START_TEST(sources_have_an_order)
{
	const struct source_id unknown = { .uid = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(ordered); i++) {
		const struct source_id a = parse(ordered[i]);

		ck_assert_int_lt(source_id_compare(&unknown, &a), 0);
		for (size_t k = 0; k < ARRAY_SIZE(ordered); k++) {
			const struct source_id b = parse(ordered[k]);
			const int order = source_id_compare(&a, &b);

			ck_assert_msg(i < k ? order < 0 : i > k ? order > 0 : order == 0, "%s, %s: %d",
			              ordered[i], ordered[k], order);
		}
	}
} END_TEST

int main(void)
{
	Suite *s = suite_create("source_id");
	TCase *tc = unit_case(s, "source_id", NULL, NULL);

	tcase_add_loop_test(tc, a_client_has_the_source_of_its_prefix_or_its_user, 0, ARRAY_SIZE(made));
	tcase_add_test(tc, text_is_read_back);
	tcase_add_test(tc, what_is_no_source_is_refused);
	tcase_add_loop_test(tc, a_source_covers_what_lies_in_it, 0, ARRAY_SIZE(pairs));
	tcase_add_test(tc, sources_have_an_order);
	return unit_run(s);
}

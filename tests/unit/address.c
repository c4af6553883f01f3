/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Socket addresses, taken apart, compared and written down.
 */
#include <config.h>
#include "address.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct address inet4(const char *ip, in_port_t port)
{
	struct address a = { .len = sizeof a.u.in };

	a.u.in.sin_family = AF_INET;
	a.u.in.sin_port = htons(port);
	ck_assert_int_eq(inet_pton(AF_INET, ip, &a.u.in.sin_addr), 1);
	return a;
}

static struct address inet6(const char *ip, in_port_t port, uint32_t scope)
{
	struct address a = { .len = sizeof a.u.in6 };

	a.u.in6.sin6_family = AF_INET6;
	a.u.in6.sin6_port = htons(port);
	a.u.in6.sin6_scope_id = scope;
	ck_assert_int_eq(inet_pton(AF_INET6, ip, &a.u.in6.sin6_addr), 1);
	return a;
}

/* '@' stands for the NUL of an abstract name. */
static struct address local(const char *name)
{
	const size_t len = strlen(name);
	struct address a = { .len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len) };

	a.u.un.sun_family = AF_UNIX;
	memcpy(a.u.un.sun_path, name, len);
	if (*name == '@')
		a.u.un.sun_path[0] = '\0';
	else
		a.len++;
	return a;
}

START_TEST(addresses_are_written_as_in_the_configuration)
{
	const struct { struct address a; const char *want; } rows[] = {
		{ inet4("127.0.0.1", 80), "127.0.0.1:80" },
		{ inet6("::1", 8080, 0), "[::1]:8080" },
		{ inet6("fe80::1", 1, 1), "[fe80::1%lo]:1" },
		{ inet6("::ffff:192.0.2.1", 443, 0), "192.0.2.1:443" },
		{ local("/run/x.sock"), "unix:/run/x.sock" },
		{ local("@name"), "unix:@name" },
		{ { 0 }, "unknown" },
	};
	char buf[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_str_eq(address_format(&rows[i].a, buf, sizeof buf), rows[i].want);
} END_TEST

START_TEST(the_longest_addresses_fit)
{
	char path[sizeof ((struct sockaddr_un *)0)->sun_path], buf[ADDRESS_TEXT_MAX];
	struct address a;

	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	a = local(path);
	ck_assert_uint_eq(strlen(address_format(&a, buf, sizeof buf)), strlen(path) + 5);
	path[0] = '@';
	a = local(path);
	ck_assert_uint_eq(strlen(address_format(&a, buf, sizeof buf)), strlen(path) + 5);
} END_TEST

START_TEST(a_unix_socket_goes_by_its_path_or_its_abstract_name)
{
	static const char *const names[] = { "/run/x.sock", "/x", "@name", "@x", "@/x", "/@" };
	struct address a;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct address want = local(names[i]);

		memset(&a, 0xff, sizeof a);
		ck_assert_int_eq(address_set_unix(&a, names[i]), 0);
		ck_assert_uint_eq(a.len, want.len);
		ck_assert_mem_eq(&a.u.un, &want.u.un, sizeof a.u.un);
	}
} END_TEST

START_TEST(any_path_will_do_where_only_a_path_can_be_meant)
{
	const size_t head = offsetof(struct sockaddr_un, sun_path);
	static const char *const paths[] = { "/run/x.sock", "x", "./x", "@x", "/" };
	struct address a;

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		memset(&a, 0xff, sizeof a);
		ck_assert_int_eq(address_set_path(&a, paths[i]), 0);
		ck_assert_int_eq(a.u.sa.sa_family, AF_UNIX);
		ck_assert_uint_eq(a.len, head + strlen(paths[i]) + 1);
		ck_assert_str_eq(a.u.un.sun_path, paths[i]);
	}
} END_TEST

START_TEST(what_names_no_unix_socket_is_refused)
{
	static char path[ADDRESS_UNIX_MAX + 2], name[ADDRESS_UNIX_MAX + 2];
	const struct {
		int (*set)(struct address *, const char *); const char *text; int want;
	} rows[] = {
		{ address_set_unix, "", EINVAL },      { address_set_unix, "/", EINVAL },
		{ address_set_unix, "@", EINVAL },     { address_set_unix, "relative", EINVAL },
		{ address_set_unix, "./x", EINVAL },   { address_set_unix, path, ENAMETOOLONG },
		{ address_set_unix, name, ENAMETOOLONG },
		{ address_set_path, "", ENOENT },      { address_set_path, path, ENAMETOOLONG },
	};
	const struct address before = inet4("127.0.0.1", 80);
	struct address a = before;

	memset(path, '/', sizeof path - 1);
	memset(name, '@', sizeof name - 1);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		errno = 0;
		ck_assert_int_eq(rows[i].set(&a, rows[i].text), -1);
		ck_assert_msg(errno == rows[i].want, "row %zu: %m", i);
		ck_assert_mem_eq(&a, &before, sizeof a);
	}
	/* A byte less is the most. */
	path[ADDRESS_UNIX_MAX] = name[ADDRESS_UNIX_MAX] = '\0';
	ck_assert_int_eq(address_set_unix(&a, name), 0);
	ck_assert_uint_eq(a.len, sizeof a.u.un - 1);
	ck_assert_int_eq(address_set_unix(&a, path), 0);
	ck_assert_uint_eq(a.len, sizeof a.u.un);
	ck_assert_int_eq(a.u.un.sun_path[ADDRESS_UNIX_MAX], '\0');
} END_TEST

START_TEST(ipv4_mapped_peers_are_ipv4)
{
	struct address a = inet6("::ffff:192.0.2.7", 99, 0);
	struct endpoint e = endpoint_of(&a.u.sa, a.len);
	char buf[ADDRESS_TEXT_MAX];

	ck_assert_int_eq(e.family, AF_INET);
	ck_assert_int_eq(e.port, 99);
	ck_assert_str_eq(endpoint_ip(&e, buf, sizeof buf), "192.0.2.7");
	ck_assert_str_eq(endpoint_format(&e, buf, sizeof buf), "192.0.2.7:99");
} END_TEST

START_TEST(truncated_and_foreign_addresses_are_unknown)
{
	struct address a = inet4("127.0.0.1", 80), b = inet6("::1", 80, 0);
	struct sockaddr foreign = { .sa_family = AF_PACKET };
	char buf[ADDRESS_TEXT_MAX];
	struct endpoint e;

	ck_assert_int_eq(endpoint_of(&a.u.sa, 0).family, 0);
	ck_assert_int_eq(endpoint_of(&a.u.sa, a.len - 1).family, 0);
	ck_assert_int_eq(endpoint_of(&b.u.sa, b.len - 1).family, 0);
	e = endpoint_of(&foreign, sizeof foreign);
	ck_assert_str_eq(endpoint_format(&e, buf, sizeof buf), "unknown");
	ck_assert_str_eq(endpoint_ip(&e, buf, sizeof buf), "");
} END_TEST

START_TEST(ports_can_be_read_and_set)
{
	struct address four = inet4("0.0.0.0", 1), six = inet6("::", 1, 0), un = local("/x");

	address_set_port(&four, 65535);
	address_set_port(&six, 443);
	address_set_port(&un, 5);
	ck_assert_int_eq(address_port(&four), 65535);
	ck_assert_int_eq(address_port(&six), 443);
	ck_assert_int_eq(address_port(&un), 0);
} END_TEST

START_TEST(wildcards_are_known)
{
	const struct address wild4 = inet4("0.0.0.0", 1), wild6 = inet6("::", 1, 0);
	const struct address one4 = inet4("127.0.0.1", 1), one6 = inet6("::1", 1, 0);
	const struct address un = local("/x"), none = { 0 };

	ck_assert(address_is_wildcard(&wild4) && address_is_wildcard(&wild6));
	ck_assert(!address_is_wildcard(&one4) && !address_is_wildcard(&one6));
	ck_assert(!address_is_wildcard(&un) && !address_is_wildcard(&none));
} END_TEST

START_TEST(equal_means_the_same_family_address_port_and_scope)
{
	const struct address all[] = {
		inet4("127.0.0.1", 1), inet4("127.0.0.1", 2), inet4("127.0.0.2", 1),
		inet6("fe80::1", 1, 0), inet6("fe80::1", 1, 1), inet6("fe80::1", 2, 0),
		inet6("fe80::2", 1, 0), local("/a"), local("/b"), local("/aa"), local("@a"),
		local("@aa"),
	};
	const size_t n = sizeof all / sizeof *all;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			ck_assert_msg(address_equal(&all[i], &all[j]) == (i == j),
			              "rows %zu and %zu", i, j);
} END_TEST

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tc = tcase_create("address");
	SRunner *sr = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, addresses_are_written_as_in_the_configuration);
	tcase_add_test(tc, the_longest_addresses_fit);
	tcase_add_test(tc, a_unix_socket_goes_by_its_path_or_its_abstract_name);
	tcase_add_test(tc, any_path_will_do_where_only_a_path_can_be_meant);
	tcase_add_test(tc, what_names_no_unix_socket_is_refused);
	tcase_add_test(tc, ipv4_mapped_peers_are_ipv4);
	tcase_add_test(tc, truncated_and_foreign_addresses_are_unknown);
	tcase_add_test(tc, ports_can_be_read_and_set);
	tcase_add_test(tc, wildcards_are_known);
	tcase_add_test(tc, equal_means_the_same_family_address_port_and_scope);
	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which listeners of a new generation are old ones: services made by hand, and
 * ports that the kernel chose.
 */
#include <config.h>
#include "sockets.h"

#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "unit.h"

static struct sockets sockets;
static struct listening *found[CONF_LISTEN_MAX], *again[CONF_LISTEN_MAX];
static struct sockets_error error;

static void set_up(void)
{
	unit_enter_folder();
	unsetenv("LISTEN_FDS");
	log_use(NULL, LOG_LEVEL_ERROR);
	ck_assert_int_eq(sockets_init(&sockets, NULL), 0);
}

static void tear_down(void)
{
	sockets_close(&sockets);
	ck_assert(list_empty(&sockets.all));
	unit_leave_folder();
}

static struct conf_listen plain(const char *text)
{
	return (struct conf_listen){
		.place = { "test.conf", 7 }, .text = text, .same_port_as = -1, .backlog = 16,
		.mode = 0666, .owner = (uid_t)CONF_KEEP, .group = (gid_t)CONF_KEEP,
	};
}

static struct conf_listen inet4(const char *ip, in_port_t port)
{
	struct conf_listen c = plain(ip);

	c.address.len = sizeof c.address.u.in;
	c.address.u.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	ck_assert_int_eq(inet_pton(AF_INET, ip, &c.address.u.in.sin_addr), 1);
	return c;
}

static struct conf_listen inet6(const char *ip, in_port_t port)
{
	struct conf_listen c = plain(ip);

	c.address.len = sizeof c.address.u.in6;
	c.address.u.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
	                                         .sin6_port = htons(port) };
	ck_assert_int_eq(inet_pton(AF_INET6, ip, &c.address.u.in6.sin6_addr), 1);
	return c;
}

static struct conf_listen local(const char *path)
{
	struct conf_listen c = plain(path);

	c.kind = LISTEN_UNIX;
	c.address.u.un.sun_family = AF_UNIX;
	strcpy(c.address.u.un.sun_path, path);
	c.address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
	return c;
}

static struct conf_service service(const char *name, struct conf_listen *listen, size_t n)
{
	return (struct conf_service){ .name = name, .listen = listen, .n_listen = n };
}

static int acquire(const struct conf_service *s, unsigned int generation, struct listening **out)
{
	const struct sockets_wish wish = { .owner = s->name, .listen = s->listen, .n_listen = s->n_listen,
	                                   .generation = generation };

	return sockets_acquire(&sockets, &wish, out, &error);
}

static size_t n_sockets(void)
{
	struct listening *l;
	size_t n = 0;

	list_each(&sockets.all, l, struct listening, in_sockets) {
		(void)l;
		n++;
	}
	return n;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

START_TEST(new_listeners_are_opened_and_the_last_user_closes_them)
{
	struct conf_listen listen[] = { inet4("127.0.0.1", 0), inet4("127.0.0.1", 0), local("sock") };
	struct conf_service s = service("web", listen, 3);
	int before = unit_count_fds();

	ck_assert_int_eq(acquire(&s, 1, found), 3);
	ck_assert_uint_ne(address_port(&found[0]->address), address_port(&found[1]->address));
	for (int i = 0; i < 3; i++) {
		ck_assert(unit_fd_is_well_born(found[i]->fd));
		ck_assert_uint_eq(found[i]->users, 1);
	}
	ck_assert(exists("sock"));
	sockets_commit(&sockets, 1);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(found[i]->service, "web");
	for (int i = 0; i < 3; i++)
		sockets_release(&sockets, found[i]);
	ck_assert(!exists("sock"));
	ck_assert_int_eq(unit_count_fds(), before);
	ck_assert_uint_eq(n_sockets(), 0);
} END_TEST

START_TEST(the_next_generation_gets_the_same_sockets)
{
	struct conf_listen listen[] = { inet4("127.0.0.1", 0), inet4("127.0.0.1", 0), local("sock") };
	struct conf_service s = service("web", listen, 3);

	ck_assert_int_eq(acquire(&s, 1, found), 3);
	ck_assert_int_eq(acquire(&s, 2, again), 3);
	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_eq(found[i], again[i]);
		ck_assert_uint_eq(found[i]->users, 2);
		sockets_release(&sockets, found[i]);
		ck_assert(unit_fd_is_open(again[i]->fd));
	}
	ck_assert(exists("sock"));
	ck_assert_uint_eq(n_sockets(), 3);
} END_TEST

/* ---- what makes a socket the same --------------------------------------- */

enum which { NONE, CHOSEN, OTHER_IP, PATH, GIVEN };
enum { NEW = -1, REFUSED = -2 };        /* else: that one of the first generation */

/* After service "a" listened on CHOSEN and PATH. A chosen port is recognised by service and place. */
static const struct {
	const char *name, *service;
	enum which  listen[2];
	int         want[2];
} next_rows[] = {
	{ "the same again",                         "a",     { CHOSEN, PATH }, { 0, 1 } },
	{ "one left out",                           "a",     { CHOSEN },       { 0 } },
	{ "in other places",                        "a",     { PATH, CHOSEN }, { 1, NEW } },
	{ "another address",                        "a",     { OTHER_IP },     { NEW } },
	{ "a chosen port of another service",       "other", { CHOSEN },       { NEW } },
	{ "a path, from one service to another",    "other", { PATH },         { 1 } },
	{ "the port that was chosen, but as given", "a",     { GIVEN },        { REFUSED } },
};

static struct conf_listen listen_on(enum which which)
{
	switch (which) {
	case CHOSEN:
		return inet4("127.0.0.1", 0);
	case OTHER_IP:
		return inet4("127.0.0.2", 0);
	case GIVEN:
		return inet4("127.0.0.1", address_port(&found[0]->address));
	case PATH:
		return local("sock");
	case NONE:
		break;
	}
	ck_abort_msg("nothing to listen on");
}

START_TEST(what_makes_a_socket_the_same)
{
	struct conf_listen listen[] = { listen_on(CHOSEN), listen_on(PATH) };
	struct conf_service first = service("a", listen, 2), next;
	const char *name = next_rows[_i].name;
	const int *want = next_rows[_i].want;
	const int n = next_rows[_i].listen[1] == NONE ? 1 : 2;

	ck_assert_int_eq(acquire(&first, 1, found), 2);
	sockets_commit(&sockets, 1);
	for (int i = 0; i < n; i++)
		listen[i] = listen_on(next_rows[_i].listen[i]);
	next = service(next_rows[_i].service, listen, (size_t)n);
	if (want[0] == REFUSED) {
		ck_assert_msg(acquire(&next, 2, again) == -1, "%s", name);
		ck_assert_msg(strstr(error.text, "overlaps"), "%s: %s", name, error.text);
		return;
	}
	ck_assert_msg(acquire(&next, 2, again) == n, "%s: %s", name, error.text);
	for (int i = 0; i < n; i++)
		for (int k = 0; k < 2; k++)
			ck_assert_msg((again[i] == found[k]) == (want[i] == k), "%s: %d and %d", name, i, k);
} END_TEST

START_TEST(a_socket_is_of_the_service_that_has_got_it)
{
	struct conf_listen path = local("sock");
	struct conf_service a = service("a", &path, 1), other = service("other", &path, 1);

	ck_assert_int_eq(acquire(&a, 1, found), 1);
	sockets_commit(&sockets, 1);
	ck_assert_int_eq(acquire(&other, 2, again), 1);
	ck_assert_str_eq(again[0]->service, "a");
	sockets_commit(&sockets, 2);
	ck_assert_str_eq(again[0]->service, "other");
} END_TEST

/* ---- many, and those in the way ------------------------------------------ */

static size_t n_comparisons;            /* of addresses */

bool __real_address_equal(const struct address *a, const struct address *b);
bool __wrap_address_equal(const struct address *a, const struct address *b);
int __real_address_compare(const struct address *a, const struct address *b);
int __wrap_address_compare(const struct address *a, const struct address *b);

bool __wrap_address_equal(const struct address *a, const struct address *b)
{
	n_comparisons++;
	return __real_address_equal(a, b);
}

int __wrap_address_compare(const struct address *a, const struct address *b)
{
	n_comparisons++;
	return __real_address_compare(a, b);
}

START_TEST(a_reload_does_not_compare_each_listener_with_each)
{
	enum { SERVICES = 5, EACH = 50 };
	static struct conf_listen listen[SERVICES][EACH];
	static struct listening *first[SERVICES][CONF_LISTEN_MAX];
	static const char *const names[SERVICES] = { "a", "b", "c", "d", "e" };

	for (int i = 0; i < SERVICES; i++) {
		struct conf_service s = service(names[i], listen[i], EACH);

		for (int j = 0; j < EACH; j++) {
			listen[i][j] = inet4("127.0.0.1", 0);
			listen[i][j].address.u.in.sin_addr.s_addr += htonl((uint32_t)(EACH * i + j));
		}
		ck_assert_int_eq(acquire(&s, 1, first[i]), EACH);
	}
	sockets_commit(&sockets, 1);
	n_comparisons = 0;
	for (int i = 0; i < SERVICES; i++) {
		struct conf_service s = service(names[i], listen[i], EACH);

		ck_assert_int_eq(acquire(&s, 2, again), EACH);
		ck_assert_mem_eq(first[i], again, EACH * sizeof *again);
	}
	ck_assert_uint_lt(n_comparisons, SERVICES * EACH * 30);
} END_TEST

START_TEST(overlapping_sockets_are_refused_with_the_name_of_their_service)
{
	struct conf_listen one = inet4("127.0.0.1", 0), wild;
	struct conf_service a = service("a", &one, 1), b;

	ck_assert_int_eq(acquire(&a, 1, found), 1);
	sockets_commit(&sockets, 1);
	wild = inet4("0.0.0.0", address_port(&found[0]->address));
	b = service("b", &wild, 1);
	ck_assert_int_eq(acquire(&b, 2, again), -1);
	ck_assert_int_eq(error.exit_code, EX_UNAVAILABLE);
	ck_assert_int_eq(error.place.line, 7);
	unit_contains(error.text, "0.0.0.0 overlaps with 127.0.0.1:");
	unit_contains(error.text, "service \"a\"");
	ck_assert_uint_eq(found[0]->users, 1);
	ck_assert_uint_eq(n_sockets(), 1);
} END_TEST

START_TEST(one_socket_cannot_be_had_twice_in_a_generation)
{
	struct conf_listen path = local("sock");
	struct conf_service a = service("a", &path, 1), b = service("b", &path, 1);

	ck_assert_int_eq(acquire(&a, 1, found), 1);
	ck_assert_int_eq(acquire(&b, 1, again), -1);
	ck_assert_int_eq(error.exit_code, EX_CONFIG);
	unit_contains(error.text, "already");
	unit_contains(error.text, "\"a\"");
	ck_assert_uint_eq(found[0]->users, 1);
} END_TEST

START_TEST(after_a_failure_nothing_is_taken)
{
	struct conf_listen old = local("old");
	struct conf_listen listen[] = { old, inet4("127.0.0.1", 0), local("new"), local("file") };
	struct conf_service a = service("a", &old, 1), b = service("a", listen, 4);
	int before;

	unit_write_file("file", "precious");
	ck_assert_int_eq(acquire(&a, 1, found), 1);
	before = unit_count_fds();
	ck_assert_int_eq(acquire(&b, 2, again), -1);
	ck_assert_int_eq(error.exit_code, EX_UNAVAILABLE);
	ck_assert_str_eq(error.text, "listen on file: exists and is not a socket");
	ck_assert_int_eq(unit_count_fds(), before);
	ck_assert_uint_eq(found[0]->users, 1);
	ck_assert(exists("old") && exists("file") && !exists("new"));
	ck_assert_int_eq(acquire(&a, 3, again), 1);
	ck_assert_ptr_eq(again[0], found[0]);
} END_TEST

START_TEST(a_failure_leaves_what_is_served_as_it_was)
{
	struct conf_listen serving = local("old");
	struct conf_listen listen[] = { local("old"), local("no/folder") };
	struct conf_service a = service("a", &serving, 1), b = service("b", listen, 2);
	struct stat st;

	listen[0].mode = 0600;
	ck_assert_int_eq(acquire(&a, 1, found), 1);
	sockets_commit(&sockets, 1);
	ck_assert_int_eq(acquire(&b, 2, again), -1);
	ck_assert_int_eq(error.exit_code, EX_UNAVAILABLE);
	ck_assert_str_eq(found[0]->service, "a");
	sockets_commit(&sockets, 3);            /* the next one does not ask for it */
	ck_assert_int_eq(stat("old", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0666);
} END_TEST

START_TEST(options_come_into_force_when_a_generation_is_committed)
{
	struct conf_listen path = local("sock");
	struct conf_service s = service("a", &path, 1);
	struct stat st;

	ck_assert_int_eq(acquire(&s, 1, found), 1);
	sockets_commit(&sockets, 1);
	path.mode = 0600;
	ck_assert_int_eq(acquire(&s, 2, again), 1);
	ck_assert_int_eq(stat("sock", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0666);
	sockets_commit(&sockets, 2);
	ck_assert_int_eq(stat("sock", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
} END_TEST

START_TEST(a_socket_whose_file_is_gone_is_still_the_same_and_takes_no_other_file)
{
	struct conf_listen path = local("sock");
	struct conf_service s = service("a", &path, 1);

	ck_assert_int_eq(acquire(&s, 1, found), 1);
	ck_assert_int_eq(rename("sock", "moved"), 0);
	unit_write_file("sock", "of another process");
	sockets_release(&sockets, found[0]);
	ck_assert_str_eq(unit_read_file("sock"), "of another process");
	ck_assert_uint_eq(n_sockets(), 0);
} END_TEST

START_TEST(a_socket_whose_file_was_removed_is_made_again_and_the_old_one_stays_for_its_queue)
{
	struct conf_listen path = local("sock");
	struct conf_service s = service("a", &path, 1);

	ck_assert_int_eq(acquire(&s, 1, found), 1);
	sockets_commit(&sockets, 1);
	ck_assert_int_eq(unlink("sock"), 0);
	ck_assert_int_eq(acquire(&s, 2, again), 1);
	ck_assert_ptr_ne(again[0], found[0]);
	ck_assert_uint_eq(found[0]->users, 1);
	ck_assert(exists("sock"));
	sockets_commit(&sockets, 2);
	sockets_release(&sockets, found[0]);
	ck_assert(exists("sock"));
	ck_assert_int_eq(acquire(&s, 3, found), 1);
	ck_assert_ptr_eq(found[0], again[0]);
} END_TEST

START_TEST(one_that_cannot_be_made_again_is_said_so)
{
	struct conf_listen path = local("sock");
	struct conf_service s = service("a", &path, 1);

	ck_assert_int_eq(acquire(&s, 1, found), 1);
	ck_assert_int_eq(unlink("sock"), 0);
	unit_write_file("sock", "of another process");
	ck_assert_int_eq(acquire(&s, 2, again), -1);
	ck_assert_int_eq(error.exit_code, EX_UNAVAILABLE);
	ck_assert_uint_eq(found[0]->users, 1);
	ck_assert_uint_eq(n_sockets(), 1);
	ck_assert_str_eq(unit_read_file("sock"), "of another process");
} END_TEST

/* ---- pairs -------------------------------------------------------------- */

static bool has_ipv6(void)
{
	return strstr(unit_read_file("/proc/net/if_inet6"), "00000000000000000000000000000001 ");
}

START_TEST(a_pair_has_one_port_for_both_families)
{
	struct conf_listen listen[] = { inet6("::", 0), inet4("0.0.0.0", 0) };
	struct conf_service s = service("a", listen, 2);

	listen[0].optional = listen[1].optional = true;
	listen[1].same_port_as = 0;
	ck_assert_int_eq(acquire(&s, 1, found), 2);
	ck_assert_uint_ne(address_port(&found[0]->address), 0);
	ck_assert_uint_eq(address_port(&found[0]->address), address_port(&found[1]->address));
	ck_assert_int_eq(acquire(&s, 2, again), 2);
	ck_assert_ptr_eq(again[0], found[0]);
	ck_assert_ptr_eq(again[1], found[1]);
} END_TEST

/* The first port that was chosen is taken for the second: both are chosen again. */
int __real_listener_open(struct address *a, const struct listener_options *o,
                         struct listener_file *file);
int __wrap_listener_open(struct address *a, const struct listener_options *o,
                         struct listener_file *file);

static int n_refused;                   /* listeners on given ports that are to fail, */
static int refused_as;                  /* with this errno */

int __wrap_listener_open(struct address *a, const struct listener_options *o,
                         struct listener_file *file)
{
	if (n_refused > 0 && address_port(a) != 0) {
		n_refused--;
		errno = refused_as;
		return -1;
	}
	return __real_listener_open(a, o, file);
}

START_TEST(a_pair_is_chosen_again_until_both_can_have_the_port)
{
	struct conf_listen listen[] = { inet4("127.0.0.1", 0), inet4("127.0.0.2", 0) };
	struct conf_service s = service("a", listen, 2);
	int before = unit_count_fds();

	listen[1].same_port_as = 0;
	n_refused = 5;
	refused_as = EADDRINUSE;
	ck_assert_int_eq(acquire(&s, 1, found), 2);
	ck_assert_int_eq(n_refused, 0);
	ck_assert_uint_eq(address_port(&found[0]->address), address_port(&found[1]->address));
	ck_assert_int_eq(unit_count_fds(), before + 2);
} END_TEST

START_TEST(but_not_for_ever)
{
	struct conf_listen listen[] = { inet4("127.0.0.1", 0), inet4("127.0.0.2", 0) };
	struct conf_service s = service("a", listen, 2);
	int before = unit_count_fds();

	listen[1].same_port_as = 0;
	n_refused = 1000;
	refused_as = EADDRINUSE;
	ck_assert_int_eq(acquire(&s, 1, found), -1);
	ck_assert_int_eq(error.exit_code, EX_UNAVAILABLE);
	ck_assert_int_eq(unit_count_fds(), before);
	ck_assert_uint_eq(n_sockets(), 0);
} END_TEST

static const struct { const char *name; int as; bool optional; int want; } refusals[] = {
	{ "the kernel lacks the family",         EAFNOSUPPORT,  true,  1 },
	{ "no address of the family is there",   EADDRNOTAVAIL, true,  1 },
	{ "what is not allowed is not skipped",  EACCES,        true,  -1 },
	{ "nor what is not optional",            EAFNOSUPPORT,  false, -1 },
};

START_TEST(an_optional_family_that_the_kernel_lacks_is_skipped)
{
	struct conf_listen listen[] = { inet4("127.0.0.1", 0), inet4("127.0.0.2", 0) };
	struct conf_service s = service("a", listen, 2);

	listen[1].same_port_as = 0;
	listen[1].optional = refusals[_i].optional;
	n_refused = 1;
	refused_as = refusals[_i].as;
	ck_assert_msg(acquire(&s, 1, found) == refusals[_i].want, "%s", refusals[_i].name);
	if (refusals[_i].want == 1)
		sockets_release(&sockets, found[0]);
	ck_assert_uint_eq(n_sockets(), 0);
} END_TEST

static const struct { int as, want; } kinds_of_errors[] = {
	{ EADDRINUSE, EX_UNAVAILABLE }, { EACCES, EX_NOPERM }, { EPERM, EX_NOPERM },
	{ EADDRNOTAVAIL, EX_UNAVAILABLE }, { ENODEV, EX_UNAVAILABLE }, { ENOMEM, EX_OSERR },
};

START_TEST(a_socket_knows_which_listener_of_the_service_it_is)
{
	struct conf_listen listen[] = { inet4("127.0.0.1", 0), inet4("127.0.0.2", 0), local("sock") };
	struct conf_service s = service("a", listen, 3);

	listen[1].same_port_as = 0;
	listen[1].optional = true;              /* and skipped */
	n_refused = 1;
	refused_as = EAFNOSUPPORT;
	ck_assert_int_eq(acquire(&s, 1, found), 2);
	ck_assert_uint_eq(found[0]->wish.listen, 0);
	ck_assert_uint_eq(found[1]->wish.listen, 2);
	sockets_release(&sockets, found[0]);
	sockets_release(&sockets, found[1]);
} END_TEST

START_TEST(errors_have_the_exit_status_of_their_kind)
{
	struct conf_listen c = inet4("127.0.0.1", 9);
	struct conf_service s = service("a", &c, 1);

	n_refused = 1;
	refused_as = kinds_of_errors[_i].as;
	ck_assert_int_eq(acquire(&s, 1, found), -1);
	ck_assert_msg(error.exit_code == kinds_of_errors[_i].want, "%s: %d", error.text, error.exit_code);
	unit_contains(error.text, strerror(kinds_of_errors[_i].as));
} END_TEST

/* conf_overlap.c allows it, and so does the kernel. */
START_TEST(two_devices_can_have_the_same_port)
{
	struct if_nameindex *devices = if_nameindex();
	const char *other = NULL;
	struct conf_listen one = inet4("0.0.0.0", 0), two;
	struct conf_service a = service("a", &one, 1), b;

	for (size_t i = 0; devices[i].if_name; i++)
		if (strcmp(devices[i].if_name, "lo") != 0)
			other = devices[i].if_name;
	if (other) {
		one.device = "lo";
		ck_assert_msg(acquire(&a, 1, found) == 1, "%s", error.text);
		two = inet4("0.0.0.0", address_port(&found[0]->address));
		two.device = other;
		b = service("b", &two, 1);
		ck_assert_msg(acquire(&b, 1, again) == 1, "%s", error.text);
	}
	if_freenameindex(devices);
} END_TEST

int main(void)
{
	Suite *s = suite_create("sockets");
	TCase *tc = unit_case(s, "sockets", set_up, tear_down);
	TCase *pairs = unit_case(s, "pairs", set_up, tear_down);

	tcase_add_test(tc, new_listeners_are_opened_and_the_last_user_closes_them);
	tcase_add_test(tc, the_next_generation_gets_the_same_sockets);
	tcase_add_loop_test(tc, what_makes_a_socket_the_same, 0, ARRAY_SIZE(next_rows));
	tcase_add_test(tc, a_socket_is_of_the_service_that_has_got_it);
	tcase_add_test(tc, a_reload_does_not_compare_each_listener_with_each);
	tcase_add_test(tc, overlapping_sockets_are_refused_with_the_name_of_their_service);
	tcase_add_test(tc, one_socket_cannot_be_had_twice_in_a_generation);
	tcase_add_test(tc, after_a_failure_nothing_is_taken);
	tcase_add_test(tc, a_failure_leaves_what_is_served_as_it_was);
	tcase_add_test(tc, options_come_into_force_when_a_generation_is_committed);
	tcase_add_test(tc, a_socket_whose_file_is_gone_is_still_the_same_and_takes_no_other_file);
	tcase_add_test(tc, a_socket_whose_file_was_removed_is_made_again_and_the_old_one_stays_for_its_queue);
	tcase_add_test(tc, one_that_cannot_be_made_again_is_said_so);
	unit_add_if(geteuid() == 0, "only root can do that", tc, two_devices_can_have_the_same_port);
	unit_add_if(has_ipv6(), "no IPv6 here", pairs, a_pair_has_one_port_for_both_families);
	tcase_add_test(pairs, a_pair_is_chosen_again_until_both_can_have_the_port);
	tcase_add_test(pairs, but_not_for_ever);
	tcase_add_loop_test(pairs, an_optional_family_that_the_kernel_lacks_is_skipped, 0,
	                    ARRAY_SIZE(refusals));
	tcase_add_test(pairs, a_socket_knows_which_listener_of_the_service_it_is);
	tcase_add_loop_test(pairs, errors_have_the_exit_status_of_their_kind, 0, ARRAY_SIZE(kinds_of_errors));
	return unit_run(s);
}

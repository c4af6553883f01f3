/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The leash: messages whole or not at all, with descriptors beside them; and children that have one.
 */
#include <config.h>
#include "leash.h"

#include <sys/socket.h>

#include "unit.h"

static struct leash master, worker;

static void open_leash(void)
{
	ck_assert_int_eq(leash_open(&master, &worker), 0);
}

/* As it was before there was a pipe: the worker says its words over the socket. */
static void open_old_leash(void)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	master = (struct leash){ pair[0], -1 };
	worker = (struct leash){ pair[1], -1 };
}

static void close_leash(void)
{
	leash_close(&master);
	leash_close(&worker);
}

static void order(enum leash_word word)
{
	ck_assert_int_eq(leash_order(&master, &(struct leash_message){ .word = word }), 0);
}

static void say(enum leash_word word)
{
	ck_assert_int_eq(leash_say(&worker, &(struct leash_message){ .word = word }), 0);
}

START_TEST(both_ends_are_ours_alone_and_never_wait)
{
	struct leash_message m;

	ck_assert(unit_fd_is_well_born(master.orders));
	ck_assert(unit_fd_is_well_born(master.words));
	ck_assert(unit_fd_is_well_born(worker.orders));
	ck_assert(unit_fd_is_well_born(worker.words));
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_EMPTY);
	ck_assert_int_eq(leash_obey(&worker, &m), LEASH_EMPTY);
} END_TEST

START_TEST(numbers_go_over_as_they_are)
{
	struct leash_message m;

	ck_assert_int_eq(leash_order(&master, &(struct leash_message){
		.word = LEASH_SLOTS, .low_free = 1, .low_open = INT64_MAX }), 0);
	ck_assert_int_eq(leash_obey(&worker, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_SLOTS);
	ck_assert_int_eq(m.low_free, 1);
	ck_assert_int_eq(m.low_open, INT64_MAX);
} END_TEST

START_TEST(messages_keep_their_bounds_and_order)
{
	struct leash_message m;

	say(LEASH_READY);
	ck_assert_int_eq(leash_say(&worker, &(struct leash_message){
		.word = LEASH_KICK, .number = UINT64_MAX - 1 }), 0);
	order(LEASH_DRAIN);
	ck_assert_int_eq(leash_order(&master, &(struct leash_message){
		.word = LEASH_DRAIN, .removed = 0x8000000000000001 }), 0);
	ck_assert_int_eq(leash_order(&master, &(struct leash_message){
		.word = LEASH_KICK, .number = UINT64_MAX }), 0);
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_READY);
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_KICK);
	ck_assert_uint_eq(m.number, UINT64_MAX - 1);
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_EMPTY);
	ck_assert_int_eq(leash_obey(&worker, &m), LEASH_OK);
	ck_assert_uint_eq(m.removed, 0);
	ck_assert_int_eq(leash_obey(&worker, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_DRAIN);
	ck_assert_uint_eq(m.removed, 0x8000000000000001);
	ck_assert_uint_eq(m.number, 0);
	ck_assert_int_eq(m.fds[0], -1);
	ck_assert_int_eq(m.fds[1], -1);
	ck_assert_int_eq(leash_obey(&worker, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_KICK);
	ck_assert_uint_eq(m.number, UINT64_MAX);
	ck_assert_int_eq(leash_obey(&worker, &m), LEASH_EMPTY);
} END_TEST

/* Whether that descriptor leads to the file of that name. */
static bool leads_to(int fd, const char *name)
{
	char link[64], path[256];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	return strcmp(path, name) == 0;
}

static const struct { const char *name; bool has[LEASH_FDS]; } in_places[] = {
	{ "both",             { true, true } },
	{ "the log only",     { true, false } },
	{ "the access log only", { false, true } },
	{ "none",             { false, false } },
};

START_TEST(descriptors_go_over_in_their_places)
{
	static const char *const files[] = { "/dev/null", "/dev/zero" };
	struct leash_message sent = { .word = LEASH_LOGS }, m;
	int before = unit_count_fds();

	for (int k = 0; k < LEASH_FDS; k++)
		sent.fds[k] = in_places[_i].has[k] ? open(files[k], O_RDWR | O_CLOEXEC) : -1;
	ck_assert_int_eq(leash_order(&master, &sent), 0);
	for (int k = 0; k < LEASH_FDS; k++) {   /* lent: we still have them */
		ck_assert_int_eq(sent.fds[k] == -1 || close(sent.fds[k]) == 0, 1);
	}
	ck_assert_int_eq(leash_obey(&worker, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_LOGS);
	for (int k = 0; k < LEASH_FDS; k++) {
		ck_assert_msg((m.fds[k] != -1) == in_places[_i].has[k], "%s", in_places[_i].name);
		if (m.fds[k] == -1)
			continue;
		ck_assert_msg(leads_to(m.fds[k], files[k]), "%s", in_places[_i].name);
		ck_assert_int_ne(fcntl(m.fds[k], F_GETFD) & FD_CLOEXEC, 0);
		close(m.fds[k]);
	}
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

START_TEST(the_end_of_the_other_side_is_told_after_its_last_word)
{
	struct leash_message m;

	say(LEASH_READY);
	leash_close(&worker);
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_OK);
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_CLOSED);
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_CLOSED);
	unit_block_sigpipe();
	ck_assert_int_eq(leash_order(&master, &(struct leash_message){ .word = LEASH_DRAIN }), -1);
	ck_assert_int_eq(errno, EPIPE);
} END_TEST

START_TEST(the_end_of_the_master_is_told_after_its_last_order)
{
	struct leash_message m;

	order(LEASH_END);
	leash_close(&master);
	ck_assert_int_eq(leash_obey(&worker, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_END);
	ck_assert_int_eq(leash_obey(&worker, &m), LEASH_CLOSED);
	unit_block_sigpipe();
	ck_assert_int_eq(leash_say(&worker, &(struct leash_message){ .word = LEASH_READY }), -1);
	ck_assert_int_eq(errno, EPIPE);
} END_TEST

START_TEST(a_process_that_does_not_read_gets_no_more)
{
	int before = unit_count_fds(), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct leash_message logs = { .word = LEASH_LOGS, .fds = { null, null } }, m;
	unsigned n = 0, got = 0;

	while (leash_order(&master, &logs) == 0)
		ck_assert_uint_lt(++n, 100000);
	ck_assert_msg(errno == EAGAIN, "%m");
	while (leash_obey(&worker, &m) == LEASH_OK) {
		got++;
		close(m.fds[0]);
		close(m.fds[1]);
	}
	ck_assert_uint_eq(got, n);
	order(LEASH_DRAIN);                     /* there is room again */
	close(null);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

START_TEST(a_worker_that_is_not_heard_can_say_no_more)
{
	struct leash_message m;
	unsigned n = 0, heard = 0;

	while (leash_say(&worker, &(struct leash_message){ .word = LEASH_LOOK }) == 0)
		ck_assert_uint_lt(++n, 100000);
	ck_assert_msg(errno == EAGAIN, "%m");
	while (leash_hear(&master, &m) == LEASH_OK)
		heard++;
	ck_assert_uint_eq(heard, n);
	say(LEASH_DRAIN);
} END_TEST

/* Sends len bytes with n descriptors to the master's socket, as no sound worker would. */
static ssize_t try_raw(const void *bytes, size_t len, size_t n)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int) * 8)]; } extra = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[8];

	for (size_t i = 0; i < n; i++)
		fds[i] = STDERR_FILENO;
	if (n > 0) {
		msg.msg_control = &extra;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		extra.header.cmsg_level = SOL_SOCKET;
		extra.header.cmsg_type = SCM_RIGHTS;
		extra.header.cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(&extra.header), fds, sizeof(int) * n);
	}
	return sendmsg(worker.orders, &msg, MSG_NOSIGNAL);
}

static void send_raw(const void *bytes, size_t len, size_t n)
{
	ck_assert_int_eq(try_raw(bytes, len, n), (ssize_t)len);
}

static void write_raw(const void *bytes, size_t len)
{
	ck_assert_int_eq(write(worker.words, bytes, len), (ssize_t)len);
}

#define WIRE     40                     /* bytes of a message as they go over: word, has_fd, 4 numbers */
#define WIRE_MIN 16                     /* of the shortest: as far as `removed` */

/* A word, and the claim that both descriptors are with it. */
static const uint32_t claim[16] = { LEASH_LOGS, 3 };

/* What it would take to keep the master waiting: neither way carries a descriptor. */
START_TEST(a_worker_can_send_no_descriptor)
{
	struct leash_message m;

	ck_assert_int_eq(try_raw(claim, WIRE, 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(try_raw(claim, WIRE, 0), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_EMPTY);
	ck_assert_int_eq(send(worker.words, claim, WIRE, MSG_NOSIGNAL), -1);
	ck_assert_int_eq(errno, ENOTSOCK);
	order(LEASH_DRAIN);                     /* the other direction is as it was */
	ck_assert_int_eq(leash_obey(&worker, &m), LEASH_OK);
} END_TEST

START_TEST(a_word_that_is_too_short_is_malformed)
{
	struct leash_message m;

	write_raw(claim, (size_t)_i);
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_MALFORMED);
	say(LEASH_READY);                       /* its bounds are still known */
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_READY);
} END_TEST

START_TEST(words_of_another_version_are_understood)
{
	static const uint32_t drain[16] = { LEASH_DRAIN, 3, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	static const size_t lengths[] = { WIRE_MIN, WIRE - 8, WIRE, WIRE + 8, sizeof drain };
	struct leash_message m;

	write_raw(drain, lengths[_i]);
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_DRAIN);
	ck_assert_uint_eq(m.removed, 7);
	ck_assert_int_eq(m.fds[0], -1);
	ck_assert_int_eq(m.fds[1], -1);
	say(LEASH_READY);                       /* what was cut is gone */
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_READY);
} END_TEST

START_TEST(a_malformed_message_is_told)
{
	static const struct { const char *name; size_t len, n_fds; } rows[] = {
		{ "too short", 1, 0 },
		{ "a byte too short", WIRE_MIN - 1, 0 },
		{ "too short, with descriptors", 3, 2 },
		{ "longer, but too short, with descriptors", WIRE_MIN - 1, 2 },
	};
	struct leash_message m;
	int before = unit_count_fds();

	send_raw(claim, rows[_i].len, rows[_i].n_fds);
	ck_assert_msg(leash_hear(&master, &m) == LEASH_MALFORMED, "%s", rows[_i].name);
	ck_assert_msg(unit_count_fds() == before, "%s: a descriptor is left", rows[_i].name);
} END_TEST

START_TEST(what_another_version_says_is_understood)
{
	static const uint32_t drain[16] = { LEASH_DRAIN, 0, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	static const uint32_t ready[WIRE / 4] = { LEASH_READY };
	static const size_t lengths[] = { WIRE_MIN, WIRE - 8, WIRE + 8, sizeof drain };
	struct leash_message m;

	send_raw(drain, lengths[_i], 0);
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_DRAIN);
	ck_assert_uint_eq(m.removed, 7);
	if (_i == 0)
		ck_assert_uint_eq(m.number, 0);
	send_raw(ready, WIRE, 0);               /* what was cut is gone */
	ck_assert_int_eq(leash_hear(&master, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_READY);
} END_TEST

/* The peer is a worker, which a client may have taken over; where the kernel can, they do not come. */
START_TEST(a_kernel_that_can_lets_no_descriptors_through_an_old_one)
{
	const int pass = 1;

	if (setsockopt(master.orders, SOL_SOCKET, 83, &pass, sizeof pass) == -1)
		return;                         /* SO_PASSRIGHTS is of Linux 6.16 */
	leash_adopt(&master);
	ck_assert_int_eq(try_raw(claim, WIRE, 1), -1);
	ck_assert_int_eq(errno, EPERM);
	send_raw(claim, WIRE, 0);
} END_TEST

START_TEST(uninvited_descriptors_do_not_stay)
{
	static const uint32_t no_claim[WIRE / 4] = { LEASH_READY };
	struct leash_message m;
	int before = unit_count_fds();

	for (size_t n = 0; n <= 8; n++) {
		send_raw(n % 2 ? claim : no_claim, WIRE, n);
		leash_hear(&master, &m);
		ck_assert_msg(unit_count_fds() == before, "%zu descriptors", n);
	}
} END_TEST

/* ---- children ----------------------------------------------------------- */

static bool no_process;                 /* fork fails */

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t __wrap_fork(void)
{
	if (!no_process)
		return __real_fork();
	errno = EAGAIN;
	return -1;
}

static void wait_until_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, -1) != 1)
		;
}

static enum leash_result wait_for_order(const struct leash *child, struct leash_message *m)
{
	wait_until_readable(child->orders);
	return leash_obey(child, m);
}

static enum leash_result wait_for_word(const struct leash *l, struct leash_message *m)
{
	wait_until_readable(leash_ear(l));
	return leash_hear(l, m);
}

/* Says READY, obeys a DRAIN, and ends with its master. Returns its exit status. */
static int live(const struct leash *l)
{
	struct leash_message m;

	if (leash_say(l, &(struct leash_message){ .word = LEASH_READY }) == -1)
		return 1;
	if (wait_for_order(l, &m) != LEASH_OK || m.word != LEASH_DRAIN)
		return 2;
	return wait_for_order(l, &m) == LEASH_CLOSED ? 0 : 3;
}

START_TEST(a_child_has_the_other_end_and_learns_of_the_end_of_its_master)
{
	const int before = unit_count_fds();
	struct leash leash;
	struct leash_message m;
	const pid_t pid = leash_fork(&leash);

	if (pid == 0)
		_exit(live(&leash));
	ck_assert_int_eq(unit_count_fds(), before + 2);
	ck_assert_int_eq(wait_for_word(&leash, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_READY);
	ck_assert_int_eq(leash_order(&leash, &(struct leash_message){ .word = LEASH_DRAIN }), 0);
	leash_close(&leash);
	unit_child_succeeds(pid);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

START_TEST(the_master_learns_of_the_end_of_its_child)
{
	struct leash leash;
	struct leash_message m;
	const pid_t pid = leash_fork(&leash);

	if (pid == 0)
		_exit(leash_say(&leash, &(struct leash_message){ .word = LEASH_READY }) == 0 ? 0 : 1);
	ck_assert_int_eq(wait_for_word(&leash, &m), LEASH_OK);
	ck_assert_int_eq(wait_for_word(&leash, &m), LEASH_CLOSED);
	unit_child_succeeds(pid);
	leash_close(&leash);
} END_TEST

START_TEST(a_child_that_cannot_be_forked_leaves_nothing)
{
	const int before = unit_count_fds();
	struct leash leash;

	no_process = true;
	ck_assert_int_eq(leash_fork(&leash), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(leash.orders, -1);
	ck_assert_int_eq(leash.words, -1);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

int main(void)
{
	Suite *s = suite_create("leash");
	TCase *tc = unit_case(s, "leash", open_leash, close_leash);

	tcase_add_test(tc, both_ends_are_ours_alone_and_never_wait);
	tcase_add_test(tc, numbers_go_over_as_they_are);
	tcase_add_test(tc, messages_keep_their_bounds_and_order);
	tcase_add_loop_test(tc, descriptors_go_over_in_their_places, 0, ARRAY_SIZE(in_places));
	tcase_add_test(tc, the_end_of_the_other_side_is_told_after_its_last_word);
	tcase_add_test(tc, the_end_of_the_master_is_told_after_its_last_order);
	tcase_add_test(tc, a_process_that_does_not_read_gets_no_more);
	tcase_add_test(tc, a_worker_that_is_not_heard_can_say_no_more);
	tcase_add_test(tc, a_worker_can_send_no_descriptor);
	tcase_add_loop_test(tc, a_word_that_is_too_short_is_malformed, 1, WIRE_MIN);
	tcase_add_loop_test(tc, words_of_another_version_are_understood, 0, 5);

	tc = unit_case(s, "old", open_old_leash, close_leash);
	tcase_add_loop_test(tc, a_malformed_message_is_told, 0, 4);
	tcase_add_loop_test(tc, what_another_version_says_is_understood, 0, 4);
	tcase_add_test(tc, uninvited_descriptors_do_not_stay);
	tcase_add_test(tc, a_kernel_that_can_lets_no_descriptors_through_an_old_one);

	tc = unit_case(s, "child", NULL, NULL);
	tcase_add_test(tc, a_child_has_the_other_end_and_learns_of_the_end_of_its_master);
	tcase_add_test(tc, the_master_learns_of_the_end_of_its_child);
	tcase_add_test(tc, a_child_that_cannot_be_forked_leaves_nothing);
	return unit_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listeners across reloads: those that stay are never closed, those that are
 * removed are emptied first, and new ones must not conflict with others.
 */
#include <config.h>
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct daemon d;

static ino_t inode_of(const char *path)
{
	struct stat st;

	ck_assert_msg(stat(path, &st) == 0, "%s: %m", path);
	return st.st_ino;
}

START_TEST(port_zero_keeps_its_port)
{
	const char *const format =
		SERVICES(SERVICE_AT("a", "[ \"127.0.0.1:0\", \"127.0.0.1:0\" ]", "echo", "workers = %d;")
		         SERVICE_AT("b", "\"*:0\"", "echo", "workers = 1;"));
	size_t n_listening;

	daemon_start(&d, format, 1);
	n_listening = daemon_saw(&d, "listening");
	daemon_reload(&d, format, 2);
	for (size_t i = 0; i < 2; i++)
		client_check_echo(daemon_address(&d, "a", i));
	close(daemon_connect(&d, "b"));
	ck_assert_uint_eq(daemon_saw(&d, "listening"), n_listening);
	ck_assert_uint_eq(daemon_saw(&d, "closed"), 0);
} END_TEST

START_TEST(a_listener_can_be_added_and_removed_beside_one_that_stays)
{
	const char *a = files_path("a.sock"), *b = files_path("b.sock"), *c = files_path("c.sock");
	const char *const format =
		SERVICES(SERVICE_AT("s", "[ \"unix:%s\", \"unix:%s\" ]", "echo", "workers = 1;"));
	ino_t before;

	daemon_start(&d, format, a, b);
	before = inode_of(a);
	daemon_reload(&d, format, c, a);        /* at another place in the list, too */
	daemon_wait_for(&d, "listening service=s address=unix:%s", c);
	daemon_wait_for(&d, "closed service=s address=unix:%s", b);
	ck_assert_uint_eq(inode_of(a), before);
	ck_assert(!files_exist(b));
	for (int i = 0; i < 2; i++)
		client_check_echo(files_text("unix:%s", i ? a : c));
} END_TEST

/*
 * One worker with one slot, which is taken: other clients wait in the queue
 * when the listener is removed.
 */
#define ONE_SLOT "workers = 1; connections = 1;"

static void check_emptied(const char *next)
{
	const char *address;
	pid_t old;
	int fds[4];

	daemon_start(&d, SERVICES(SERVICE_AT("s", "[ \"127.0.0.1:0\", \"unix:%s\" ]", "echo", ONE_SLOT)),
	             files_path("stays.sock"));
	old = daemon_next_worker(&d, "s");
	address = daemon_address(&d, "s", 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = client_connect(address);
	client_echo(fds[0]);
	daemon_reload(&d, "%s", next);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_echo(fds[i]);
		close(fds[i]);
	}
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", old);
	ck_assert_int_eq(client_try(address), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
}

START_TEST(a_removed_listener_is_emptied_before_it_closes)
{
	check_emptied(files_text(SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", ONE_SLOT)),
	                         files_path("stays.sock")));
} END_TEST

START_TEST(the_listeners_of_a_removed_service_are_emptied_before_they_close)
{
	check_emptied(SERVICES(SERVICE("other", "echo", "workers = 1;")));
} END_TEST

START_TEST(the_mode_of_a_unix_socket_changes_in_place)
{
	const char *path = files_path("s.sock");
	const char *const format =
		SERVICES(SERVICE_AT("s", "( { address = \"unix:%s\"; mode = \"%s\"; } )", "echo", "workers = 1;"));
	ino_t before;

	daemon_start(&d, format, path, "0600");
	before = inode_of(path);
	ck_assert_int_eq(files_mode(path), 0600);
	daemon_reload(&d, format, path, "0666");
	ck_assert_int_eq(files_mode(path), 0666);
	ck_assert_uint_eq(inode_of(path), before);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_unix_socket_has_mode_0660_unless_told_otherwise)
{
	const char *path = files_path("s.sock");

	umask(0);
	daemon_start(&d, SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "workers = 1;")), path);
	ck_assert_int_eq(files_mode(path), 0660);
} END_TEST

START_TEST(an_address_that_overlaps_with_a_running_one_is_refused)
{
	const char *const format =
		SERVICES(SERVICE_AT("s", "\"%s:%s\"", "echo", "workers = 1;"));
	const char *port;

	daemon_start(&d, format, "127.0.0.1", "0");
	port = daemon_port(&d, "s", 0);
	daemon_config(&d, format, "0.0.0.0", port);
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=listen");
	/* It says which one is in the way. */
	harness_contains(daemon_errors(&d), files_text("127.0.0.1:%s", port));
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_port_that_another_process_has_is_refused)
{
	const char *port;
	int occupant = client_listen(&port);

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1;")));
	daemon_config(&d, SERVICES(SERVICE("s", "echo", "workers = 1;")
		         SERVICE_AT("t", "\"127.0.0.1:%s\"", "echo", "workers = 1;")), port);
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=listen");
	daemon_check_echo(&d, "s");
	close(occupant);
} END_TEST

/* A duplicate of the daemon's socket that listens on a port. */
static int borrow_listener(const char *port)
{
	for (int fd = 3; fd < 256; fd++) {
		struct sockaddr_in a;
		socklen_t len = sizeof a, int_len = sizeof (int);
		int ours = pidfd_getfd(d.life.fd, fd, 0), listens = 0;

		if (ours == -1)
			continue;
		if (getsockopt(ours, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) == 0 && listens &&
		    getsockname(ours, (struct sockaddr *)&a, &len) == 0 &&
		    strcmp(files_text("%d", ntohs(a.sin_port)), port) == 0)
			return ours;
		close(ours);
	}
	ck_abort_msg("the daemon has no descriptor that listens on port %s: %m", port);
}

/* Any user may copy descriptors of its own processes, unless a container forbids it. */
static bool may_look_into_processes(void)
{
	int self = pidfd_open(getpid(), 0);
	int copy = self == -1 ? -1 : pidfd_getfd(self, STDIN_FILENO, 0);

	if (self != -1)
		close(self);
	if (copy != -1)
		close(copy);
	return copy != -1 || errno == EBADF;
}

static int backlog_of(const char *port)
{
	int fd = borrow_listener(port);
	struct tcp_info info;
	socklen_t len = sizeof info;

	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	close(fd);
	return (int)info.tcpi_sacked;   /* means that, on a socket that listens */
}

START_TEST(the_backlog_of_a_listener_changes_in_place)
{
	const char *const format =
		SERVICES(SERVICE_AT("s", "( { address = \"127.0.0.1:0\"; backlog = %d; } )", "echo", "workers = 1;"));

	daemon_start(&d, format, 7);
	ck_assert_int_eq(backlog_of(daemon_port(&d, "s", 0)), 7);
	daemon_reload(&d, format, 9);
	ck_assert_int_eq(backlog_of(daemon_port(&d, "s", 0)), 9);
	ck_assert_uint_eq(daemon_saw(&d, "closed"), 0);
} END_TEST

static void config_unix(const char *path)
{
	daemon_config(&d, SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "workers = 1;")), path);
}

START_TEST(a_stale_unix_socket_is_replaced)
{
	const char *path = files_path("s.sock");

	close(client_listen_unix(path));         /* leaves the file behind */
	config_unix(path);
	daemon_spawn(&d);
	daemon_wait_ready(&d);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_unix_socket_on_which_a_process_listens_is_left_alone)
{
	const char *path = files_path("s.sock");
	int occupant = client_listen_unix(path);
	ino_t before = inode_of(path);

	config_unix(path);
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 69);
	ck_assert_uint_eq(inode_of(path), before);
	close(client_connect(files_text("unix:%s", path)));
	close(occupant);
} END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
	const char *path = files_write("s.sock", "precious");

	config_unix(path);
	ck_assert_int_ne(daemon_run_args(&d, "-c", d.config), 0);
	ck_assert_str_eq(files_read(path), "precious");
} END_TEST

START_TEST(a_unix_socket_that_is_another_processs_by_now_is_not_removed)
{
	const char *path = files_path("s.sock");
	int occupant;

	config_unix(path);
	daemon_spawn(&d);
	daemon_wait_ready(&d);
	ck_assert_int_eq(unlink(path), 0);
	occupant = client_listen_unix(path);
	daemon_stop(&d, SIGTERM);
	close(client_connect(files_text("unix:%s", path)));
	close(occupant);
} END_TEST

/* ---- a file that was removed -------------------------------------------- */

static void serve_one_more(const char *path)
{
	client_check_echo(files_text("unix:%s", path));
}

#define AT_PATH SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", ONE_SLOT))

START_TEST(a_removed_unix_socket_is_made_again_by_a_reload_and_its_queue_is_served)
{
	const char *path = files_path("s.sock");
	pid_t old;
	int fds[4];

	daemon_start(&d, AT_PATH, path);
	old = daemon_next_worker(&d, "s");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = client_connect(files_text("unix:%s", path));
	client_echo(fds[0]);
	ck_assert_int_eq(unlink(path), 0);
	daemon_reload(&d, AT_PATH, path);
	serve_one_more(path);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_echo(fds[i]);
		close(fds[i]);
	}
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", old);
	serve_one_more(path);
	daemon_stop(&d, SIGTERM);
	ck_assert(!files_exist(path));
} END_TEST

START_TEST(a_unix_socket_that_was_replaced_by_a_dead_one_is_made_again)
{
	const char *path = files_path("s.sock");

	daemon_start(&d, AT_PATH, path);
	ck_assert_int_eq(unlink(path), 0);
	close(client_listen_unix(path));
	daemon_reload(&d, AT_PATH, path);
	serve_one_more(path);
} END_TEST

START_TEST(a_reload_is_refused_while_another_process_listens_at_the_path)
{
	const char *path = files_path("s.sock");
	int fd, occupant;

	daemon_start(&d, AT_PATH, path);
	fd = daemon_connect(&d, "s");
	ck_assert_int_eq(unlink(path), 0);
	occupant = client_listen_unix(path);
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=listen");
	client_echo(fd);
	close(fd);
	close(occupant);
} END_TEST

/* ---- an address that is not there yet ----------------------------------- */

#define NOT_THERE "192.0.2.1:0"         /* for documentation: RFC 5737 */

START_TEST(an_address_that_is_not_there_is_listened_to_with_freebind)
{
	daemon_config(&d, SERVICES(SERVICE_AT("s", "\"" NOT_THERE "\"", "echo", "workers = 1;")));
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 69);
	harness_contains(daemon_errors(&d), "freebind = true");
	daemon_start(&d, SERVICES(SERVICE_AT("s", "( { address = \"" NOT_THERE "\"; freebind = true; } )",
	                                     "echo", "workers = 1;")));
	/* The same listener without the key: its socket is there. */
	daemon_reload(&d, SERVICES(SERVICE_AT("s", "\"" NOT_THERE "\"", "echo", "workers = 1;")));
	ck_assert_uint_eq(daemon_saw(&d, "closed"), 0);
} END_TEST

/* ---- many at once ------------------------------------------------------- */

static struct daemon rivals[6];

/* Starts all of them; one serves, and the others end with 69. */
static struct daemon *start_rivals(const char *text)
{
	struct daemon *winner = NULL;
	size_t n_gone = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rivals); i++) {
		rivals[i].may_end = true;
		daemon_config(&rivals[i], "%s", text);
		daemon_spawn(&rivals[i]);
	}
	while (n_gone < ARRAY_SIZE(rivals) - 1) {
		turn_once();
		n_gone = 0;
		for (size_t i = 0; i < ARRAY_SIZE(rivals); i++)
			n_gone += rivals[i].gone;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rivals); i++) {
		if (rivals[i].gone)
			ck_assert_int_eq(rivals[i].status, 69);
		else
			winner = &rivals[i];
	}
	ck_assert_ptr_nonnull(winner);
	daemon_wait_ready(winner);
	return winner;
}

START_TEST(of_many_starts_on_one_path_one_serves)
{
	const char *path = files_path("s.sock");

	close(client_listen_unix(path));         /* a dead one is in the way of all */
	start_rivals(files_text(SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "workers = 1;")), path));
	serve_one_more(path);
	ck_assert(!files_exist(files_text("%s.drover-lock", path)));
} END_TEST

START_TEST(of_many_starts_with_one_control_socket_one_serves)
{
	const char *path = files_path("control.sock");

	close(client_listen_unix(path));
	start_rivals(files_text("control = { socket = \"%s\"; };\n"
	                        SERVICES(SERVICE("s", "echo", "workers = 1;")), path));
	close(client_connect(files_text("unix:%s", path)));
} END_TEST

int main(void)
{
	Suite *s = suite_create("listeners");
	TCase *tc = harness_case(s, "listeners");

	tcase_add_test(tc, port_zero_keeps_its_port);
	tcase_add_test(tc, a_listener_can_be_added_and_removed_beside_one_that_stays);
	tcase_add_test(tc, a_removed_listener_is_emptied_before_it_closes);
	tcase_add_test(tc, the_listeners_of_a_removed_service_are_emptied_before_they_close);
	tcase_add_test(tc, the_mode_of_a_unix_socket_changes_in_place);
	tcase_add_test(tc, a_unix_socket_has_mode_0660_unless_told_otherwise);
	tcase_add_test(tc, an_address_that_overlaps_with_a_running_one_is_refused);
	tcase_add_test(tc, a_port_that_another_process_has_is_refused);
	harness_add_if(may_look_into_processes(), "pidfd_getfd(2) is not permitted", tc,
	               the_backlog_of_a_listener_changes_in_place);
	tcase_add_test(tc, a_stale_unix_socket_is_replaced);
	tcase_add_test(tc, a_unix_socket_on_which_a_process_listens_is_left_alone);
	tcase_add_test(tc, a_file_that_is_no_socket_is_left_alone);
	tcase_add_test(tc, a_unix_socket_that_is_another_processs_by_now_is_not_removed);
	tcase_add_test(tc, a_removed_unix_socket_is_made_again_by_a_reload_and_its_queue_is_served);
	tcase_add_test(tc, a_unix_socket_that_was_replaced_by_a_dead_one_is_made_again);
	tcase_add_test(tc, a_reload_is_refused_while_another_process_listens_at_the_path);
	tcase_add_test(tc, an_address_that_is_not_there_is_listened_to_with_freebind);
	tcase_add_test(tc, of_many_starts_on_one_path_one_serves);
	tcase_add_test(tc, of_many_starts_with_one_control_socket_one_serves);
	return harness_run(s);
}

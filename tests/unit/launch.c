/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starting programs: what they see is what they were given. The program is the
 * shell, which says what it finds.
 */
#include <config.h>
#include "launch.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "signals.h"
#include "unit.h"

static int client, err;         /* the far ends of what the program gets */
static struct launch how;
static bool no_directory;
static struct rlimit_list limits;
static char *argv[] = { NULL, NULL, NULL, NULL };
static char *envp[] = { NULL, NULL };

static void set_up(void)
{
	int conn[2], errors[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, conn), 0);
	ck_assert_int_eq(pipe2(errors, O_CLOEXEC), 0);
	client = conn[0];
	err = errors[0];
	limits = (struct rlimit_list){ 0 };
	how = (struct launch){ .program = "/bin/sh", .argv = argv, .envp = envp, .in = conn[1], .out = conn[1], .err = errors[1],
	                       .limits = &limits };
}

static pid_t start(const char *script)
{
	static char shell[] = "/bin/sh", dash_c[] = "-c", text[512];

	snprintf(text, sizeof text, "%s", script);
	argv[0] = shell;
	argv[1] = dash_c;
	argv[2] = text;
	return launch(&how, &no_directory);
}

/* All that comes from fd, to its end. */
static const char *hear(int fd)
{
	static char text[8192];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return text;
}

/* What a script says on its standard output, run to its end. */
static const char *said_by(const char *script)
{
	pid_t pid = start(script);
	const char *text;
	int status;

	ck_assert_msg(pid > 0, "%m");
	close(how.in);
	close(how.err);
	text = hear(client);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x: %s", status,
	              hear(err));
	return text;
}

START_TEST(standard_input_and_output_are_the_connection)
{
	ck_assert_int_eq(write(client, "question\n", 9), 9);
	ck_assert_str_eq(said_by("read x; echo \"$x answered\"; echo trouble >&2"),
	                 "question answered\n");
	ck_assert_str_eq(hear(err), "trouble\n");
} END_TEST

START_TEST(standard_error_may_be_the_connection_too)
{
	close(how.err);
	how.err = how.out;
	ck_assert_int_gt(start("echo out; echo err >&2"), 0);
	close(how.in);
	ck_assert_str_eq(hear(client), "out\nerr\n");
} END_TEST

START_TEST(the_program_has_nothing_above_descriptor_2)
{
	int left_open = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_gt(left_open, 2);
	fcntl(STDERR_FILENO, F_SETFD, 0);
	/* Check's own, which it does not mark: as droverd does with what it inherited */
	for (int fd = 3; fd < 100; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* the shell lists what it was given, and what it opens to look */
	ck_assert_str_eq(said_by("for i in 0 1 2 3 4 5 6 7 8 9; do "
	                         "test -e /proc/$$/fd/$i && echo $i; done; true"), "0\n1\n2\n");
} END_TEST

START_TEST(the_environment_is_what_it_was_given_and_no_more)
{
	static char setting[] = "UNIT=a b";

	envp[0] = setting;
	setenv("INHERITED", "yes", 1);
	ck_assert_str_eq(said_by("tr '\\0' '\\n' </proc/$$/environ"), "UNIT=a b\n");
	envp[0] = NULL;
} END_TEST

START_TEST(it_has_a_session_of_its_own)
{
	pid_t pid = start("read x");

	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(getsid(pid), pid);
	ck_assert_int_eq(getpgid(pid), pid);
	ck_assert_int_ne(getsid(0), pid);
	close(client);
	close(how.in);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
} END_TEST

/* Our own are all blocked, and some were ignored when we were started. */
START_TEST(its_signals_are_at_their_defaults)
{
	const unsigned long long of_libc = 3ULL << 31;  /* 32 and 33: not to be set by anybody else */
	unsigned long long blocked = 1, ignored = 1;
	const char *text;

	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signals_take_over();
	/* not of $$: the shell blocks all while it waits */
	text = said_by("exec grep -E '^Sig(Blk|Ign)' /proc/self/status");
	ck_assert_int_eq(sscanf(text, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	ck_assert_uint_eq(blocked, 0);
	ck_assert_msg((ignored & ~of_libc) == 0, "%s", text);
} END_TEST

START_TEST(a_program_can_be_ended_by_a_signal)
{
	pid_t pid;
	int status;

	signals_take_over();
	pid = start("read x");
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(kill(-pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
} END_TEST

START_TEST(limits_hold_in_the_program_only)
{
	struct rlimit before, after;

	getrlimit(RLIMIT_NOFILE, &before);
	rlimits_set(&limits, RLIMIT_NOFILE, 77, 88);
	rlimits_set(&limits, RLIMIT_CORE, 0, 0);
	ck_assert_str_eq(said_by("ulimit -S -n; ulimit -H -n; ulimit -c"), "77\n88\n0\n");
	getrlimit(RLIMIT_NOFILE, &after);
	ck_assert_uint_eq(before.rlim_cur, after.rlim_cur);
	ck_assert_uint_eq(before.rlim_max, after.rlim_max);
} END_TEST

static const struct { const char *path; int want; } no_programs[] = {
	{ "/no/such/program", ENOENT },
	{ "/etc/passwd", EACCES },
	{ "/etc/passwd/program", ENOTDIR },
	{ "/tmp", EACCES },
};

START_TEST(what_cannot_be_executed_gives_errno_and_leaves_no_zombie)
{
	int before = unit_count_fds();

	how.program = no_programs[_i].path;
	errno = 0;
	ck_assert_int_eq(launch(&how, &no_directory), -1);
	ck_assert_msg(errno == no_programs[_i].want, "%s: %m", no_programs[_i].path);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

/* What it leads to is looked up at each start. */
static const struct { const char *path; int want; } no_directories[] = {
	{ "gone", ENOENT }, { "file", ENOTDIR }, { "/etc/passwd/x", ENOTDIR },
};

START_TEST(what_is_no_directory_is_told_apart)
{
	unit_enter_folder();
	unit_write_file("file", "");
	how.directory = no_directories[_i].path;
	ck_assert_int_eq(start("pwd"), -1);
	ck_assert_msg(errno == no_directories[_i].want, "%s: %m", no_directories[_i].path);
	ck_assert(no_directory);
	unit_leave_folder();
} END_TEST

START_TEST(the_directory_is_entered_when_the_program_starts)
{
	how.directory = "/";
	how.program = "/no/such/program";
	ck_assert_int_eq(start("pwd"), -1);
	ck_assert(!no_directory);
	how.program = "/bin/sh";
	ck_assert_str_eq(said_by("pwd"), "/\n");
} END_TEST

START_TEST(argv_0_need_not_be_the_path)
{
	static char name[] = "-name", dash_c[] = "-c", text[] = "echo \"$0\"";
	pid_t pid;

	argv[0] = name;
	argv[1] = dash_c;
	argv[2] = text;
	pid = launch(&how, &no_directory);
	ck_assert_msg(pid > 0, "%m");
	close(how.in);
	ck_assert_str_eq(hear(client), "-name\n");
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
} END_TEST

START_TEST(limits_that_cannot_be_set_stop_it)
{
	rlimits_set(&limits, RLIMIT_NOFILE, 88, 77);
	ck_assert_int_eq(start("true"), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
} END_TEST

/* The parent of the program ends; as its subreaper we see how the program ends. */
START_TEST(it_is_told_to_go_when_its_parent_dies)
{
	pid_t parent;
	int status;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	parent = fork();
	if (parent == 0) {
		signals_take_over();
		_exit(start("echo begun; read x") > 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(parent, &status, 0), parent);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_int_gt(wait(&status), 0);
	/* Ended before it could be watched, it does not begin at all. */
	ck_assert_msg((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) ||
	              (WIFEXITED(status) && WEXITSTATUS(status) == 0), "status %x", status);
} END_TEST

int main(void)
{
	Suite *s = suite_create("launch");
	TCase *tc = unit_case(s, "launch", set_up, NULL);

	tcase_add_test(tc, standard_input_and_output_are_the_connection);
	tcase_add_test(tc, standard_error_may_be_the_connection_too);
	tcase_add_test(tc, the_program_has_nothing_above_descriptor_2);
	tcase_add_test(tc, the_environment_is_what_it_was_given_and_no_more);
	tcase_add_test(tc, it_has_a_session_of_its_own);
	tcase_add_test(tc, its_signals_are_at_their_defaults);
	tcase_add_test(tc, a_program_can_be_ended_by_a_signal);
	tcase_add_test(tc, limits_hold_in_the_program_only);
	tcase_add_loop_test(tc, what_cannot_be_executed_gives_errno_and_leaves_no_zombie, 0,
	                    ARRAY_SIZE(no_programs));
	tcase_add_test(tc, the_directory_is_entered_when_the_program_starts);
	tcase_add_loop_test(tc, what_is_no_directory_is_told_apart, 0, ARRAY_SIZE(no_directories));
	tcase_add_test(tc, argv_0_need_not_be_the_path);
	tcase_add_test(tc, limits_that_cannot_be_set_stop_it);
	tcase_add_test(tc, it_is_told_to_go_when_its_parent_dies);
	return unit_run(s);
}

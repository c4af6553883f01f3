/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Readers of /proc, a bare fork and exec, and what is given up before an exec.
 */
#include <config.h>
#include "process.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "turn.h"

#define MAPPING_MAX (1ul << 30)

const char *process_field(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, name, len) == 0 && at[len] == ':') {
			at += len + 1;
			at += strspn(at, " \t");
			return files_text("%.*s", (int)strcspn(at, "\n"), at);
		}
	return "";
}

const char *process_status(pid_t pid, const char *name)
{
	return process_field(files_read(files_text("/proc/%d/status", pid)), name);
}

const char *process_link(pid_t pid, const char *name)
{
	const char *path = files_text("/proc/%d/%s", pid, name);
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof to);

	ck_assert_msg(n != -1, "%s: %m", path);
	return files_text("%.*s", (int)n, to);
}

const char *process_file(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	if (fd != -1)
		close(fd);
	return text;
}

/* Reads piece by piece, each beginning with the end of the one before. */
static bool range_holds(int mem, off_t from, off_t to, const void *bytes, size_t len)
{
	static char piece[1 << 16];
	const off_t step = (off_t)(sizeof piece - len);
	ssize_t n;

	for (off_t at = from; at < to; at += step) {
		size_t want = to - at < (off_t)sizeof piece ? (size_t)(to - at) : sizeof piece;

		n = pread(mem, piece, want, at);
		if (n > 0 && memmem(piece, (size_t)n, bytes, len))
			return true;
	}
	return false;
}

bool process_remembers_bytes(pid_t pid, const void *bytes, size_t len)
{
	const char *maps = files_read(files_text("/proc/%d/maps", pid));
	int mem = open(files_text("/proc/%d/mem", pid), O_RDONLY | O_CLOEXEC);
	bool found = false;

	ck_assert_msg(mem != -1 && *maps, "memory of %d: %m", pid);
	for (const char *at = maps; *at && !found; at += strcspn(at, "\n"), at += *at == '\n') {
		unsigned long from, to;
		char readable;

		ck_assert_int_eq(sscanf(at, "%lx-%lx %c", &from, &to, &readable), 3);
		/* Sanitizers reserve terabytes, none of them ours. */
		if (readable == 'r' && to - from <= MAPPING_MAX)
			found = range_holds(mem, (off_t)from, (off_t)to, bytes, len);
	}
	close(mem);
	return found;
}

bool process_remembers(pid_t pid, const char *text)
{
	return process_remembers_bytes(pid, text, strlen(text));
}

pid_t process_first_child(void)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	return (pid_t)strtol(process_file(path), NULL, 10);
}

int process_watch(pid_t pid)
{
	int fd = pidfd_open(pid, 0);

	ck_assert_msg(fd != -1, "pidfd of %d: %m", pid);
	return fd;
}

void process_wait_end(int pidfd)
{
	turn_until_ready(pidfd, POLLIN);
	close(pidfd);
}

const char *process_built(const char *name)
{
	char *path = realpath(getenv("DROVERD"), NULL);
	const char *built;

	ck_assert_ptr_nonnull(path);
	*strrchr(path, '/') = '\0';
	built = files_text("%s/%s", path, name);
	free(path);
	return built;
}

void process_reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int process_run(const char *const *argv)
{
	int out = open(files_path("command-output"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	const char *home = files_path("");
	siginfo_t si = { 0 };
	pid_t pid = fork();
	int pidfd;

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		process_reset_signals();
		setenv("HOME", home, 1);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execvp(argv[0], (char *const *)argv);
		fprintf(stderr, "%s: %m\n", argv[0]);
		_exit(127);
	}
	close(out);
	pidfd = process_watch(pid);
	turn_until_ready(pidfd, POLLIN);
	ck_assert_int_eq(waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED), 0);
	close(pidfd);
	return si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
}

void process_must_run(const char *const *argv)
{
	int status = process_run(argv);

	ck_assert_msg(status == 0, "%s %s: status %d\n%s", argv[0], argv[1], status,
	              files_read(files_path("command-output")));
}

void process_configure_git(void)
{
	const char *config = files_write("gitconfig", "[user]\n\tname = Tester\n\temail = t@example.org\n"
	                                 "[init]\n\tdefaultBranch = main\n");

	setenv("GIT_CONFIG_GLOBAL", config, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
}

bool process_is_installed(const char *program)
{
	char path[PATH_MAX];
	const char *dirs = getenv("PATH");

	for (const char *at = dirs ? dirs : "/usr/bin"; *at; at += *at == ':') {
		size_t len = strcspn(at, ":");

		snprintf(path, sizeof path, "%.*s/%s", (int)len, at, program);
		if (access(path, X_OK) == 0)
			return true;
		at += len;
	}
	return false;
}

/* ---- capabilities ------------------------------------------------------- */

int process_give_up(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == -1 || syscall(SYS_capget, &header, sets) == -1)
		return -1;
	sets[CAP_TO_INDEX(capability)].inheritable &= ~CAP_TO_MASK(capability);
	return (int)syscall(SYS_capset, &header, sets);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Under a seccomp(2) profile that is older than close_range(2), as some containers have,
 * and on a kernel that has no such call: everybody has the descriptors that it should.
 */
#include <config.h>
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct daemon d, unhindered;

static void refuse_with(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = 4, .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		_exit(99);
}

/* A descriptor of a stranger, too: a lock, for example. */
static void come_with_a_lock(void)
{
	fcntl(open("/dev/null", O_RDONLY), F_DUPFD, 50);
}

static void not_permitted(void)
{
	come_with_a_lock();
	refuse_with(EPERM);
}

static void no_such_call(void)
{
	come_with_a_lock();
	refuse_with(ENOSYS);
}

static const char *const config =
	SERVICES(EXEC("ls", "argv = [ \"/bin/sh\", \"-c\", \"cd /proc/self/fd && echo *\" ];", "workers = 1;")
	         SERVICE("echo", "echo", "workers = 1;")
	         SERVICE("more", "echo", "workers = 1;"));

/* The last one is the shell's, which reads the folder. */
#define ITS_OWN "0 1 2 3\n"

static size_t count_descriptors(pid_t pid)
{
	DIR *dir = opendir(files_text("/proc/%d/fd", pid));
	size_t n = 0;

	ck_assert_msg(dir != NULL, "%m");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* As many as it has where nothing is refused. */
static size_t descriptors_of_worker(struct daemon *it)
{
	const pid_t worker = daemon_next_worker(it, "echo");
	int fd = daemon_connect(it, "echo");
	size_t n;

	client_echo(fd);
	n = count_descriptors(worker);
	close(fd);
	return n;
}

START_TEST(everybody_has_the_descriptors_that_it_should)
{
	d.before_exec = _i == 0 ? not_permitted : no_such_call;
	daemon_start(&d, config);
	ck_assert_str_eq(client_ask(daemon_address(&d, "ls", 0)), ITS_OWN);
	daemon_reload(&d, config);
	daemon_next_worker(&d, "echo");
	ck_assert_str_eq(client_ask(daemon_address(&d, "ls", 0)), ITS_OWN);
	unhindered.before_exec = come_with_a_lock;
	daemon_start(&unhindered, config);
	ck_assert_uint_eq(descriptors_of_worker(&d), descriptors_of_worker(&unhindered));
} END_TEST

int main(void)
{
	Suite *s = suite_create("old_seccomp");
	TCase *tc = harness_case(s, "seccomp");

	tcase_add_loop_test(tc, everybody_has_the_descriptors_that_it_should, 0, 2);
	return harness_run(s);
}

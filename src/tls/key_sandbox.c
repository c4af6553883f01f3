/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A call that is not allowed fails, and does not kill the process: another libc may try one where it
 * can do without.
 */
#include <config.h>
#include "key_sandbox.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <seccomp.h>

#include "privileges.h"

int key_sandbox_hide(void)
{
	const struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -1;
}

/* ---- system calls ------------------------------------------------------- */

/* By name of libseccomp: what the machine does not have is skipped. */
static const int allowed[] = {
	/* requests, answers, and orders of the master */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(recvmsg), SCMP_SYS(close),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(mprotect),
	/* libc and OpenSSL: locks, random numbers, time, whether this process was forked */
	SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday), SCMP_SYS(getpid), SCMP_SYS(gettid),
	/* signals, and the end */
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(sigaltstack),          /* of sanitizers, at the end */
};

static int allow_all(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
		const int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);

		if (error != 0 && allowed[i] >= 0)
			return error;
	}
	return 0;
}

static int filter_calls(const char **what)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error;

	*what = "filter system calls";
	if (!filter) {
		errno = ENOMEM;
		return -1;
	}
	error = allow_all(filter);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	errno = -error;
	return error == 0 ? 0 : -1;
}

int key_sandbox_enter(const char **what)
{
	if (privileges_leave_root(KEY_SANDBOX_USER, what) == -1)
		return -1;
	*what = "hide the memory";
	if (key_sandbox_hide() == -1)   /* a change of the user may have reset it */
		return -1;
	return filter_calls(what);
}

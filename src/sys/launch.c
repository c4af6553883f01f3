/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts a program with vfork(2), a few system calls in the child, and execve(2).
 */
#include <config.h>
#include "launch.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "signals.h"

struct failure {
	int  error;             /* 0: none */
	bool no_directory;
};

/* The directory is looked up now: what its path led to before may be gone. */
static bool enter_directory(const struct launch *l, volatile struct failure *f)
{
	f->no_directory = l->directory && chdir(l->directory) == -1;
	return !f->no_directory;
}

/*
 * Runs in the child, on the parent's memory and stack: only system calls here,
 * and nothing of the parent's is written but *f and errno.
 */
static void become(const struct launch *l, pid_t parent, volatile struct failure *f)
{
	if (dup2(l->in, STDIN_FILENO) != -1 && dup2(l->out, STDOUT_FILENO) != -1 &&
	    dup2(l->err, STDERR_FILENO) != -1 && setsid() != -1 &&
	    prctl(PR_SET_PDEATHSIG, SIGTERM) != -1 && enter_directory(l, f) &&
	    rlimits_apply(l->limits) != -1) {
		/* The parent may have died before its death could be watched: then nothing waits for this process. */
		if (getppid() != parent)
			_exit(0);
		signals_unblock();
		execve(l->program, l->argv, l->envp);
	}
	f->error = errno;
	_exit(127);
}

pid_t launch(const struct launch *l, bool *no_directory)
{
	volatile struct failure f = { 0 };
	pid_t parent = getpid();
	pid_t pid = vfork();

	if (pid == 0)
		become(l, parent, &f);
	*no_directory = f.no_directory;
	if (pid == -1 || f.error == 0)
		return pid;
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	errno = f.error;
	return -1;
}

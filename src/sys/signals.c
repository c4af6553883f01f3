/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads signals from a signalfd(2), and sets masks and dispositions.
 */
#include <config.h>
#include "signals.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNEL_SIGSET    (NSIG / 8)     /* bytes: rt_sigaction(2) */
#define KERNEL_SIGACTION 16             /* words: enough for any architecture, the handler first */

/* The kernel sends these about the current instruction: blocking them would only hide where the crash is. */
static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };

/* Asks the kernel: sigaction(2) of libc refuses two signals that libc itself uses (nptl(7)). */
bool signals_is_ignored(int signal)
{
	unsigned long now[KERNEL_SIGACTION];

	return syscall(SYS_rt_sigaction, signal, NULL, now, KERNEL_SIGSET) == 0 &&
	       now[0] == (unsigned long)SIG_IGN;
}

static void reset(int signal)
{
	const unsigned long dfl[KERNEL_SIGACTION] = { (unsigned long)SIG_DFL };

	syscall(SYS_rt_sigaction, signal, dfl, NULL, KERNEL_SIGSET);
}

void signals_block(sigset_t *was)
{
	sigset_t all;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
		sigdelset(&all, crashes[i]);
	sigprocmask(SIG_SETMASK, &all, was);
}

void signals_set_ignored(int signal, bool ignored)
{
	const struct sigaction action = { .sa_handler = ignored ? SIG_IGN : SIG_DFL };
	sigset_t waiting;

	sigemptyset(&waiting);
	sigpending(&waiting);
	sigaction(signal, &action, NULL);
	if (sigismember(&waiting, signal))      /* ignoring it has discarded it */
		kill(getpid(), signal);
}

void signals_take_over(void)
{
	signals_block(NULL);
	/* Only ignored ones: a sanitizer's handlers may stay. */
	for (int s = 1; s < NSIG; s++)
		if (signals_is_ignored(s))
			reset(s);
}

int signals_open(const int *signals, size_t n)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		sigaddset(&set, signals[i]);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

size_t signals_read(int fd, struct signalfd_siginfo *info)
{
	ssize_t n = read(fd, info, SIGNALS_AT_ONCE * sizeof *info);

	return n > 0 ? (size_t)n / sizeof *info : 0;
}

void signals_unblock(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

const char *signals_name(int signal)
{
	const char *name = sigabbrev_np(signal);

	return name ? name : "?";
}

const char *signals_describe_end(int status, char text[static SIGNALS_END_TEXT])
{
	if (WIFSIGNALED(status))
		snprintf(text, SIGNALS_END_TEXT, "was ended by signal %s%s", signals_name(WTERMSIG(status)),
		         WCOREDUMP(status) ? " (core dumped)" : "");
	else
		snprintf(text, SIGNALS_END_TEXT, "exited with status %d", WEXITSTATUS(status));
	return text;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * signalfd and masks.
 */
#include <config.h>
#include "signals.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Those that the kernel sends about this very instruction: blocking them only hides where. */
static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };

void signals_take_over(void)
{
	struct sigaction now, dfl = { .sa_handler = SIG_DFL };
	sigset_t all;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
		sigdelset(&all, crashes[i]);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* Only ignored ones: a sanitizer's handlers may stay. */
	for (int s = 1; s < NSIG; s++)
		if (sigaction(s, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			sigaction(s, &dfl, NULL);
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

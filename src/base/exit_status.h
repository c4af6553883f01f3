/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Says how a process ended, from a status of waitpid(2), in a word and a number.
 */
#ifndef DROVER_BASE_EXIT_STATUS_H
#define DROVER_BASE_EXIT_STATUS_H

#include <sys/wait.h>

static inline const char *exit_status_how(int status)
{
	return WIFSIGNALED(status) ? "signal" : "exit";
}

/* The signal, or the exit status. */
static inline int exit_status_value(int status)
{
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

#endif

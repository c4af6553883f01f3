/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks the environment variables that sd_listen_fds(3) reads, before that function is
 * called: it says only that something is wrong with them, and not what.
 */
#ifndef DROVER_SYS_ACTIVATION_H
#define DROVER_SYS_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Whether LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES can be believed, or are not for this
 * process. False with the name of the variable and what is wrong with it in why.
 */
bool activation_judge(char *why, size_t size);

/*
 * In a child of the process `from`: the descriptors that were passed to that process are passed
 * to this one instead. Returns how many; 0 if there are none or the variables cannot be believed.
 */
size_t activation_take(pid_t from);

/*
 * The number that the variable holds, of digits alone and at most max: 1 with *n set; 0 if
 * it is not set; -1 if it holds something else.
 */
int activation_number(const char *variable, long max, long *n);

#endif

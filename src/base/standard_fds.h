/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes sure that descriptors 0, 1 and 2 are open, and replaces those that a process was started
 * with by /dev/null. It does not know why they are replaced.
 */
#ifndef DROVER_BASE_STANDARD_FDS_H
#define DROVER_BASE_STANDARD_FDS_H

/*
 * Opens /dev/null as each of them that is closed. Otherwise the next file or socket would become
 * one of them, and be read or written as standard input, output or error.
 */
void standard_fds_ensure(void);

/* Puts /dev/null in place of 0 and 1. 0, or -1 with errno: then 0 may be replaced already. */
int standard_fds_leave_in_out(void);

/* The same for 2, after 0 and 1: it becomes what 0 is. */
void standard_fds_leave_err(void);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets the scheduling priority of a process and of its session: sched(7).
 */
#ifndef DROVER_SYS_NICENESS_H
#define DROVER_SYS_NICENESS_H

/*
 * Sets the nice value of this process, -20 to 19. Where the kernel schedules each session as a
 * group (autogroup), the value of one process alone counts only within its session: then that
 * of the session is set as well, if it can be. For a process that has a session of its own.
 * 0, or -1 with errno if the value of the process could not be set.
 */
int niceness_set(int nice);

/* The same, unless the process is as nice already. */
int niceness_raise_to(int nice);

#endif

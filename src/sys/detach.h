/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Leaving the terminal that droverd was started from. A process that has it as its
 * controlling terminal, or open, can put bytes into its input (TIOCSTI, ioctl_tty(2)),
 * which the shell then reads as if they had been typed.
 */
#ifndef DROVER_SYS_DETACH_H
#define DROVER_SYS_DETACH_H

/*
 * In a process that was just forked: a session of its own (setsid(2)), and so no controlling
 * terminal, and /dev/null in place of descriptors 0 and 1. Descriptor 2 stays what it is.
 * 0, or -1 with errno: then some of that may still be as before.
 */
int detach_from_terminal(void);

#endif

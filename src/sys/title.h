/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What ps(1) and top(1) show of this process. A title takes the place of the arguments and of the
 * environment that the kernel has put behind them, so that /proc/PID/environ tells nothing either.
 */
#ifndef DROVER_SYS_TITLE_H
#define DROVER_SYS_TITLE_H

#define TITLE_NAME_MAX 15       /* bytes of the short name: TASK_COMM_LEN, prctl(2) */

/*
 * To be called once, when argv is not needed any more. Moves the environment to the heap. 0, or -1
 * with errno: then all is as it was, and titles are not shown.
 */
int title_init(char **argv);

/* Shown instead of the arguments, cut to the room there is. Children that are forked have it, too. */
void title_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The short name, cut to TITLE_NAME_MAX bytes. */
void title_set_name(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Describes what another process does, from what the kernel says of it (proc(5)).
 */
#ifndef DROVER_SYS_PROC_H
#define DROVER_SYS_PROC_H

#include <stddef.h>
#include <sys/types.h>

#define PROC_TEXT_MAX 128

/*
 * Whether the process runs, or what it waits in: "running", "stopped",
 * "sleeping in do_sys_poll, system call 7"; as far as we may know it, or
 * "unknown". Returns buf.
 */
const char *proc_describe(pid_t pid, char buf[static PROC_TEXT_MAX]);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What this process may do as root: capabilities(7). A service manager or a container may have
 * taken some capabilities away.
 */
#ifndef DROVER_SYS_CAPABILITIES_H
#define DROVER_SYS_CAPABILITIES_H

#include <linux/capability.h>
#include <stdbool.h>

/* Whether CAP_... is among the effective ones. True if the kernel does not tell. */
bool capabilities_have(int capability);

/* Empties the bounding set. 0; or -1 with errno, EPERM without CAP_SETPCAP: then it stays as it is. */
int capabilities_empty_bounds(void);

/*
 * Empties the ambient and the inheritable set, and, unless the process is root, the
 * permitted and the effective one. 0, or -1 with errno.
 */
int capabilities_drop(void);

/* The same; if the process is root, the permitted and the effective set are emptied as well. */
int capabilities_drop_all(void);

#endif

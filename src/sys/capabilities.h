/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What this process may do as root: a service manager or a container may have
 * taken some of it away.
 */
#ifndef DROVER_SYS_CAPABILITIES_H
#define DROVER_SYS_CAPABILITIES_H

#include <linux/capability.h>
#include <stdbool.h>

/* Whether CAP_... is among the effective ones. True if the kernel does not tell. */
bool capabilities_have(int capability);

#endif

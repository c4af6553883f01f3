/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What keeps the private keys in the key process, and what that process can do if a worker has taken
 * it over: nearly nothing.
 */
#ifndef DROVER_TLS_KEY_SANDBOX_H
#define DROVER_TLS_KEY_SANDBOX_H

#define KEY_SANDBOX_USER "drover-tls"   /* else nobody */

/*
 * Before keys are read: no core dump, and no other process of the same user can read the memory. 0,
 * or -1 with errno.
 */
int key_sandbox_hide(void);

/*
 * After that: takes the user of the key process, if this one is root and may change that; drops all capabilities; and
 * asks the kernel to allow only the few system calls that signing needs: all others fail
 * with EPERM. 0, or -1 with errno and in *what (static) the step.
 */
int key_sandbox_enter(const char **what);

#endif

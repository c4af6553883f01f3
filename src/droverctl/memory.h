/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory for a program that cannot go on without it: if there is none, it says so and exits.
 */
#ifndef DROVER_DROVERCTL_MEMORY_H
#define DROVER_DROVERCTL_MEMORY_H

#include <stddef.h>

/* As reallocarray(3), but never NULL. */
void *memory_grow(void *old, size_t n, size_t size);

/* Says that there is no memory, and exits with EX_OSERR. */
_Noreturn void memory_lacks(void);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Allocates memory, or exits. exit(3) restores the terminal (screen.c).
 */
#include <config.h>
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

void *memory_grow(void *old, size_t n, size_t size)
{
	void *more = reallocarray(old, n ? n : 1, size);

	if (!more)
		memory_lacks();
	return more;
}

void memory_lacks(void)
{
	fputs("droverctl: out of memory\n", stderr);
	exit(EX_OSERR);
}

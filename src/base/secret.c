/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Overwrites memory with explicit_bzero(3), also memory that a library has allocated.
 */
#include <config.h>
#include "secret.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void secret_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void secret_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
}

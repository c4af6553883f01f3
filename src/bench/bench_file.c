/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads files to their end. It does not ask for their size, because a pipe, for example, has none.
 */
#include <config.h>
#include "bench_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 30)

static int read_all(FILE *f, char **bytes, size_t *len)
{
	size_t size = 4096;

	*len = 0;
	while ((*bytes = realloc(*bytes, size + 1))) {
		*len += fread(*bytes + *len, 1, size - *len, f);
		if (*len < size) {
			(*bytes)[*len] = '\0';
			return ferror(f) ? -1 : 0;
		}
		if (size >= FILE_MAX) {
			errno = EFBIG;
			return -1;
		}
		size *= 2;
	}
	return -1;
}

int bench_file_read(const char *path, char **bytes, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *all = NULL;
	int rc, saved;

	if (!f)
		return -1;
	rc = read_all(f, &all, len);
	saved = errno;
	fclose(f);
	errno = saved;
	if (rc == -1)
		free(all);
	else
		*bytes = all;
	return rc;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads whole files into memory.
 */
#ifndef DROVER_BENCH_BENCH_FILE_H
#define DROVER_BENCH_BENCH_FILE_H

#include <stddef.h>

/* All that is in a file, to be freed, with a NUL behind it. 0, or -1 with errno; EFBIG: over 1 GB. */
int bench_file_read(const char *path, char **bytes, size_t *len);

#endif

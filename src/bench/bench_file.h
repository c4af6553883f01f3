/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads whole files into memory. It does not know what they contain.
 */
#ifndef DROVER_BENCH_BENCH_FILE_H
#define DROVER_BENCH_BENCH_FILE_H

#include <stddef.h>

/*
 * Reads a file into *bytes, which the caller frees; a NUL follows the *len bytes. Returns 0, or -1
 * with errno. EFBIG: it has 1 GB (2^30 bytes) or more.
 */
int bench_file_read(const char *path, char **bytes, size_t *len);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads whole text files that a configuration is made of, and complains of what cannot be read or
 * is no text. It does not know what the text means.
 */
#ifndef DROVER_CONF_CONF_FILE_H
#define DROVER_CONF_CONF_FILE_H

#include "conf_loader.h"

/*
 * Returns the text of a regular file of at most max bytes, with two NULs behind it and none in it,
 * and its length in *len; the caller frees it. Warns if others could change the file. NULL after
 * a complaint at place, which is where the file was named, or at the line that is wrong.
 */
char *conf_file_read(struct conf_loader *ld, const char *path, struct conf_place place, size_t max,
                     size_t *len);

/* The same for a file that is no text: it may hold NULs. */
char *conf_file_read_bytes(struct conf_loader *ld, const char *path, struct conf_place place,
                           size_t max, size_t *len);

/* Behind the byte order mark with which some editors begin a file; text if there is none. */
char *conf_file_skip_mark(char *text);

#endif

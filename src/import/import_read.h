/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the files and folders of other superservers: the only module of drover-import that does.
 */
#ifndef DROVER_IMPORT_IMPORT_READ_H
#define DROVER_IMPORT_IMPORT_READ_H

#include "import.h"

#define IMPORT_READ_MAX (4u << 20)      /* bytes of one file */

/*
 * The text of a file, which may be a pipe. NULL with errno: E2BIG if it has more than IMPORT_READ_MAX
 * bytes, EILSEQ if a NUL byte is in it. Does not note it in im->files.
 */
const char *import_read(struct import *im, const char *path);

/* What errno of import_read means, for a complaint. */
const char *import_read_error(int error);

/* Whether it is a regular file, also behind links. If not, errno is 0, or says why that is not known. */
bool import_read_is_regular(const char *path);

/* The names in a folder that end with suffix, sorted; none if it cannot be read, with errno. */
struct import_words import_read_folder(struct import *im, const char *folder, const char *suffix);

#endif

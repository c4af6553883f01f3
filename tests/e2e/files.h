/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folder of a test, and the files in it. Texts that are returned are lent
 * until the test ends.
 */
#ifndef DROVER_E2E_FILES_H
#define DROVER_E2E_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Makes the folder below parent; every user may look into it, no other user may write. */
void files_open(const char *parent);

/* Removes the folder and all in it, and forgets the texts. */
void files_close(void);

/* Removes a folder and all in it; what is not there is fine. */
void files_remove_tree(const char *path);

/* A text as by printf(3). */
const char *files_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The path of a file in the test's folder: "" is the folder itself. */
const char *files_path(const char *name);

/* Writes a file, a new one each time: it has another inode then. Returns its path. */
const char *files_write(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with a shell script that can be executed, without its first line. */
const char *files_script(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

const char *files_mkdir(const char *name);
const char *files_mkfifo(const char *name);

/* All that is in a file; "" if there is none. Stops at a NUL byte. */
const char *files_read(const char *path);

bool files_exist(const char *path);
mode_t files_mode(const char *path);

/* The lines of a text in alphabetical order, without empty ones. */
const char *files_sorted(const char *text);

/* How often part occurs in text. */
size_t files_count(const char *text, const char *part);

#endif

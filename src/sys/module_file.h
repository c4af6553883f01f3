/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shared object of a module: opens its file, loads it (dlopen(3)), and checks the descriptor that
 * it exports against <drover/module.h>. It calls no function of the module; a constructor in the file
 * runs all the same.
 */
#ifndef DROVER_SYS_MODULE_FILE_H
#define DROVER_SYS_MODULE_FILE_H

#include <drover/module.h>
#include <stdbool.h>
#include <sys/types.h>

#define MODULE_NAME_MAX 31              /* bytes of the name, and of the version, of a module */
#define MODULE_WHY_MAX  512

/* Which file it is, so that another process can tell whether it has the same one. */
struct module_identity {
	uint64_t device, inode;
	int64_t  size;
	int64_t  modified_ns;
};

/*
 * Opens the file for module_file_load, without waiting for anything, and says which it is. -1, and
 * why in a few words: it cannot be opened, or is no regular file.
 */
int module_file_open(const char *path, struct module_identity *id, char why[static MODULE_WHY_MAX]);

bool module_identity_is_same(const struct module_identity *a, const struct module_identity *b);

/*
 * Loads the file that fd has open, lent. *m becomes the descriptor as this
 * program knows it: members that the module does not have are NULL. The texts and functions in it are
 * the module's, which is never unloaded. 0, or -1, and why.
 */
int module_file_load(int fd, struct drover_module *m, char why[static MODULE_WHY_MAX]);

/* Whether text can be a name or a version: printable, without spaces, and not long. NULL cannot. */
bool module_file_is_word(const char *text);

/* The same as module_file_load for a descriptor that is there already. */
int module_file_take(const struct drover_module *theirs, struct drover_module *m,
                     char why[static MODULE_WHY_MAX]);

#endif

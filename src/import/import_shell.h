/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts lines of shell scripts into words, as far as run scripts need: quotes, variables that the script
 * itself has set to plain values, and the ends of commands.
 */
#ifndef DROVER_IMPORT_IMPORT_SHELL_H
#define DROVER_IMPORT_IMPORT_SHELL_H

#include "import.h"

struct import_shell {
	struct import      *im;
	struct import_words names, values;      /* of variables; a value NULL: it is not known */
};

/*
 * The words of the first command of the line, and in *rest what stands behind it, or NULL. A redirection
 * and what it leads to are dropped. A variable that is not known stays as it was written; and `id -u USER`
 * becomes USER, as `id -g USER` does. The value of a variable without quotes makes a word for each of its
 * own.
 */
struct import_words import_shell_split(struct import_shell *sh, const char *line, const char **rest);

/*
 * Whether the word is NAME=VALUE; if so, and alone in its command, the caller may remember it. A value that
 * only a shell knows makes the variable unknown.
 */
bool import_shell_is_assignment(const char *word);
void import_shell_remember(struct import_shell *sh, const char *assignment);

/* Whether the script has set the variable; *value: to what, or NULL if that is not known. */
bool import_shell_find(const struct import_shell *sh, const char *name, const char **value);

/* Whether a word still has something that only a shell can expand. */
bool import_shell_is_open(const char *word);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs of other superservers: what they are in drover.
 */
#ifndef DROVER_IMPORT_IMPORT_PROGRAM_H
#define DROVER_IMPORT_IMPORT_PROGRAM_H

#include "import.h"

/* Whether drover has a handler of that name for what superservers serve themselves: "echo", "time"... */
bool import_program_is_builtin(const char *name);

/*
 * Makes the service one that is built in, by that name: its user becomes nobody. Refuses it if there is
 * no such handler.
 */
void import_program_set_builtin(struct import *im, struct import_service *svc, struct import_place place,
                                const char *name);

/*
 * Sets the program and its arguments, argv[0] among them. The path is absolute, or a name that is looked
 * for where programs are; one that is nowhere is started by env(1), which looks for it each time.
 */
void import_program_set(struct import *im, struct import_service *svc, struct import_place place,
                        const char *path, const struct import_words *argv);

#endif

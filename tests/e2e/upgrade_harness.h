/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A daemon whose program file can be replaced: it runs from a copy in the test's
 * folder, with a droverctl beside it.
 */
#ifndef DROVER_E2E_UPGRADE_HARNESS_H
#define DROVER_E2E_UPGRADE_HARNESS_H

#include "control_harness.h"

#define NEXT "9.9.9"                    /* the version of next_droverd */

/* A new case of s, with that copy. */
TCase *upgrade_case(Suite *s, const char *name);

/* Files: the copy that a daemon is started from; the droverd under test; one built beside this test. */
const char *upgrade_program(void);
const char *upgrade_original(void);
const char *upgrade_built(const char *name);

/* Puts another program there, or a shell script without its first line. */
void upgrade_install(const char *path);
void upgrade_install_script(const char *text);

/* Waits until that version has taken over. */
void upgrade_wait(struct daemon *d, const char *version);

/* Installs that program, has d execute it, and waits; the second form with next_droverd. */
void upgrade_to(struct daemon *d, const char *path, const char *version);
void upgrade_to_next(struct daemon *d);

/* What `droverctl version` says. */
const char *upgrade_version(void);

#endif

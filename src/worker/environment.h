/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The environment of programs: the part that is the same for all connections of a service. Nothing
 * is inherited unless the configuration says so.
 */
#ifndef DROVER_WORKER_ENVIRONMENT_H
#define DROVER_WORKER_ENVIRONMENT_H

#include <stddef.h>

#include "conf.h"

struct environment {
	char  **strings;        /* "NAME=VALUE", NULL-terminated */
	size_t  n;
};

/* Sets a variable; if value is NULL, it is left unset. 0, or -1 with ENOMEM. */
int environment_set(struct environment *e, const char *name, const char *value);

/* Builds e, the environment of the programs of s. 0, or -1 with ENOMEM. */
int environment_build(struct environment *e, const struct conf_service *s);

/*
 * An environment for execve(2): the n settings in `first`, then those of e. The caller frees
 * the array; the strings are lent. NULL with ENOMEM.
 */
char **environment_with(const struct environment *e, char *const *first, size_t n);

/*
 * Overwrites and clears the environment of this process, except for TZ: its values may be
 * meant for another service. 0, or -1 with ENOMEM.
 */
int environment_wipe_ours(void);
void environment_free(struct environment *e);

#endif

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

/* Sets one more; a NULL value is left out. 0, or -1 with ENOMEM. */
int environment_set(struct environment *e, const char *name, const char *value);

/* 0, or -1 with ENOMEM. */
int environment_build(struct environment *e, const struct conf_service *s);

/*
 * What execve(2) takes: the n settings in first and what e holds, all lent, in an
 * array to be freed. NULL with ENOMEM.
 */
char **environment_with(const struct environment *e, char *const *first, size_t n);

/*
 * Wipes the environment of this process but for TZ: what it says may be meant
 * for another service. 0, or -1 with ENOMEM.
 */
int environment_wipe_ours(void);
void environment_free(struct environment *e);

#endif

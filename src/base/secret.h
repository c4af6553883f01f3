/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Overwrites memory that held a secret, so that processes that are forked later do not have it.
 */
#ifndef DROVER_BASE_SECRET_H
#define DROVER_BASE_SECRET_H

/* Wipes what malloc(3) gave, all of it, and frees it. NULL is fine. */
void secret_free(void *p);

/* Wipes a text up to its end. NULL is fine. */
void secret_wipe(char *text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the status page, which people read in a browser: one HTML document with its style and its
 * script, and no other source. It is complete without scripts, and then loads itself again every
 * 5 seconds. The script fetches "status.json" beside the page instead, and draws plots. Nothing on it changes
 * anything in the server.
 *
 * It does not know how the page is served, nor where the snapshot comes from.
 */
#ifndef DROVER_STATUS_PAGE_H
#define DROVER_STATUS_PAGE_H

#include <jansson.h>
#include <stddef.h>

#define PAGE_NONCE_MAX  64      /* bytes of a nonce, without NUL */
#define PAGE_POLICY_MAX 384

/*
 * Writes the page as one HTML document. snapshot is the result of `status`, with `workers`,
 * `longest`, `crashes`, `certificates` and `time` as well; what it lacks is left out. nonce marks style and
 * script as ours, and is never used again. The text is the caller's, free(3); NULL: no memory.
 */
char *page_render(const json_t *snapshot, const char *nonce, size_t *len);

/*
 * The value of the header Content-Security-Policy with which the page must be served: a browser then
 * runs nothing but the script with that nonce, even if a text were not escaped. Returns buf, which
 * has room for PAGE_POLICY_MAX bytes.
 */
const char *page_policy(const char *nonce, char *buf);

#endif

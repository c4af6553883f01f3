/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the configuration in a child process. Names and users are looked up there, so that the
 * master never waits. If the child dies, the master goes on; and memory that a parser leaves
 * behind is freed with it. The result is in memory that both share.
 */
#ifndef DROVER_MASTER_HELPER_CONF_FETCH_H
#define DROVER_MASTER_HELPER_CONF_FETCH_H

#include "conf.h"
#include "helper.h"

#define CONF_FETCH_MS 30000             /* how long the child may take */

struct conf_origin {
	const char *file;               /* what conf_load takes */
	const char *text;
};

struct conf_fetch;

struct conf_fetched {
	struct arena  arena;            /* given to the receiver; closed if conf is NULL */
	const struct conf *conf;        /* NULL: it has been logged why not */
	int           exit_code;        /* then: sysexits.h */
	const char   *complaints;       /* what was logged, lines without the last newline; lent */
};

typedef void conf_fetch_done(void *arg, const struct conf_fetched *result);

/*
 * Begins; done is called once, from the loop, after which the fetch has freed
 * itself. source is lent until then, and before, which is what is served now (NULL: nothing),
 * for the call. NULL with errno.
 */
struct conf_fetch *conf_fetch_start(struct helpers *all, const struct conf_origin *source,
                                    const struct conf *before, conf_fetch_done *done, void *arg);

/* Why there is no configuration, in a few words: it is wrong, or something failed for now. */
const char *conf_fetch_trouble(const struct conf_fetched *result);

/* Ends it without calling done. Sets *fp to NULL; NULL is fine. */
void conf_fetch_cancel(struct conf_fetch **fp);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs that change something of their process and then execute another one, as run scripts of
 * daemontools and runit have them: softlimit, setuidgid, env and so on.
 */
#ifndef DROVER_IMPORT_IMPORT_WRAPPER_H
#define DROVER_IMPORT_IMPORT_WRAPPER_H

#include "import.h"

struct import_wrapper {
	struct import         *im;
	struct import_service *svc;
	struct import_place    place;
	const char            *envuidgid;       /* the user that it was given; NULL: it was not there */
};

/*
 * Takes wrappers from words[at] on, and carries over what they do. Returns the index of the first word
 * that is no wrapper, or the number of words.
 */
size_t import_wrapper_skip(struct import_wrapper *wr, const struct import_words *words, size_t at);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a path stands for, and the answer to a request for it, made of what the master knows. It does
 * not know when the master is asked, or how answers are sent.
 */
#ifndef DROVER_STATUS_HTTP_ANSWERS_H
#define DROVER_STATUS_HTTP_ANSWERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "facts.h"
#include "page.h"

struct http_site {                      /* what is served */
	bool page;                      /* also the page for people */
};

struct http_request {
	const char *path;               /* as the client has sent it, without what begins with '?' */
	const char *service;            /* of "?service=NAME"; NULL: none */
	const char *accept;             /* the header of that name; NULL: none */
};

struct http_answer {
	unsigned    status;
	const char *type;               /* static */
	char        policy[PAGE_POLICY_MAX];    /* Content-Security-Policy; "": none */
	char       *body;               /* free(3); NULL: there was no memory for it */
	size_t      len;
};

struct http_resource;

/* What the path of the request stands for; NULL: nothing. */
const struct http_resource *http_answers_find(const struct http_site *site, const struct http_request *r);

/* What the master has to be asked for it. */
enum fact http_answers_need(const struct http_resource *what);

/* The answer. result is what the master has said, lent; NULL: it does not answer. */
struct http_answer http_answers_make(const struct http_resource *what, const struct http_request *r,
                                     const json_t *result);

/* An answer that says no more than its status: 404, 405, ... */
struct http_answer http_answers_refuse(unsigned status);

#endif

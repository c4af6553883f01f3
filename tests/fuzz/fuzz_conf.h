/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What targets share that load a configuration: no name service, no foreign code, and a leak of
 * libconfig. To be included by the one source file of a target, because it takes the place of
 * functions.
 */
#ifndef DROVER_TESTS_FUZZ_CONF_H
#define DROVER_TESTS_FUZZ_CONF_H

#include <arpa/inet.h>
#include <assert.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "fd.h"
#include "module_trial.h"

const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

/* libconfig 1.5 forgets the last string when it meets a syntax error. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

/* In place of the C library's: numbers only, no name service, no waiting. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **res)
{
	struct {
		struct addrinfo     ai;
		struct sockaddr_in6 in6;
	} *one = calloc(1, sizeof *one);

	(void)service;
	(void)hints;
	if (!one || inet_pton(AF_INET6, node, &one->in6.sin6_addr) != 1) {
		free(one);
		return EAI_NONAME;
	}
	one->in6.sin6_family = AF_INET6;
	one->ai.ai_family = AF_INET6;
	one->ai.ai_addr = (struct sockaddr *)&one->in6;
	one->ai.ai_addrlen = sizeof one->in6;
	*res = &one->ai;
	return 0;
}

void freeaddrinfo(struct addrinfo *res)
{
	free(res);
}

/* In place of ours: no process, and every module is fine. */
bool module_trial(struct conf_loader *ld, struct conf_service *svc, int fd)
{
	(void)ld;
	(void)svc;
	fd_close(&fd);
	return true;
}

static inline void fuzz_conf_count(void *arg, enum conf_weight weight, const char *line)
{
	assert(line[strcspn(line, "\n")] == '\0');
	*(unsigned *)arg += weight == CONF_ERROR;
}

/*
 * Loads text into *a, which it opens and the caller closes. NULL if it is refused; it must have
 * been said why then, and only then.
 */
static inline struct conf *fuzz_conf_load(struct arena *a, const char *text)
{
	unsigned complaints = 0;
	struct conf *conf;

	if (arena_open(a, CONF_ARENA_SIZE) == -1)
		abort();
	conf = conf_load(a, "fuzz.conf", text, fuzz_conf_count, &complaints);
	assert(!conf == (complaints > 0));
	return conf;
}

#endif

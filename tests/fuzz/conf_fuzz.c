/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any text as a configuration: it is refused with a complaint, or loads, and
 * then what is dumped loads too and dumps to the same.
 *
 * With -DFUZZ_STANDALONE a program that runs the files given as arguments.
 */
#include <config.h>

#include <arpa/inet.h>
#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "fuzz_files.h"

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

static void count(void *arg, enum conf_weight weight, const char *line)
{
	assert(line[strcspn(line, "\n")] == '\0');
	*(unsigned *)arg += weight == CONF_ERROR;
}

/* The dump of what text loads to, the caller's to free; NULL if it is refused. */
static char *load_and_dump(const char *text)
{
	unsigned complaints = 0;
	struct arena a;
	struct conf *conf;
	char *dump = NULL;
	size_t len;
	FILE *out;

	if (arena_open(&a, CONF_ARENA_SIZE) == -1)
		abort();
	conf = conf_load(&a, "fuzz.conf", text, count, &complaints);
	assert(!conf == (complaints > 0));
	if (conf) {
		out = open_memstream(&dump, &len);
		conf_dump(conf, out);
		fclose(out);
		conf_check_privileges(conf, count, &complaints);
	}
	arena_close(&a);
	return dump;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	char *first = load_and_dump(text), *second;

	if (first) {
		second = load_and_dump(first);
		assert(second && strcmp(first, second) == 0);
		free(second);
	}
	free(first);
	free(text);
	return 0;
}

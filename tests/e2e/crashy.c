/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linked to the whole daemon: its handler echo does what a client's bytes say,
 * if they are one of these words and a newline, or end in that.
 */
#include <config.h>
#include "handler.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

const struct handler *__wrap_handler_find(const struct conf_handler *h);
const struct handler *__real_handler_find(const struct conf_handler *h);

/* A sanitizer would make an exit of it. */
static _Noreturn void crash(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	_exit(1);
}

static _Noreturn void run_for_ever(void)
{
	for (volatile unsigned n = 0;; n++)
		;
}

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

static bool ends_in(const char *bytes, size_t len, const char *word)
{
	const size_t n = strlen(word);

	return len >= n && memcmp(bytes + len - n, word, n) == 0;
}

static enum handler_verdict received(struct connection *c, const char *bytes, size_t len)
{
	if (ends_in(bytes, len, "crash\n"))
		crash();
	if (ends_in(bytes, len, "loop\n"))
		run_for_ever();
	if (ends_in(bytes, len, "block\n"))
		wait_for_ever();
	handler_reply(c, bytes, len);
	return HANDLER_GO_ON;
}

static const struct handler misbehaving = {
	.name = "echo",
	.keeps = HANDLER_KEEPS_NOTHING,
	.received = received,
};

const struct handler *__wrap_handler_find(const struct conf_handler *h)
{
	return h->id == HANDLER_ID_echo ? &misbehaving : __real_handler_find(h);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What every end-to-end test is built from.
 *
 * A test has a folder of its own, in which its daemons live. When it ends, they
 * are stopped and every process that they left is waited for. A test that fails
 * midway leaves that to the program that runs it, which shows what the daemons
 * wrote. The only clock is Check's.
 */
#ifndef DROVER_E2E_HARNESS_H
#define DROVER_E2E_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <string.h>

#include "client.h"
#include "daemon.h"
#include "files.h"
#include "load.h"
#include "process.h"

#define ARRAY_SIZE(a) (sizeof (a) / sizeof (a)[0])

/*
 * Pieces of a configuration: a service with a built-in handler, or with a
 * program, on a free port of the loopback, and what else it is to have.
 */
#define SERVICES(list) "services = { " list " };\n"
#define SERVICE_AT(name, listen, type, rest) \
	" " name " = { listen = " listen "; handler = { type = \"" type "\"; }; " rest " };"
#define SERVICE(name, type, rest) SERVICE_AT(name, "\"127.0.0.1:0\"", type, rest)
#define EXEC(name, handler, rest) \
	" " name " = { listen = \"127.0.0.1:0\"; handler = { type = \"exec\"; " handler " }; " rest " };"

/*
 * Settings of a service, in a valid configuration, with which no worker of it
 * can start, and that no check sees.
 */
const char *harness_cannot_start(void);

/*
 * What each program of a service "s" has in its environment, for any client: where
 * a user is given (the harness does, as root), that user's variables, too.
 */
const char *harness_environment(void);

/* A new case of s, with what a test needs before and after it. */
TCase *harness_case(Suite *s, const char *name);

/* The text has that part somewhere; both are shown if not. */
#define harness_contains(text, part) \
	do { \
		const char *const text_ = (text), *const part_ = (part); \
		ck_assert_msg(strstr(text_, part_) != NULL, "no \"%s\" in: %s", part_, text_); \
	} while (0)

/*
 * Adds a test if it can be done here; else says so, in a line: for lack of
 * root, or for lack of something that has no room in a condition of the test.
 */
#define harness_add_if(can, why, tc, test) \
	do { \
		if (can) \
			tcase_add_test(tc, test); \
		else \
			harness_skip((test)->name, why); \
	} while (0)
#define harness_add_for_root(tc, test) \
	harness_add_if(harness_is_root(), "only root can do that", tc, test)

void harness_skip(const char *what, const char *why);
bool harness_is_root(void);

/* Whether the loopback has an IPv6 address. */
bool harness_has_ipv6(void);

/* Runs s, prints the results as TAP, and returns the exit status of the program. */
int harness_run(Suite *s);

#endif

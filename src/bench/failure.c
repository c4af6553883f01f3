/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names failures, and finds the kind of failure for an errno.
 */
#include <config.h>
#include "failure.h"

#include <errno.h>
#include <stddef.h>

static const char *const names[] = {
	[FAILURE_REFUSED] = "refused",
	[FAILURE_RESET] = "reset",
	[FAILURE_TIMEOUT] = "timeout",
	[FAILURE_EARLY_END] = "early-end",
	[FAILURE_WRONG_ANSWER] = "wrong-answer",
	[FAILURE_TOO_LONG] = "too-long",
	[FAILURE_UNASKED] = "unasked",
	[FAILURE_BAD_FRAME] = "bad-frame",
	[FAILURE_UNREACHABLE] = "unreachable",
	[FAILURE_DESCRIPTORS] = "descriptors",
	[FAILURE_PORTS] = "ports",
	[FAILURE_CERTIFICATE] = "certificate",
	[FAILURE_ALERT] = "alert",
	[FAILURE_TLS] = "tls",
	[FAILURE_NO_CLOSE_NOTIFY] = "no-close-notify",
	[FAILURE_OTHER] = "other",
};

static const struct { int error; enum failure kind; } kinds[] = {
	{ ECONNREFUSED,  FAILURE_REFUSED },
	{ ECONNRESET,    FAILURE_RESET },
	{ EPIPE,         FAILURE_RESET },
	{ ETIMEDOUT,     FAILURE_TIMEOUT },
	{ EHOSTUNREACH,  FAILURE_UNREACHABLE },
	{ ENETUNREACH,   FAILURE_UNREACHABLE },
	{ EHOSTDOWN,     FAILURE_UNREACHABLE },
	{ ENETDOWN,      FAILURE_UNREACHABLE },
	{ ENOENT,        FAILURE_UNREACHABLE },         /* no such unix socket */
	{ EMFILE,        FAILURE_DESCRIPTORS },
	{ ENFILE,        FAILURE_DESCRIPTORS },
	{ EADDRNOTAVAIL, FAILURE_PORTS },
	{ EADDRINUSE,    FAILURE_PORTS },
};

const char *failure_name(enum failure kind)
{
	return names[kind];
}

enum failure failure_of_errno(int error)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].error == error)
			return kinds[i].kind;
	return FAILURE_OTHER;
}

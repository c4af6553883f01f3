/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kinds of failures of a connection, with stable names.
 */
#ifndef DROVER_BENCH_FAILURE_H
#define DROVER_BENCH_FAILURE_H

enum failure {
	FAILURE_REFUSED,
	FAILURE_RESET,
	FAILURE_TIMEOUT,
	FAILURE_EARLY_END,              /* closed before the answer was complete, or while idle */
	FAILURE_WRONG_ANSWER,
	FAILURE_TOO_LONG,               /* an answer beyond --max-answer */
	FAILURE_UNASKED,                /* bytes that were not requested */
	FAILURE_BAD_FRAME,
	FAILURE_UNREACHABLE,
	FAILURE_DESCRIPTORS,            /* we have no more of them */
	FAILURE_PORTS,                  /* the source address has no more ports */
	FAILURE_CERTIFICATE,            /* the server's certificate is not valid, or not for this server */
	FAILURE_ALERT,                  /* the server sent a TLS alert */
	FAILURE_TLS,                    /* the TLS that the server speaks is wrong, or none */
	FAILURE_NO_CLOSE_NOTIFY,        /* the end of the answer may be missing: TLS did not end first */
	FAILURE_OTHER,
	FAILURES
};

const char *failure_name(enum failure kind);
enum failure failure_of_errno(int error);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why clients are refused: a row for each reason, with its word in JSON and events, its word in the
 * access log, and what the log says of it. Each has a counter on the board (`refused_WORD`).
 */
#ifndef DROVER_SHARED_REFUSALS_H
#define DROVER_SHARED_REFUSALS_H

#define REFUSALS(X) \
	X(ACCESS,      access,      "access",      "not admitted by access") \
	X(BLOCKED,     blocked,     "blocked",     "requests from there crashed workers (poison)") \
	X(PROXY,       proxy,       "proxy",       "no valid PROXY header from an address in proxy_from") \
	X(TLS,         tls,         "tls",         "the TLS handshake failed") \
	X(CONNECTIONS, connections, "connections", "limits.connections is reached") \
	X(SOURCE,      source,      "source",      "limits.connections_per_source is reached") \
	X(RATE,        rate,        "rate",        "limits.rate is exceeded") \
	X(SOURCE_RATE, source_rate, "source-rate", "limits.rate_per_source is exceeded") \
	X(MEMORY,      memory,      "memory",      "no memory for a connection")

enum refusal {
#define X(NAME, name, how, words) REFUSAL_##NAME,
	REFUSALS(X)
#undef X
	REFUSAL_KINDS,
	REFUSAL_NONE = REFUSAL_KINDS,   /* the client is not refused */
};

/* "source_rate"; "refused-source-rate", the word `how` of the access log; why, for the log. */
const char *refusal_name(enum refusal why);
const char *refusal_how(enum refusal why);
const char *refusal_words(enum refusal why);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts failures and handshakes, and adds the counts of one thread to those of others.
 */
#include <config.h>
#include "tally.h"

void tally_failure(struct tally *t, enum failure kind, int error, const char *reason)
{
	t->failures[kind]++;
	if (kind == FAILURE_OTHER && !t->first_other)
		t->first_other = error;
	if (!t->first_reason[kind])
		t->first_reason[kind] = reason;
}

void tally_handshake(struct tally *t, const char *version, const char *cipher, bool resumed)
{
	t->handshakes++;
	t->resumed += resumed;
	if (!t->tls_version) {
		t->tls_version = version;
		t->tls_cipher = cipher;
	}
}

uint64_t tally_failures(const struct tally *t)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < FAILURES; i++)
		sum += t->failures[i];
	return sum;
}

void tally_merge(struct tally *t, const struct tally *from)
{
	t->operations += from->operations;
	t->bytes_sent += from->bytes_sent;
	t->bytes_received += from->bytes_received;
	t->connections_opened += from->connections_opened;
	t->arrivals_unserved += from->arrivals_unserved;
	t->handshakes += from->handshakes;
	t->resumed += from->resumed;
	for (unsigned i = 0; i < FAILURES; i++) {
		t->failures[i] += from->failures[i];
		if (!t->first_reason[i])
			t->first_reason[i] = from->first_reason[i];
	}
	if (!t->first_other)
		t->first_other = from->first_other;
	if (!t->tls_version) {
		t->tls_version = from->tls_version;
		t->tls_cipher = from->tls_cipher;
	}
	bench_histogram_merge(&t->latency, &from->latency);
	bench_histogram_merge(&t->connect, &from->connect);
	bench_histogram_merge(&t->handshake, &from->handshake);
}

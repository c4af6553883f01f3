/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SipHash-2-4: a hash with a secret. Who does not know the secret can neither tell nor choose
 * which inputs have the same hash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
 */
#ifndef DROVER_BASE_SIPHASH_H
#define DROVER_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* The secret is the key of the paper: its bytes 0 to 7 and 8 to 15, as little-endian numbers. */
uint64_t siphash(const uint64_t secret[2], const void *bytes, size_t len);

#endif

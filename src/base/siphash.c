/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Computes SipHash-2-4, with the names of the paper for the four words of its state. The paper
 * counts bytes in little-endian words.
 */
#include <config.h>
#include "siphash.h"

#include <endian.h>
#include <string.h>

struct state { uint64_t v0, v1, v2, v3; };

static uint64_t rotate_left(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

/* SipRound */
static void turn(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate_left(s->v1, 13) ^ s->v0;
	s->v3 = rotate_left(s->v3, 16) ^ s->v2;
	s->v0 = rotate_left(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate_left(s->v1, 17) ^ s->v2;
	s->v3 = rotate_left(s->v3, 21) ^ s->v0;
	s->v2 = rotate_left(s->v2, 32);
}

/* Takes in a word of the input: c = 2 rounds. */
static void compress(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	turn(s);
	turn(s);
	s->v0 ^= word;
}

/* d = 4 rounds. */
static uint64_t finish(struct state *s)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		turn(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t siphash(const uint64_t secret[2], const void *bytes, size_t len)
{
	struct state s = {
		secret[0] ^ UINT64_C(0x736f6d6570736575), secret[1] ^ UINT64_C(0x646f72616e646f6d),
		secret[0] ^ UINT64_C(0x6c7967656e657261), secret[1] ^ UINT64_C(0x7465646279746573),
	};
	const char *at = bytes;
	uint64_t word;

	for (size_t left = len; left >= sizeof word; left -= sizeof word) {
		memcpy(&word, at, sizeof word);
		at += sizeof word;
		compress(&s, le64toh(word));
	}
	/* The last one: the bytes that are left, and the length modulo 256 in the highest. */
	word = 0;
	memcpy(&word, at, len % sizeof word);
	compress(&s, le64toh(word) | (uint64_t)len << 56);
	return finish(&s);
}

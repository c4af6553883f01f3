/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The layout of the memory of sources, for the sources*.c files; no other file includes this. The
 * service's words and the table share the memory, and nothing else.
 */
#ifndef DROVER_SHARED_SOURCES_PRIVATE_H
#define DROVER_SHARED_SOURCES_PRIVATE_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "shared_memory.h"
#include "sources.h"

#define LINE 64                         /* bytes of a cache line */

struct entry {
	_Atomic uint64_t count;         /* tag | version | connections */
	_Atomic int64_t  paid_ns;
};

/* Workers could change what is in it: only the secret is ever read back, when the memory is adopted. */
struct header {
	alignas(LINE) char magic[8];
	uint32_t version;
	uint32_t n_entries;
	uint64_t secret[2];
	alignas(LINE) _Atomic uint64_t count;   /* version | connections */
	_Atomic int64_t paid_ns;
	alignas(LINE) struct { alignas(LINE) char room[LINE]; } episodes[SOURCES_EPISODES];
};

struct sources {                        /* ours alone */
	struct shared_memory memory;
	struct header       *header;
	struct entry        *entries;
	uint32_t             n_entries; /* a power of two */
	uint64_t             secret[2];
};

#define LINE_ENTRIES    (LINE / sizeof(struct entry))
#define COUNT_BITS      16
#define VERSION_BITS    8
#define TAG_SHIFT       (COUNT_BITS + VERSION_BITS)
#define SERVICE_BITS    32
#define MASK(bits)      ((UINT64_C(1) << (bits)) - 1)

static_assert(TAG_SHIFT + HOLD_TAG_BITS == 64, "an entry's first word is full");
static_assert(SOURCES_COUNT_MAX == MASK(COUNT_BITS), "the largest count");
static_assert(LINE_ENTRIES == 4, "an entry does not cross cache lines");
static_assert(SOURCES_MAX / 4 <= 1 << TAG_SHIFT, "place and tag are different bits of the key");

/* ---- the words ---------------------------------------------------------- */

/* A word that says another count, or another source, than `seen` did. */
static inline uint64_t changed(uint64_t seen, uint64_t tag, uint32_t count)
{
	const uint64_t version = ((seen >> COUNT_BITS) + 1) & MASK(VERSION_BITS);

	return tag << TAG_SHIFT | version << COUNT_BITS | count;
}

static inline uint32_t count_in(uint64_t word)
{
	return (uint32_t)(word & MASK(COUNT_BITS));
}

static inline uint64_t tag_in(uint64_t word)
{
	return word >> TAG_SHIFT;
}

/* The word after one that was seen as `seen`. */
static inline uint64_t service_changed(uint64_t seen, uint32_t count)
{
	return ((seen >> SERVICE_BITS) + 1) << SERVICE_BITS | count;
}

static inline uint32_t service_count_in(uint64_t word)
{
	return (uint32_t)word;
}

#endif

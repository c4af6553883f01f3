/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An arena is one mapping, and a mark up to which its bytes are handed out.
 */
#include <config.h>
#include "arena.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

int arena_open(struct arena *a, size_t size)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
	                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return -1;
	*a = (struct arena){ .base = base, .size = size };
	return 0;
}

void arena_close(struct arena *a)
{
	if (a->base)
		munmap(a->base, a->size);
	*a = (struct arena){ 0 };
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t at = round_up(a->used, alignof(max_align_t));

	if (at > a->size || size > a->size - at) {
		errno = ENOMEM;
		return NULL;
	}
	a->used = at + size;
	return a->base + at;    /* fresh pages of the kernel are zero */
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

void arena_rewind(struct arena *a, void *from)
{
	size_t at = from ? (size_t)((char *)from - a->base) : a->used;

	explicit_bzero(a->base + at, a->used - at);
	a->used = at;
}

static void *map_private(void *at, size_t size, int flags)
{
	return mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

int arena_seal(struct arena *a, size_t used)
{
	size_t size = round_up(used, (size_t)sysconf(_SC_PAGESIZE));
	void *copy;

	if (size == 0 || size > a->size) {
		errno = EINVAL;
		return -1;
	}
	copy = map_private(NULL, size, 0);
	if (copy == MAP_FAILED)
		return -1;
	memcpy(copy, a->base, used);
	munmap(a->base + size, a->size - size);
	a->size = a->used = size;
	if (map_private(a->base, size, MAP_FIXED) == MAP_FAILED) {
		munmap(copy, size);
		return -1;
	}
	memcpy(a->base, copy, used);
	munmap(copy, size);
	return mprotect(a->base, size, PROT_READ);
}

void *arena_next_page(struct arena *a)
{
	size_t at = round_up(a->used, (size_t)sysconf(_SC_PAGESIZE));

	if (at > a->size) {
		errno = ENOMEM;
		return NULL;
	}
	a->used = at;
	return a->base + at;
}

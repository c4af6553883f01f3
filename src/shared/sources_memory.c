/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes, maps and frees the memory of sources. What is in it, the other sources*.c files know.
 */
#include <config.h>
#include "sources_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "fd.h"

/* An object for that many entries, without memory; *len is what it needs. */
static struct sources *new_sources(size_t n_entries, size_t *len)
{
	struct sources *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->n_entries = (uint32_t)n_entries;
	if (n_entries >= SOURCES_MIN && n_entries <= SOURCES_MAX && (n_entries & (n_entries - 1)) == 0 &&
	    shared_memory_pages(len, sizeof(struct header), n_entries, sizeof(struct entry)))
		return s;
	free(s);
	errno = EINVAL;
	return NULL;
}

static void point_into_memory(struct sources *s)
{
	s->header = (struct header *)(void *)s->memory.at;
	s->entries = (struct entry *)(void *)(s->memory.at + sizeof *s->header);
}

/* getrandom(2) gives up to 256 bytes at once, or fails. */
static int make_memory(struct sources *s, size_t len)
{
	if (getrandom(s->secret, sizeof s->secret, 0) == -1 ||
	    shared_memory_make(&s->memory, "drover-sources", len) == -1)
		return -1;
	point_into_memory(s);
	memcpy(s->header->magic, "drover", sizeof "drover");
	s->header->version = SOURCES_VERSION;
	s->header->n_entries = s->n_entries;
	memcpy(s->header->secret, s->secret, sizeof s->secret);
	return 0;
}

static int adopt_memory(struct sources *s, int fd, size_t len)
{
	if (shared_memory_adopt(&s->memory, fd, len) == -1)
		return -1;
	point_into_memory(s);
	memcpy(s->secret, s->header->secret, sizeof s->secret);
	return 0;
}

struct sources *sources_make(size_t entries)
{
	size_t len;
	struct sources *s = new_sources(entries, &len);

	if (s && make_memory(s, len) == 0)
		return s;
	free(s);
	return NULL;
}

struct sources *sources_adopt(int fd, size_t entries)
{
	size_t len;
	struct sources *s = new_sources(entries, &len);

	if (s && adopt_memory(s, fd, len) == 0)
		return s;
	free(s);
	return NULL;
}

void sources_free(struct sources **sp)
{
	struct sources *s = *sp;

	*sp = NULL;
	if (!s)
		return;
	shared_memory_close(&s->memory);
	free(s);
}

int sources_fd(const struct sources *s)
{
	return s->memory.fd;
}

void sources_enter(struct sources *s)
{
	fd_close(&s->memory.fd);
}

size_t sources_entries(const struct sources *s)
{
	return s->n_entries;
}

/* The entry at that place of the memory, or the one after it; n_entries if that is behind the last one. */
static uint32_t entry_at(const struct sources *s, off_t place)
{
	const size_t before = (size_t)place - sizeof *s->header;
	const size_t i = (before + sizeof *s->entries - 1) / sizeof *s->entries;

	return i < s->n_entries ? (uint32_t)i : s->n_entries;
}

/* Pages that were never written are holes of the file. */
struct sources_range sources_used(const struct sources *s, uint32_t index)
{
	const off_t at = (off_t)(sizeof *s->header + index * sizeof *s->entries);
	const off_t data = lseek(s->memory.fd, at, SEEK_DATA);
	struct sources_range used = { index, s->n_entries };

	if (data == -1 && errno == ENXIO)       /* lseek(2): there is no data behind that place */
		used.begin = s->n_entries;
	if (data != -1)
		used = (struct sources_range){ entry_at(s, data),
		                               entry_at(s, lseek(s->memory.fd, data, SEEK_HOLE)) };
	return used;
}

struct episode *sources_episode(const struct sources *s, size_t i)
{
	return (struct episode *)(void *)&s->header->episodes[i];
}

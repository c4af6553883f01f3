/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that processes share, which can outlive the program that made it: a memfd whose size is
 * sealed, so that no process can truncate it while another one reads.
 */
#ifndef DROVER_SYS_SHARED_MEMORY_H
#define DROVER_SYS_SHARED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

struct shared_memory {
	int    fd;                      /* -1: closed */
	char  *at;                      /* begins on a page */
	size_t len;
};

/* *len = first + n * size, in whole pages. False if that is too much. */
bool shared_memory_pages(size_t *len, size_t first, size_t n, size_t size);

/* Makes len zeroed bytes under that name (memfd_create(2)). 0; or -1 with errno, and nothing is open. */
int shared_memory_make(struct shared_memory *m, const char *name, size_t len);

/*
 * Maps what shared_memory_make of another program has made, if it has exactly len bytes. Takes fd. On
 * failure returns -1 with errno, EINVAL if it is not such memory, and fd is still the caller's.
 */
int shared_memory_adopt(struct shared_memory *m, int fd, size_t len);

/* Unmaps it and closes the descriptor; keeps errno. */
void shared_memory_close(struct shared_memory *m);

/* Makes n bytes from `at` on, which are whole pages, zero again, and gives them back to the kernel. */
void shared_memory_empty(char *at, size_t n);

#endif

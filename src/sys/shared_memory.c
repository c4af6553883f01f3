/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes and maps memory that processes share. What is in it, and which version its layout has,
 * its users know.
 */
#include <config.h>
#include "shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

#ifndef MFD_NOEXEC_SEAL                 /* Linux 6.3 */
#define MFD_NOEXEC_SEAL 8U
#endif

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

bool shared_memory_pages(size_t *len, size_t first, size_t n, size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (__builtin_mul_overflow(n, size, len) || __builtin_add_overflow(*len, first, len) ||
	    __builtin_add_overflow(*len, page - 1, len) || *len > PTRDIFF_MAX)
		return false;
	*len -= *len % page;
	return true;
}

static int open_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	/* Older kernels do not know the last flag; newer ones may demand it. */
	return fd == -1 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

static int map(struct shared_memory *m)
{
	m->at = mmap(NULL, m->len, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	return m->at == MAP_FAILED ? -1 : 0;
}

int shared_memory_make(struct shared_memory *m, const char *name, size_t len)
{
	*m = (struct shared_memory){ .fd = open_memory(name), .len = len };
	if (m->fd != -1 && ftruncate(m->fd, (off_t)len) == 0 &&
	    fcntl(m->fd, F_ADD_SEALS, SEALS) == 0 && map(m) == 0)
		return 0;
	fd_close(&m->fd);
	return -1;
}

/* Only memory of that size: reading beyond the end of a smaller one would end this process. */
static bool is_such_memory(int fd, size_t len)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return false;
	errno = EINVAL;
	return S_ISREG(st.st_mode) && (size_t)st.st_size == len &&
	       (fcntl(fd, F_GET_SEALS) & SEALS) == SEALS;
}

int shared_memory_adopt(struct shared_memory *m, int fd, size_t len)
{
	*m = (struct shared_memory){ .fd = fd, .len = len };
	return is_such_memory(fd, len) ? map(m) : -1;
}

void shared_memory_close(struct shared_memory *m)
{
	const int saved = errno;

	munmap(m->at, m->len);
	fd_close(&m->fd);
	errno = saved;
}

void shared_memory_empty(char *at, size_t n)
{
	if (madvise(at, n, MADV_REMOVE) == -1)
		memset(at, 0, n);
}

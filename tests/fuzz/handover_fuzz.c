/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any text as what another program has handed over: it is refused with a reason, or
 * read, and then what is written of it is read as well. Its descriptors are walked through
 * in both cases. Whether they exist is checked, too; most of them do not exist here.
 */
#include <config.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "handover.h"

static int file_of(const uint8_t *data, size_t size)
{
	const int fd = memfd_create("handover", MFD_CLOEXEC);

	if (fd == -1 || write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

static bool see(void *arg, int fd)
{
	*(int *)arg ^= fd;
	return true;
}

/* Reads fd, which it closes. */
static bool is_read(struct handover *h, int fd)
{
	char why[256] = "";
	int sum = 0;
	bool ok;

	if (handover_init(h) == -1)
		abort();
	ok = handover_read(h, fd, why, sizeof why);
	assert(ok || why[0] != '\0');
	assert(handover_each_fd(h, see, &sum));         /* also of one that was refused */
	if (ok && !handover_check(h, why, sizeof why))
		assert(why[0] != '\0');
	close(fd);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handover first, second;

	if (is_read(&first, file_of(data, size))) {
		const int again = handover_write(&first);

		assert(again != -1 && is_read(&second, again));
		handover_free(&second);
	}
	handover_free(&first);
	return 0;
}

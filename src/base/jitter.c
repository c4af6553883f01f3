/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes random numbers from getrandom(2).
 */
#include <config.h>
#include "jitter.h"

#include <sys/random.h>
#include <unistd.h>

/* From 0 to most. Until the kernel has random numbers (early at boot), the process id takes their place. */
static int64_t random_up_to(int64_t most)
{
	uint64_t random;

	if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
		random = (uint64_t)getpid();
	return (int64_t)(random % ((uint64_t)most + 1));
}

int64_t jitter_down(int64_t n)
{
	return n - random_up_to(n / 10);
}

int64_t jitter_around(int64_t n)
{
	const int64_t tenth = n / 10;

	return n - tenth + random_up_to(2 * tenth);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers in the environment that a service manager has set.
 */
#include <config.h>
#include "activation.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

int activation_number(const char *variable, long max, long *n)
{
	const char *text = getenv(variable);

	if (!text)
		return 0;
	errno = 0;
	*n = strtol(text, NULL, 10);
	if (*text == '\0' || strspn(text, "0123456789") != strlen(text) || errno != 0 || *n > max)
		return -1;
	return 1;
}

static bool complain_of_number(const char *variable, const char *what, char *why, size_t size)
{
	snprintf(why, size, "%s=\"%s\" in the environment is not %s", variable, getenv(variable), what);
	return false;
}

static bool judge_descriptors(long n, char *why, size_t size)
{
	for (long i = 0; i < n; i++)
		if (fcntl(SD_LISTEN_FDS_START + (int)i, F_GETFD) == -1) {
			snprintf(why, size, "LISTEN_FDS=\"%ld\" in the environment says that descriptor"
			         " %d is open, but it is not", n, SD_LISTEN_FDS_START + (int)i);
			return false;
		}
	return true;
}

static bool judge_names(long n, char *why, size_t size)
{
	const char *names = getenv("LISTEN_FDNAMES");
	long n_names = 1;

	for (const char *c = names; c && *c; c++)
		n_names += *c == ':';
	if (!names || n == 0 || n_names == n)
		return true;
	snprintf(why, size, "LISTEN_FDNAMES=\"%s\" in the environment names %ld descriptors, and"
	         " LISTEN_FDS says %ld", names, n_names, n);
	return false;
}

bool activation_judge(char *why, size_t size)
{
	long pid, n;
	int known = activation_number("LISTEN_PID", INT_MAX, &pid);

	if (known == -1)
		return complain_of_number("LISTEN_PID", "the number of a process", why, size);
	if (known == 0 || pid != getpid())
		return true;
	known = activation_number("LISTEN_FDS", INT_MAX - SD_LISTEN_FDS_START, &n);
	if (known == -1)
		return complain_of_number("LISTEN_FDS", "a number of descriptors", why, size);
	return known == 0 || (judge_descriptors(n, why, size) && judge_names(n, why, size));
}

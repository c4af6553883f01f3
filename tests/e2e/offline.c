/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a droverd whose look-ups fail: which of them, and how, is said in the file
 * that LOOKUPS in the environment names, as "host", "user", "group" or "path" and a number
 * (an EAI_ of getaddrinfo(3), or an errno). Without that file they are the real ones.
 */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list);
int __real_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size,
                      struct passwd **found);
int __wrap_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size,
                      struct passwd **found);
int __real_getgrnam_r(const char *name, struct group *gr, char *buf, size_t size,
                      struct group **found);
int __wrap_getgrnam_r(const char *name, struct group *gr, char *buf, size_t size,
                      struct group **found);
int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);

/* What a look-up of that kind is to return; 0: it is not to fail. */
static int failure_of(const char *kind)
{
	const char *path = getenv("LOOKUPS");
	FILE *f = path ? fopen(path, "re") : NULL;
	char word[16];
	int value, result = 0;

	while (f && fscanf(f, "%15s %d", word, &value) == 2)
		if (strcmp(word, kind) == 0)
			result = value;
	if (f)
		fclose(f);
	return result;
}

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list)
{
	const int failure = failure_of("host");

	return failure ? failure : __real_getaddrinfo(host, port, hints, list);
}

int __wrap_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size,
                      struct passwd **found)
{
	const int failure = failure_of("user");

	*found = NULL;
	return failure ? failure : __real_getpwnam_r(name, pw, buf, size, found);
}

int __wrap_getgrnam_r(const char *name, struct group *gr, char *buf, size_t size,
                      struct group **found)
{
	const int failure = failure_of("group");

	*found = NULL;
	return failure ? failure : __real_getgrnam_r(name, gr, buf, size, found);
}

int __wrap_stat(const char *path, struct stat *st)
{
	const int failure = failure_of("path");

	if (!failure)
		return __real_stat(path, st);
	errno = failure;
	return -1;
}

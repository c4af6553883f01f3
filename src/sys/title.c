/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Overwrites the arguments, as setproctitle(3bsd) does. The kernel shows what is between
 * arg_start and arg_end; if the last byte there is not NUL, it reads on into the environment.
 */
#include <config.h>
#include "title.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ROOM_WANTED 64          /* "droverd: worker ", and enough of any name */

/*
 * There is one such place in a process, and one copy of the environment: list and strings in
 * one block, which stays whatever setenv(3) and unsetenv(3) do with the list.
 */
static struct { char *start; size_t size; char **environment; } area;

static char **copy_environment(void)
{
	size_t n = 0, bytes = 0;
	char **copy, *to;

	for (; environ && environ[n]; n++)
		bytes += strlen(environ[n]) + 1;
	copy = malloc((n + 1) * sizeof *copy + bytes);
	if (!copy)
		return NULL;
	to = (char *)(copy + n + 1);
	for (size_t i = 0; i < n; i++) {
		copy[i] = to;
		to = stpcpy(to, environ[i]) + 1;
	}
	copy[n] = NULL;
	return copy;
}

/* Returns the end of those strings of list that lie one behind the other, beginning at end. */
static char *end_of(char *const *list, char *end)
{
	for (; list && *list; list++)
		if (*list == end)
			end += strlen(end) + 1;
	return end;
}

/* If arguments and environment are too short for a title: puts it elsewhere, if the kernel allows it. */
static void make_room(void)
{
	static char room[ROOM_WANTED];
	const unsigned long start = (unsigned long)(uintptr_t)room;

	/* The start first: the end may never be before it, and the stack is above all else. */
	if (prctl(PR_SET_MM, PR_SET_MM_ARG_START, start, 0, 0) == -1)
		return;
	if (prctl(PR_SET_MM, PR_SET_MM_ARG_END, start + sizeof room, 0, 0) == -1) {
		prctl(PR_SET_MM, PR_SET_MM_ARG_START, (unsigned long)(uintptr_t)area.start, 0, 0);
		return;
	}
	area.start = room;
	area.size = sizeof room;
}

int title_init(char **argv)
{
	static char name[] = "droverd";
	char *end;

	if (!argv[0]) {
		errno = EINVAL;
		return -1;
	}
	area.environment = copy_environment();
	if (!area.environment)
		return -1;
	end = end_of(environ, end_of(argv, argv[0]));
	area.start = argv[0];
	area.size = (size_t)(end - argv[0]);
	environ = area.environment;
	program_invocation_name = program_invocation_short_name = name;
	argv[1] = NULL;
	explicit_bzero(area.start, area.size);
	if (area.size < ROOM_WANTED)
		make_room();
	return 0;
}

void title_set(const char *format, ...)
{
	va_list ap;
	int len;

	if (area.size == 0)
		return;
	va_start(ap, format);
	len = vsnprintf(area.start, area.size, format, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < area.size)
		explicit_bzero(area.start + len, area.size - (size_t)len);
}

void title_set_name(const char *format, ...)
{
	char name[TITLE_NAME_MAX + 1];
	va_list ap;

	va_start(ap, format);
	vsnprintf(name, sizeof name, format, ap);
	va_end(ap);
	prctl(PR_SET_NAME, name);
}

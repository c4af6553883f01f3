/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads /proc/PID/stat, wchan and syscall. Reading these never waits for the process; files that
 * show its memory may.
 */
#include <config.h>
#include "proc.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "text.h"

#define FILE_MAX_LEN 512

/* The beginning of a file; "" if it cannot be read. */
static const char *read_file(pid_t pid, const char *name, char buf[static FILE_MAX_LEN])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? 0 : read(fd, buf, FILE_MAX_LEN - 1);
	fd_drop(fd);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static const char *state_name(char letter)
{
	static const struct { char letter; const char *name; } rows[] = {
		{ 'R', "running" }, { 'S', "sleeping" }, { 'D', "sleeping uninterruptibly" },
		{ 'T', "stopped" }, { 't', "stopped by a tracer" }, { 'Z', "dead" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].letter == letter)
			return rows[i].name;
	return "unknown";
}

/* The state is behind the last parenthesis: the name before it may contain any byte. */
static char state_of(pid_t pid)
{
	char buf[FILE_MAX_LEN];
	const char *end = strrchr(read_file(pid, "stat", buf), ')');

	return end && end[1] == ' ' ? end[2] : '\0';
}

/* wchan is "0" if the process does not wait, or if we may not know where. */
static void add_place(struct text *t, pid_t pid)
{
	char buf[FILE_MAX_LEN];
	const char *place = read_file(pid, "wchan", buf);

	if (isalpha((unsigned char)*place) || *place == '_') {
		text_add(t, " in ");
		text_add_safe(t, place, strlen(place));
	}
}

static void add_system_call(struct text *t, pid_t pid)
{
	char buf[FILE_MAX_LEN];
	int number;

	if (sscanf(read_file(pid, "syscall", buf), "%d", &number) == 1 && number >= 0)
		text_add(t, ", system call %d", number);
}

const char *proc_describe(pid_t pid, char buf[static PROC_TEXT_MAX])
{
	const char letter = state_of(pid);
	struct text t = text_in(buf, PROC_TEXT_MAX);

	text_add(&t, "%s", state_name(letter));
	if (letter == 'S' || letter == 'D') {
		add_place(&t, pid);
		add_system_call(&t, pid);
	}
	return buf;
}

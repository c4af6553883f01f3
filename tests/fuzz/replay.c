/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main function of a fuzz target that is built without libFuzzer. It gives the target the
 * files of its corpus, each in a process of its own, and prints TAP; or only the files that are
 * named as arguments, in this process, for a debugger. It finds nothing new: libFuzzer does.
 */
#include <config.h>

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define FILE_MAX     (4u << 20)         /* bytes of an input */
#define SECONDS_MAX  60                 /* for an input; SIGALRM ends the process then */

static size_t read_file(const char *path, uint8_t *bytes)
{
	FILE *in = fopen(path, "re");
	size_t size;

	if (!in) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	size = fread(bytes, 1, FILE_MAX, in);
	fclose(in);
	return size;
}

/* The copy is as long as the input, so that a sanitizer sees what is read behind it. */
static void run_file(const char *path)
{
	static uint8_t bytes[FILE_MAX];
	const size_t size = read_file(path, bytes);
	uint8_t *copy = malloc(size);

	memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static _Noreturn void be_child(const char *path)
{
	alarm(SECONDS_MAX);
	run_file(path);
	exit(EXIT_SUCCESS);             /* a sanitizer looks for leaks then */
}

static bool replay(int number, const char *path, const char *name)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		be_child(path);
	if (pid != -1)
		waitpid(pid, &status, 0);
	printf("%s %d - %s\n", status == 0 ? "ok" : "not ok", number, name);
	if (pid != -1 && WIFSIGNALED(status))
		printf("# it was ended by signal %d\n", WTERMSIG(status));
	return status == 0;
}

/* "NAME" of "tests/fuzz/NAME_fuzz.t". */
static int name_length(const char *program)
{
	const char *end = strstr(program, "_fuzz");

	return end ? (int)(end - program) : (int)strlen(program);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void find_corpus(const char *program, char folder[static PATH_MAX])
{
	const char *top = getenv("top_srcdir"), *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	snprintf(folder, PATH_MAX, "%s/tests/fuzz/corpus/%.*s", top ? top : "..",
	         name_length(name), name);
}

static bool replay_corpus(const char *program)
{
	struct dirent **entries;
	char folder[PATH_MAX], path[2 * PATH_MAX];
	bool all = true;
	int n;

	find_corpus(program, folder);
	n = scandir(folder, &entries, is_input, alphasort);
	if (n == -1) {
		perror(folder);
		return false;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		all = replay(i + 1, path, entries[i]->d_name) && all;
		free(entries[i]);
	}
	free(entries);
	return all && n > 0;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return replay_corpus(argv[0]) ? EXIT_SUCCESS : EXIT_FAILURE;
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A filter of lines that does what each line tells it, good or bad. Anything else
 * is its own answer.
 *
 *     odd_filter [normal | greet | die | careful | stubborn | trickle] [FIFO]
 *
 * A careful one reads no byte beyond the line that it works on, a stubborn one
 * goes when it is killed, and one that trickles gives each byte back by itself.
 */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *fifo;
static unsigned long n_requests;

/* Waits until another process opens the fifo. */
static void wait_for_release(void)
{
	int fd = open(fifo, O_WRONLY | O_CLOEXEC);

	if (fd != -1)
		close(fd);
}

static void say_by_byte(const char *text)
{
	for (; *text; text++)
		if (write(STDOUT_FILENO, text, 1) != 1)
			_exit(1);
}

static void say_much(unsigned long bytes)
{
	for (; bytes > 0; bytes--)
		putchar('x');
	putchar('\n');
}

static void flood_stderr(void)
{
	for (int i = 0; i < 20000; i++)
		fprintf(stderr, "complaint %d\n", i);
}

static void give_back_by_byte(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) == 1)
		if (write(STDOUT_FILENO, &byte, 1) != 1)
			_exit(1);
}

static void stay(void)
{
	for (;;)
		pause();
}

static void obey(const char *line)
{
	if (strcmp(line, "die") == 0)
		_exit(3);
	if (strcmp(line, "crash") == 0)
		raise(SIGKILL);
	if (strcmp(line, "half") == 0) {
		say_by_byte("ha");
		_exit(3);
	}
	if (strcmp(line, "never") == 0)
		return;
	if (strcmp(line, "hang") == 0)
		stay();
	if (strcmp(line, "late") == 0)
		wait_for_release();
	if (strcmp(line, "mute") == 0) {
		fclose(stdout);
		stay();
	}
	if (strcmp(line, "deaf") == 0) {
		close(STDIN_FILENO);
		say_by_byte("deaf\n");
		stay();
	}
	if (strcmp(line, "endless") == 0)
		say_much(ULONG_MAX);
	if (strcmp(line, "twice") == 0)
		puts(line);
	if (strcmp(line, "flood") == 0)
		flood_stderr();
	if (strcmp(line, "pid") == 0)
		printf("%d\n", (int)getpid());
	else if (strcmp(line, "count") == 0)
		printf("%lu\n", n_requests);
	else if (strncmp(line, "much ", 5) == 0)
		say_much(strtoul(line + 5, NULL, 10));
	else if (strcmp(line, "bytes") == 0)
		say_by_byte("byte\n");
	else
		puts(line);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "normal";
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	fifo = argc > 2 ? argv[2] : NULL;
	if (strcmp(how, "greet") == 0)
		puts("hello, who is there?");
	if (strcmp(how, "die") == 0)
		return 1;
	if (strcmp(how, "careful") == 0)
		setvbuf(stdin, NULL, _IONBF, 0);
	if (strcmp(how, "stubborn") == 0)
		signal(SIGTERM, SIG_IGN);
	if (strcmp(how, "trickle") == 0)
		give_back_by_byte();
	fflush(stdout);
	while ((n = getline(&line, &size, stdin)) > 0) {
		line[n - 1] = '\0';
		n_requests++;
		obey(line);
		fflush(stdout);
	}
	if (strcmp(how, "stubborn") == 0)
		stay();
	free(line);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that neither reads its input nor ends with it, only by SIGTERM, and never
 * misses one: a shell may, between its look at what has come and its next system call.
 *
 *     stubborn FIFO
 *
 * writes the line "ready" into the fifo, waits for SIGTERM, writes "TERM", exits with 7.
 */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const int fifo = argc > 1 ? open(argv[1], O_WRONLY | O_CLOEXEC) : -1;
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	if (fifo == -1 || write(fifo, "ready\n", 6) != 6)
		return EXIT_FAILURE;
	while (sigwaitinfo(&term, NULL) == -1)
		;
	return write(fifo, "TERM\n", 5) == 5 ? 7 : EXIT_FAILURE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the file of the odd filter, and waits until the daemon has done a step with it.
 */
#include <config.h>
#include "filter_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct daemon d;
static const char *fifo;

const char *filter_odd(void)
{
	return process_built("tests/e2e/odd_filter");
}

const char *filter_argv(const char *mood)
{
	fifo = files_path("fifo");
	if (!files_exist(fifo))
		files_mkfifo("fifo");
	return files_text("argv = [ \"%s\", \"%s\", \"%s\" ];", filter_odd(), mood, fifo);
}

void filter_start_in(const char *mood, const char *handler, const char *rest)
{
	daemon_start(&d, FILTER("%s %s", "%s"), filter_argv(mood), handler, rest);
}

void filter_start(const char *handler, const char *rest)
{
	filter_start_in("normal", handler, rest);
}

void filter_release(void)
{
	int fd = open(fifo, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	close(fd);
}

int filter_say(const char *text)
{
	int fd = daemon_connect(&d, "s");

	client_say(fd, text);
	return fd;
}

void filter_check(const char *question, const char *answer)
{
	int fd = filter_say(question);

	client_expect(fd, answer);
	close(fd);
}

void filter_barrier(void)
{
	int fd = daemon_connect(&d, "s");

	daemon_accepted(&d, fd);
	close(fd);
}

/* A connection cannot end in the turn of the loop in which it was accepted. */
void filter_settle(void)
{
	int fd = daemon_connect(&d, "s");
	const struct event *opened = daemon_accepted(&d, fd);

	close(fd);
	daemon_ended(&d, opened);
}

void filter_expect_failure(int fd)
{
	const struct event *opened = daemon_accepted(&d, fd);

	client_expect_end(fd);
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "failed");
	close(fd);
}

static void wait_for_state(pid_t pid, char state)
{
	const char *status = files_text("/proc/%d/status", pid);

	while (process_field(process_file(status), "State")[0] != state)
		;
}

/* While it sleeps it handles no event: it gets what comes from now on in this order. */
void filter_hold(pid_t worker)
{
	wait_for_state(worker, 'S');
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	wait_for_state(worker, 'T');
}

void filter_go_on(pid_t worker)
{
	ck_assert_int_eq(kill(worker, SIGCONT), 0);
}

size_t filter_descriptors(pid_t worker)
{
	DIR *dir = opendir(files_text("/proc/%d/fd", worker));
	const struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)))
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

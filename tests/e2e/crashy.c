/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linked to the whole daemon: its handler echo does what a client's bytes say,
 * if they are one of these words and a newline, or end in that.
 */
#include <config.h>
#include "handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connection.h"
#include "stream.h"
#include "worker.h"

const struct handler *__wrap_handler_find(const struct conf_handler *h);
const struct handler *__real_handler_find(const struct conf_handler *h);

/* A sanitizer would turn the signal into an exit. */
static _Noreturn void crash(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	_exit(1);
}

static _Noreturn void run_for_ever(void)
{
	for (volatile unsigned n = 0;; n++)
		;
}

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* ---- over the leash, as a worker that a client has taken over ----------- */

/* Sends valid words for as long as the worker lives. */
static _Noreturn void flood(const struct worker *w)
{
	for (;;)
		leash_say(&w->start.leash, &(struct leash_message){ .word = LEASH_LOOK });
}

static void mumble(const struct worker *w)
{
	if (write(w->start.leash.words, "?", 1) != 1)
		_exit(1);
}

static void say_word(const struct worker *w, unsigned word)
{
	leash_say(&w->start.leash, &(struct leash_message){ .word = (enum leash_word)word });
}

/* The master does not get what the worker says after this. */
static void hang_up(const struct worker *w)
{
	const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null == -1 || dup2(null, w->start.leash.words) == -1)
		_exit(1);
}

/* Sends a descriptor; to close one of a full connection could take a minute. Returns why it failed. */
static const char *smuggle(const struct worker *w, int fd)
{
	union { struct cmsghdr header; char room[CMSG_SPACE(sizeof fd)]; } extra = { 0 };
	const struct leash_message m = { .word = LEASH_LOGS };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)&m, .iov_len = sizeof m };
	const struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &extra,
	                            .msg_controllen = sizeof extra };
	const struct linger linger = { .l_onoff = 1, .l_linger = 60 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	extra.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
	                                 .cmsg_len = CMSG_LEN(sizeof fd) };
	memcpy(CMSG_DATA(&extra.header), &fd, sizeof fd);
	if (sendmsg(w->start.leash.orders, &msg, MSG_NOSIGNAL) != -1 || errno != EPIPE)
		return "over the socket\n";
	if (sendmsg(w->start.leash.words, &msg, MSG_NOSIGNAL) != -1 || errno != ENOTSOCK)
		return "over the pipe\n";
	return "no way\n";
}

/* ---- with the descriptors that it has ----------------------------------- */

/* Truncates and overwrites every file that it can, and types into terminals. */
static void damage(void)
{
	static const char bytes[] = "damaged\n";

	for (int fd = 0; fd < 1024; fd++) {
		const int flags = fcntl(fd, F_GETFL);

		if (flags == -1)
			continue;
		fcntl(fd, F_SETFL, flags & ~O_APPEND);
		if (ftruncate(fd, 0) == 0 || pwrite(fd, bytes, sizeof bytes - 1, 0) > 0)
			continue;
		for (const char *byte = bytes; *byte; byte++)
			ioctl(fd, TIOCSTI, byte);
	}
}

/* A forked process keeps the descriptors until the client closes its connection; this one dies. */
static _Noreturn void leave_another(int client)
{
	char bytes[64];

	if (fork() != 0)
		crash();
	fcntl(client, F_SETFL, 0);
	while (read(client, bytes, sizeof bytes) > 0)
		;
	_exit(0);
}

/* As libc does before it aborts; without its newline. */
static void mutter(void)
{
	if (write(STDERR_FILENO, "free(): invalid pointer", 23) != 23)
		_exit(1);
}

/* Fills the pipes of its logs. */
static void drown(const struct worker *w)
{
	static const char line[] = "mine mine mine mine mine mine mine\n";
	struct stat st;

	for (int fd = STDERR_FILENO; fd < 1024; fd++)
		if (fd != w->start.leash.words && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
		    fcntl(fd, F_GETFL) & O_NONBLOCK)
			while (write(fd, line, sizeof line - 1) > 0)
				;
}

static bool ends_in(const char *bytes, size_t len, const char *word)
{
	const size_t n = strlen(word);

	return len >= n && memcmp(bytes + len - n, word, n) == 0;
}

static enum handler_verdict received(struct connection *c, const char *bytes, size_t len)
{
	if (ends_in(bytes, len, "crash\n"))
		crash();
	if (ends_in(bytes, len, "leave another\n"))
		leave_another(stream_socket(connection_stream(c)));
	if (ends_in(bytes, len, "loop\n"))
		run_for_ever();
	if (ends_in(bytes, len, "block\n"))
		wait_for_ever();
	if (ends_in(bytes, len, "flood\n"))
		flood(connection_worker(c));
	if (ends_in(bytes, len, "damage\n"))
		damage();
	if (ends_in(bytes, len, "drown\n"))
		drown(connection_worker(c));
	if (ends_in(bytes, len, "mutter\n"))
		mutter();
	if (ends_in(bytes, len, "mumble\n"))
		mumble(connection_worker(c));
	if (ends_in(bytes, len, "gibber\n"))
		say_word(connection_worker(c), 99);
	if (ends_in(bytes, len, "command\n"))
		say_word(connection_worker(c), LEASH_END);
	if (ends_in(bytes, len, "hang up\n"))
		hang_up(connection_worker(c));
	if (ends_in(bytes, len, "smuggle\n")) {
		const char *answer = smuggle(connection_worker(c), stream_socket(connection_stream(c)));

		handler_reply(c, answer, strlen(answer));
		return HANDLER_GO_ON;
	}
	handler_reply(c, bytes, len);
	return HANDLER_GO_ON;
}

static const struct handler misbehaving = {
	.name = "echo",
	.keeps = HANDLER_KEEPS_NOTHING,
	.received = received,
};

const struct handler *__wrap_handler_find(const struct conf_handler *h)
{
	return h->id == HANDLER_ID_echo ? &misbehaving : __real_handler_find(h);
}

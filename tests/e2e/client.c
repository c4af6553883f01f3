/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets of clients. None of them blocks: turn.c does all waiting.
 */
#include <config.h>
#include "client.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "files.h"

#define READ_ALL_MAX (16 << 20)         /* more than the buffers of two sockets */

static struct address parse(const char *address)
{
	struct address t = { 0 };
	char host[INET6_ADDRSTRLEN];
	in_port_t port;

	if (strncmp(address, "unix:", 5) == 0) {
		ck_assert_msg(address_set_unix(&t, address + 5) == 0, "%s: %m", address);
	} else if (sscanf(address, "[%45[^]]]:%hu", host, &port) == 2) {
		t.u.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		t.len = sizeof t.u.in6;
		ck_assert_int_eq(inet_pton(AF_INET6, host, &t.u.in6.sin6_addr), 1);
	} else {
		ck_assert_msg(sscanf(address, "%45[0-9.]:%hu", host, &port) == 2, "address %s", address);
		t.u.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
		t.len = sizeof t.u.in;
		ck_assert_int_eq(inet_pton(AF_INET, host, &t.u.in.sin_addr), 1);
	}
	return t;
}

static int make_socket(sa_family_t family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_msg(fd != -1, "socket: %m");
	return fd;
}

/* The descriptor, or -1 with errno. */
static int begin_to_connect(int fd, const struct address *to)
{
	if (connect(fd, &to->u.sa, to->len) == 0 || errno == EINPROGRESS)
		return fd;

	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

static int begin(const char *address, int receive_buffer)
{
	struct address t = parse(address);
	int fd = make_socket(t.u.sa.sa_family);

	if (receive_buffer > 0)         /* before connect(2) announces the window */
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
	return begin_to_connect(fd, &t);
}

int client_begin(const char *address)
{
	return begin(address, 0);
}

static void bind_to(int fd, const char *ip)
{
	char text[INET6_ADDRSTRLEN + sizeof "[]:0"];
	struct address own;
	const int on = 1;

	snprintf(text, sizeof text, strchr(ip, ':') ? "[%s]:0" : "%s:0", ip);
	own = parse(text);
	/* connect(2) chooses the port: it may be one that is in use with another address. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	ck_assert_msg(bind(fd, &own.u.sa, own.len) == 0, "bind to %s: %m", ip);
}

int client_begin_from(const char *ip, const char *address)
{
	const struct address t = parse(address);
	int fd = make_socket(t.u.sa.sa_family);

	if (ip)
		bind_to(fd, ip);
	return begin_to_connect(fd, &t);
}

/* The descriptor when it is connected, or -1 with errno. */
static int finish(int fd)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (fd == -1)
		return -1;
	turn_until_ready(fd, POLLOUT);
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

int client_try(const char *address)
{
	return finish(begin(address, 0));
}

int client_connect_small(const char *address, int receive_buffer)
{
	int fd = finish(begin(address, receive_buffer));

	ck_assert_msg(fd != -1, "connect to %s: %m", address);
	return fd;
}

int client_connect(const char *address)
{
	return client_connect_small(address, 0);
}

int client_connect_from(const char *ip, const char *address)
{
	int fd = finish(client_begin_from(ip, address));

	ck_assert_msg(fd != -1, "connect from %s to %s: %m", ip, address);
	return fd;
}

int client_listen(const char **port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_msg(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 8) == 0 &&
	              getsockname(fd, (struct sockaddr *)&a, &len) == 0, "listen: %m");
	*port = files_text("%d", ntohs(a.sin_port));
	return fd;
}

int client_listen_unix(const char *path)
{
	struct address t = parse(files_text("unix:%s", path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_msg(bind(fd, &t.u.sa, t.len) == 0 && listen(fd, 8) == 0, "%s: %m", path);
	return fd;
}

const char *client_name(int fd)
{
	struct address t = { .len = sizeof t.u };
	char host[INET6_ADDRSTRLEN];

	ck_assert_int_eq(getsockname(fd, &t.u.sa, &t.len), 0);
	if (t.u.sa.sa_family == AF_UNIX)
		return "unix";
	if (t.u.sa.sa_family == AF_INET6)
		return files_text("[%s]:%d", inet_ntop(AF_INET6, &t.u.in6.sin6_addr, host, sizeof host),
		                  ntohs(t.u.in6.sin6_port));
	return files_text("%s:%d", inet_ntop(AF_INET, &t.u.in.sin_addr, host, sizeof host),
	                  ntohs(t.u.in.sin_port));
}

const char *client_port(int fd)
{
	const char *colon = strrchr(client_name(fd), ':');

	return colon ? colon + 1 : "0";
}

void client_send(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(fd, at + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			turn_until_ready(fd, POLLOUT);
		else
			ck_abort_msg("send, after %zu of %zu bytes: %m", sent, len);
	}
}

void client_say(int fd, const char *text)
{
	client_send(fd, text, strlen(text));
}

static void send_more(struct turn_hook *f, short revents)
{
	static const char much[65536];

	(void)revents;
	if (send(f->fd, much, sizeof much, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 && errno != EAGAIN)
		turn_remove(f);
}

void client_flood(struct turn_hook *f, int fd)
{
	*f = (struct turn_hook){ .fd = fd, .events = POLLOUT, .ready = send_more };
	turn_add(f);
}

void client_flood_end(struct turn_hook *f)
{
	turn_remove(f);
}

/* As read(2), and waits. */
static ssize_t receive_some(int fd, void *bytes, size_t len)
{
	ssize_t n;

	while ((n = recv(fd, bytes, len, MSG_DONTWAIT)) == -1 && errno == EAGAIN)
		turn_until_ready(fd, POLLIN);
	return n;
}

void client_receive(int fd, void *bytes, size_t len)
{
	char *at = bytes;

	for (size_t got = 0; got < len;) {
		ssize_t n = receive_some(fd, at + got, len - got);

		ck_assert_msg(n != -1, "receive, after %zu of %zu bytes: %m", got, len);
		ck_assert_msg(n != 0, "the end, after %zu of %zu bytes", got, len);
		got += (size_t)n;
	}
}

void client_expect(int fd, const char *text)
{
	size_t len = strlen(text);
	char *got = calloc(1, len + 1);

	client_receive(fd, got, len);
	ck_assert_str_eq(got, text);
	free(got);
}

void client_echo(int fd)
{
	client_say(fd, "are you there?\n");
	client_expect(fd, "are you there?\n");
}

int client_connect_echo(const char *address)
{
	int fd = client_connect(address);

	client_echo(fd);
	return fd;
}

void client_check_echo(const char *address)
{
	close(client_connect_echo(address));
}

void client_end(int fd)
{
	ck_assert_msg(shutdown(fd, SHUT_WR) == 0, "shutdown: %m");
}

void client_expect_end(int fd)
{
	char c;
	ssize_t n = receive_some(fd, &c, 1);

	ck_assert_msg(n != -1, "no end, but: %m");
	ck_assert_msg(n == 0, "no end, but a byte %#x", c);
}

/* Reads what there is. Returns 0 at the end, or the error that came instead. */
static int read_away(int fd)
{
	char bytes[4096];
	ssize_t n;

	while ((n = receive_some(fd, bytes, sizeof bytes)) > 0)
		;
	return n == 0 ? 0 : errno;
}

void client_expect_reset(int fd)
{
	int error = read_away(fd);

	if (error == 0) {
		/* It looks half closed: the next byte that we send is answered by a reset. */
		ck_assert_msg(send(fd, "x", 1, MSG_NOSIGNAL) == 1, "send: %m");
		turn_until_ready(fd, POLLHUP);
		error = send(fd, "x", 1, MSG_NOSIGNAL) == -1 ? errno : 0;
	}
	ck_assert_msg(error == ECONNRESET || error == EPIPE, "no reset, but: %s", strerror(error));
}

void client_expect_gone(int fd)
{
	int error = read_away(fd);

	ck_assert_msg(error == 0 || error == ECONNRESET, "neither end nor reset, but: %s",
	              strerror(error));
}

const char *client_read_line(int fd)
{
	char line[65536];
	size_t len = 0;

	do {
		ck_assert_uint_lt(len, sizeof line - 1);
		client_receive(fd, line + len, 1);
	} while (line[len++] != '\n');
	return files_text("%.*s", (int)len, line);
}

const char *client_read_all(int fd)
{
	char *text = calloc(1, READ_ALL_MAX + 1);
	size_t len = 0;
	ssize_t n;

	while ((n = receive_some(fd, text + len, READ_ALL_MAX - len)) > 0)
		len += (size_t)n;
	ck_assert_msg(n == 0, "receive, after %zu bytes: %m", len);
	ck_assert_uint_lt(len, READ_ALL_MAX);

	const char *kept = files_text("%s", text);

	free(text);
	return kept;
}

const char *client_ask(const char *address)
{
	int fd = client_connect(address);
	const char *answer = client_read_all(fd);

	close(fd);
	return answer;
}

void client_reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	close(fd);
}

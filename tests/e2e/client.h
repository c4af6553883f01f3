/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of the daemon: bytes sent and received exactly. Whatever does not
 * go as expected fails the test.
 */
#ifndef DROVER_E2E_CLIENT_H
#define DROVER_E2E_CLIENT_H

#include <stddef.h>
#include <sys/types.h>

#include "turn.h"

/*
 * Connects to an address as events have it: "127.0.0.1:80", "[::1]:80",
 * "unix:/path", "unix:@name"; "0.0.0.0:80" and "[::]:80" mean this machine.
 */
int client_connect(const char *address);

/* The same from one of our addresses, such as "127.0.0.2" or "::1": all of 127.0.0.0/8 are ours. */
int client_connect_from(const char *ip, const char *address);

/* As client_connect, with a receive buffer of that size (SO_RCVBUF), so that few bytes are in flight; 0: default. */
int client_connect_small(const char *address, int receive_buffer);

/* The same, but it may fail: -1 with errno. */
int client_try(const char *address);

/* Starts to connect: the descriptor becomes writable when that is done, or -1 with errno. */
int client_begin(const char *address);
int client_begin_from(const char *ip, const char *address);     /* NULL: from anywhere */

/* A socket of ours that listens on a free port of the loopback (its port), or on a unix path. */
int client_listen(const char **port);
int client_listen_unix(const char *path);

/* What the daemon calls our end: "127.0.0.1:40000", or "unix". */
const char *client_name(int fd);

/* The port in it; "0" if there is none. */
const char *client_port(int fd);

void client_send(int fd, const void *bytes, size_t len);
void client_say(int fd, const char *text);
/*
 * From now on sends whenever there is room, without reading what comes back,
 * until client_flood_end or the end of the connection. f is lent meanwhile.
 */
void client_flood(struct turn_hook *f, int fd);
void client_flood_end(struct turn_hook *f);

void client_receive(int fd, void *bytes, size_t len);

/* The next bytes are these. */
void client_expect(int fd, const char *text);

/* Sends a line to an echo service, and expects it back. */
void client_echo(int fd);

/* A connection to an echo service that serves it already: a line came back. */
int client_connect_echo(const char *address);

/* The same, and closes it. */
void client_check_echo(const char *address);

/* Shuts down our sending side. */
void client_end(int fd);

/* The end of what the daemon sends, with nothing before it. */
void client_expect_end(int fd);

/* The connection is reset, now or when something is sent. */
void client_expect_reset(int fd);

/* Reads up to the end or a reset; bytes before it do not matter. */
void client_expect_gone(int fd);

/* A line, with its newline. */
const char *client_read_line(int fd);

/* All bytes up to the end; a NUL byte ends the text earlier. */
const char *client_read_all(int fd);

/* Connects, says nothing, reads all. */
const char *client_ask(const char *address);

/* Closes with a reset. */
void client_reset(int fd);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client that is to be admitted says a line; one that is to be refused says nothing, so that the
 * connection is not reset before it has read what it is told.
 */
#include <config.h>
#include "limits_harness.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "operator.h"

#define LINE "hello\n"

static int connect_from(struct daemon *d, const char *from)
{
	const char *const address = daemon_address(d, "s", 0);

	return from ? client_connect_from(from, address) : client_connect(address);
}

int limits_admit(struct daemon *d, const char *from)
{
	int fd = connect_from(d, from);

	client_echo(fd);
	return fd;
}

void limits_refuse(struct daemon *d, const char *from, const char *text)
{
	int fd = connect_from(d, from);

	ck_assert_str_eq(client_read_all(fd), text);
	daemon_wait_for(d, "refused service=s peer=%s", client_name(fd));
	close(fd);
}

/* The line comes back, or something else, which is a refusal. */
static bool is_admitted(int fd)
{
	char first;

	(void)!send(fd, LINE, strlen(LINE), MSG_NOSIGNAL);
	turn_until_ready(fd, POLLIN);
	if (recv(fd, &first, 1, MSG_DONTWAIT) != 1 || first != LINE[0])
		return false;
	client_expect(fd, LINE + 1);
	return true;
}

int limits_admit_soon(struct daemon *d, const char *from)
{
	int fd;

	while (!is_admitted(fd = connect_from(d, from)))
		close(fd);
	return fd;
}

void limits_check_room(struct daemon *d, const char *from, size_t n)
{
	struct crowd all = { .address = daemon_address(d, "s", 0), .from = from, .n_clients = n,
	                     .refusal = FULL };

	crowd_start(&all);
	crowd_wait_inside(&all, n);
	limits_refuse(d, from, FULL);
	crowd_stop(&all);
}

void limits_leave(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static const char *sources(void)
{
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "sources", "s"), 0);
	return operator_output();
}

void limits_check_source(const char *source, int n)
{
	harness_contains(sources(), files_text("\"source\":\"%s\",\"connections\":%d,\"open\":%d,", source,
	                                       n, n));
}

void limits_wait_empty(void)
{
	while (!strstr(sources(), "\"sources\":[]") ||
	       !strstr(operator_output(), "\"nameless\":{\"sources\":0,\"connections\":0}"))
		;
}

long long limits_shown(const char *key)
{
	const char *const name = files_text("\"%s\":", key);
	const char *at;

	ck_assert_int_eq(operator_run_args(control_path(), "--json", "services"), 0);
	at = strstr(operator_output(), name);
	ck_assert_msg(at != NULL, "there is no %s in %s", name, operator_output());
	return atoll(at + strlen(name));
}

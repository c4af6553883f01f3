/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes one address from text. It connects only to choose one of several addresses of a host.
 */
#include <config.h>
#include "target.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"

#define COMPLAIN(...) snprintf(complaint, TARGET_COMPLAINT_MAX, __VA_ARGS__)

static enum target_outcome find_unix(const char *path, struct address *to, char *complaint)
{
	if (address_set_unix(to, path) == 0)
		return TARGET_FOUND;
	if (errno == ENAMETOOLONG)
		COMPLAIN("the path of a unix socket has at most %zu bytes", ADDRESS_UNIX_MAX);
	else
		COMPLAIN("\"unix:%.200s\" must be unix:/path or unix:@name", path);
	return TARGET_WRONG;
}

static bool answers(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const bool good = fd != -1 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0;

	fd_drop(fd);
	return good;
}

/* A single address is not tried. Of several, chooses the first that answers; if none does, the first. */
static const struct addrinfo *choose(const struct addrinfo *list)
{
	for (const struct addrinfo *ai = list; ai && list->ai_next; ai = ai->ai_next)
		if (answers(ai))
			return ai;
	return list;
}

static enum target_outcome find_host(const char *host, const char *port, bool numeric,
                                     struct address *to, char *complaint)
{
	const struct addrinfo hints = {
		.ai_family = numeric ? AF_INET6 : AF_UNSPEC, .ai_socktype = SOCK_STREAM,
		.ai_flags = numeric ? AI_NUMERICHOST : AI_ADDRCONFIG,
	};
	const struct addrinfo *best;
	struct addrinfo *list;
	int err = getaddrinfo(host, port, &hints, &list);

	if (err == EAI_SERVICE) {
		COMPLAIN("port \"%.60s\" is unknown (1 to 65535, or a name from services(5))", port);
		return TARGET_WRONG;
	}
	if (err && numeric) {
		COMPLAIN("\"%.60s\" is not an IPv6 address, and brackets are only for those", host);
		return TARGET_WRONG;
	}
	if (err) {
		COMPLAIN("%.200s: %s", host, err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
		return TARGET_UNKNOWN;
	}
	best = choose(list);
	*to = (struct address){ .len = best->ai_addrlen };
	memcpy(&to->u, best->ai_addr, best->ai_addrlen);
	freeaddrinfo(list);
	if (address_port(to) == 0) {
		COMPLAIN("nothing can connect to port 0 (1 to 65535, or a name from services(5))");
		return TARGET_WRONG;
	}
	return TARGET_FOUND;
}

static bool is_out_of_range(const char *port)
{
	return strspn(port, "0123456789") == strlen(port) &&
	       (strlen(port) > 5 || strtoul(port, NULL, 10) > UINT16_MAX);
}

enum target_outcome target_find(const char *text, struct address *to,
                                char complaint[static TARGET_COMPLAINT_MAX])
{
	char copy[NI_MAXHOST + NI_MAXSERV], *colon, *port;
	const bool bracketed = text[0] == '[';

	if (strncmp(text, "unix:", 5) == 0)
		return find_unix(text + 5, to, complaint);
	snprintf(copy, sizeof copy, "%s", text);
	colon = bracketed ? strstr(copy, "]:") : strrchr(copy, ':');
	if (!colon || colon == copy || strlen(text) >= sizeof copy) {
		COMPLAIN("\"%.200s\" is not an address (HOST:PORT, [IPV6]:PORT, unix:/path, unix:@name)",
		         text);
		return TARGET_WRONG;
	}
	port = colon + 1 + bracketed;
	*colon = '\0';
	if (!bracketed && strchr(copy, ':')) {
		COMPLAIN("\"%.200s\" is ambiguous (an IPv6 address stands in brackets, as in [::1]:80)",
		         text);
		return TARGET_WRONG;
	}
	if (is_out_of_range(port)) {
		COMPLAIN("port \"%.60s\" is unknown (1 to 65535, or a name from services(5))", port);
		return TARGET_WRONG;
	}
	return find_host(copy + bracketed, port, bracketed, to, complaint);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads numeric addresses and paths of sockets.
 */
#include <config.h>
#include "lua_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

static const char *parse_unix(const char *path, struct sockaddr_un *sun, socklen_t *len)
{
	size_t n = strlen(path);

	if (*path != '/' && *path != '@')
		return "has no absolute path after unix:";
	if (n >= sizeof sun->sun_path)
		return "has a path that is too long";
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, n + 1);
	*len = sizeof *sun;
	if (*path == '@') {
		sun->sun_path[0] = '\0';
		*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	}
	return NULL;
}

const char *lua_address_parse(const char *host, int64_t port, struct sockaddr_storage *address,
                              socklen_t *len)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)address;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof *address);
	if (strncmp(host, "unix:", 5) == 0)
		return parse_unix(host + 5, (struct sockaddr_un *)address, len);
	if (inet_pton(AF_INET, host, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons((uint16_t)port);
		*len = sizeof *sin;
	} else if (inet_pton(AF_INET6, host, &sin6->sin6_addr) == 1) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons((uint16_t)port);
		*len = sizeof *sin6;
	} else {
		return "is no address in numbers, and names are not looked up, because that would stop the worker";
	}
	return port < 1 || port > 65535 ? "needs a port from 1 to 65535" : NULL;
}

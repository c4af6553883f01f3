/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes and reads the ids of connections.
 */
#include <config.h>
#include "connection_id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Without printf(3): a worker may do this for each connection. */
const char *connection_id_format(pid_t worker, uint64_t number, char buf[static CONNECTION_ID_MAX])
{
	struct text t = text_in(buf, CONNECTION_ID_MAX);

	text_add_number(&t, (uint64_t)worker);
	text_add_string(&t, "-");
	text_add_number(&t, number);
	return buf;
}

bool connection_id_parse(const char *text, pid_t *worker, uint64_t *number)
{
	char *dash, *end;
	long pid;

	if (strspn(text, "0123456789-") != strlen(text) || *text == '-')
		return false;
	errno = 0;
	pid = strtol(text, &dash, 10);
	if (*dash != '-' || dash[1] == '\0' || dash[1] == '-' || pid <= 0 || pid > INT32_MAX)
		return false;
	*worker = (pid_t)pid;
	*number = strtoull(dash + 1, &end, 10);
	return *end == '\0' && errno == 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines to the control socket, and lines from it.
 */
#include <config.h>
#include "control_harness.h"

#include <string.h>
#include <unistd.h>

const char *control_path(void)
{
	return files_path("control.sock");
}

int control_connect(void)
{
	return client_connect(files_text("unix:%s", control_path()));
}

void control_say(int fd, const char *line)
{
	client_say(fd, files_text("%s\n", line));
}

const char *control_expect(int fd, const char *part)
{
	const char *answer = client_read_line(fd);

	ck_assert_msg(strstr(answer, part) != NULL, "%s is not in %s", part, answer);
	return answer;
}

const char *control_ask(const char *line, const char *part)
{
	int fd = control_connect();
	const char *answer;

	control_say(fd, line);
	answer = control_expect(fd, part);
	close(fd);
	return answer;
}

void control_check_health(struct daemon *d)
{
	int fd = daemon_connect_echo(d, "s");

	control_ask("{\"command\":\"status\"}", "\"phase\":\"serving\"");
	control_ask("{\"command\":\"reload\"}", "{\"ok\":true,\"result\":{\"generation\":");
	client_echo(fd);
	close(fd);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes configurations with modules, and checks what their clients get.
 */
#include <config.h>
#include "module_harness.h"

#include <stdio.h>
#include <unistd.h>

#define LOAN_PERIOD 251                 /* of the bytes that the probe lends */

const char *module_built(const char *name)
{
	return process_built(files_text("tests/modules/%s.so", name));
}

const char *module_copy(const char *name, const char *as)
{
	const char *new = files_path("new.so"), *path = files_path(as);

	process_must("cp", module_built(name), new);
	ck_assert_int_eq(rename(new, path), 0);
	return path;
}

const char *module_events(void)
{
	return files_text("events = \"%s\";", files_path("events-0"));
}

const char *module_probe_at(const char *path, const char *options, const char *rest)
{
	return files_text(SERVICES(MODULE("s", "%s %s", ONE_WORKER "%s")), path, module_events(), options, rest);
}

void module_start(const char *options, const char *rest)
{
	daemon_start(&d, "%s", module_probe_at(module_built("probe"), options, rest));
}

int module_say(const char *line)
{
	const int fd = daemon_connect(&d, "s");

	client_say(fd, line);
	return fd;
}

void module_ask(int fd, const char *line, const char *answer)
{
	client_say(fd, line);
	client_expect(fd, answer);
}

const struct event *module_wait_for(const char *words)
{
	return daemon_wait_for(&d, "probe %s", words);
}

void module_check_loan(int fd, size_t from, size_t len)
{
	static unsigned char bytes[1u << 16];

	for (size_t done = 0, n; done < len; done += n) {
		n = len - done < sizeof bytes ? len - done : sizeof bytes;
		client_receive(fd, bytes, n);
		for (size_t i = 0; i < n; i++)
			if (bytes[i] != (from + done + i) % LOAN_PERIOD)
				ck_abort_msg("byte %zu is %d", from + done + i, bytes[i]);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A module that may block: it answers each piece of bytes with what it can read from the FIFO that its
 * option names, and waits for that.
 */
#include <drover/module.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const struct drover_server *drover;
static char path[256];

static int take_path(struct drover_config *config)
{
	struct drover_value v = { .size = sizeof v };

	if (config->find(config, NULL, "fifo", DROVER_TEXT, &v))
		snprintf(path, sizeof path, "%s", v.text);
	return 0;
}

static int blocking_worker_start(struct drover_worker *w, struct drover_config *config)
{
	(void)w;
	return take_path(config);
}

static ptrdiff_t blocking_data(struct drover_connection *c, const char *bytes, size_t len)
{
	const int fd = open(path, O_RDONLY);
	char answer[64];
	const ssize_t n = read(fd, answer, sizeof answer);

	(void)bytes;
	close(fd);
	drover->write(c, answer, n > 0 ? (size_t)n : 0);
	return (ptrdiff_t)len;
}

const struct drover_module drover_module_v1 = {
	DROVER_MODULE("blocking", "1"),
	.flags = DROVER_BLOCKING,
	.server = &drover,
	.configure = take_path,
	.worker_start = blocking_worker_start,
	.data = blocking_data,
};

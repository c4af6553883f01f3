/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The source of abi-v1-x86_64.so, which is in the repository as it was built for version 1.0 of the
 * interface, and stays as it is: every later drover must run it. It was made by
 *
 *     gcc -O2 -shared -fPIC -s -I include -o tests/modules/abi-v1-x86_64.so tests/modules/abi_v1.c
 */
#include <drover/module.h>

static const struct drover_server *drover;
static char greeting[32] = "none";

static int abi_configure(struct drover_config *config)
{
	struct drover_value v = { .size = sizeof v };

	return config->find(config, 0, "greeting", DROVER_TEXT, &v) && v.text[0] ? 0 : -1;
}

static int abi_worker_start(struct drover_worker *w, struct drover_config *config)
{
	struct drover_value v = { .size = sizeof v };
	unsigned i = 0;

	(void)w;
	if (config->find(config, 0, "greeting", DROVER_TEXT, &v))
		for (; v.text[i] && i < sizeof greeting - 2; i++)
			greeting[i] = v.text[i];
	greeting[i] = '\n';
	greeting[i + 1] = '\0';
	return 0;
}

static int abi_open(struct drover_connection *c)
{
	unsigned n = 0;

	while (greeting[n])
		n++;
	drover->set_pointer(c, greeting);
	drover->write(c, greeting, n);
	return drover->frame(c, "line");
}

static int abi_request(struct drover_connection *c, const char *bytes, size_t len)
{
	const int result = drover->pointer(c) == greeting ? drover->reply(c, bytes, len) : -1;

	if (len == 4 && bytes[0] == 'q')
		drover->finish(c);
	return result;
}

const struct drover_module drover_module_v1 = {
	DROVER_MODULE("abi", "1.0"),
	.server = &drover,
	.configure = abi_configure,
	.worker_start = abi_worker_start,
	.open = abi_open,
	.request = abi_request,
};

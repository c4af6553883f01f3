// SPDX-License-Identifier: GPL-3.0-or-later
//
// A module in C++. It has members of its own for each connection, and says the length of each request.
//
#include <drover/module.h>

#include <cstdio>

namespace {

const drover_server *drover;

struct client {
	unsigned n_requests = 0;
};

int open(drover_connection *c)
{
	drover->set_pointer(c, new client);
	return drover->frame(c, "line");
}

int request(drover_connection *c, const char *, size_t len)
{
	client *k = static_cast<client *>(drover->pointer(c));
	char text[64];
	const int n = std::snprintf(text, sizeof text, "%u: %zu", ++k->n_requests, len);

	return drover->reply(c, text, static_cast<size_t>(n));
}

void close(drover_connection *c, int)
{
	delete static_cast<client *>(drover->pointer(c));
}

drover_module describe()
{
	drover_module m = {};

	m.magic = DROVER_MODULE_MAGIC;
	m.abi_major = DROVER_ABI_MAJOR;
	m.abi_minor = DROVER_ABI_MINOR;
	m.size = sizeof m;
	m.name = "cxx";
	m.version = "1";
	m.server = &drover;
	m.open = open;
	m.request = request;
	m.close = close;
	return m;
}

}

const drover_module drover_module_v1 = describe();

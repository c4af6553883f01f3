/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of a test, as a module sees them.
 */
#ifndef DROVER_TESTS_MODULE_HOST_CONFIG_H
#define DROVER_TESTS_MODULE_HOST_CONFIG_H

#include "module_host.h"

/* The configuration that a callback looks at. */
struct module_host_config {
	struct drover_config             config;        /* first */
	const struct module_host_option *options;
	struct buffer                   *complaints;    /* lent: lines are added to it */
	bool                             has_complained;
	uint64_t                         asked;         /* a bit for each option that was found */
};

struct module_host_config module_host_look(const struct module_host_option *options, struct buffer *complaints);

/* Whether the module has asked for each option that is there. */
bool module_host_asked_all(const struct module_host_config *c);

#endif

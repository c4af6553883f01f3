/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A module that knows every option, whatever it is called, and does nothing.
 */
#include <drover/module.h>

static void ask_for_all(struct drover_config *config, const struct drover_option *in)
{
	struct drover_value v = { .size = sizeof v };

	for (size_t i = 0; config->member(config, in, i, &v); i++)
		if (v.n > 0)
			ask_for_all(config, v.option);
}

static int any_configure(struct drover_config *config)
{
	ask_for_all(config, NULL);
	return 0;
}

const struct drover_module drover_module_v1 = {
	DROVER_MODULE("any", "1"),
	.configure = any_configure,
};

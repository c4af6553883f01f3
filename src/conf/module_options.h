/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shows the options of a service to its module: makes the struct drover_config of <drover/module.h>
 * from a tree of options, and notes for which of them the module has asked.
 */
#ifndef DROVER_CONF_MODULE_OPTIONS_H
#define DROVER_CONF_MODULE_OPTIONS_H

#include <drover/module.h>
#include <stdbool.h>

#include "conf.h"

struct module_options {
	struct drover_config       config;      /* what the module gets; must be first */
	const struct conf_module  *module;
	bool                      *asked;       /* for each option of the tree; NULL: not noted */
	/* The module says that something is wrong with an option. */
	void                     (*complain)(void *arg, const struct conf_option *o, const char *text);
	void                      *arg;
	unsigned                   n_complaints;
};

/* The caller has set module, asked, complain and arg; sets the rest. service is lent. */
void module_options_init(struct module_options *m, const char *service);

/* Complains of every option for which the module has not asked, but not of what is inside such a one. */
void module_options_judge_unasked(struct module_options *m);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A service whose keys have been taken, before it is checked as a whole: what its checks
 * share, which is to find the setting that a complaint belongs to.
 */
#ifndef DROVER_CONF_CONF_DRAFT_H
#define DROVER_CONF_CONF_DRAFT_H

#include "conf_path.h"
#include "conf_source.h"

/* The service, and the settings that its keys came from. */
struct conf_draft {
	struct conf_service *service;
	config_setting_t    *own;
	config_setting_t    *defaults;  /* NULL: none */
};

/* The setting that the service got a key from, as "handler.argv"; the service itself if there is none. */
config_setting_t *conf_draft_origin(const struct conf_draft *d, const char *path);

/*
 * Says what is wrong with a path that a service needs, or warns that it could not be judged.
 * The complaint at `where` begins with `what` and the path, as the service's processes see it
 * in chroot (NULL: none).
 */
void conf_draft_tell(struct conf_loader *ld, const config_setting_t *where, const char *chroot,
                     struct conf_path_verdict v, const char *what, const char *path);

#endif

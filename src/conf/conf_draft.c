/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding the setting of a key in a service or in `defaults`, and telling of paths.
 */
#include <config.h>
#include "conf_draft.h"

#include <unistd.h>

#include "conf_sandbox.h"

config_setting_t *conf_draft_origin(const struct conf_draft *d, const char *path)
{
	config_setting_t *found = config_setting_lookup(d->own, path);

	if (!found && d->defaults)
		found = config_setting_lookup(d->defaults, path);
	return found ? found : d->own;
}

void conf_draft_tell(struct conf_loader *ld, const config_setting_t *where, const char *chroot,
                     struct conf_path_verdict v, const char *what, const char *path)
{
	char hint[SANDBOX_PATHS_HINT_MAX];
	const char *in = chroot ? " in " : "";
	const char *root = chroot ? chroot : "";

	if (v.wrong) {
		conf_source_complain(ld, where, "%s %s%s%s: %s%s", what, path, in, root, v.wrong,
		                     conf_sandbox_hint(chroot ? chroot : path, hint));
		conf_errors_mark_file(&ld->errors, v.error);
	} else if (v.unseen && geteuid() != 0) {
		conf_source_warn(ld, where, "names %s%s%s, which could not be judged (%s)", path,
		                 in, root, v.unseen);
	}
}

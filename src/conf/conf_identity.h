/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Users and groups: names looked up once, when the configuration is loaded.
 */
#ifndef DROVER_CONF_CONF_IDENTITY_H
#define DROVER_CONF_CONF_IDENTITY_H

#include "conf_source.h"

/*
 * Before user and group are taken from a group of settings (NULL: nothing is):
 * notes their places. A user alone means that user's primary group, whatever
 * was said outside.
 */
void conf_identity_enter(struct conf_identity *id, const config_setting_t *outer);

/*
 * Fills ids, supplementary groups, home and shell from the names in id.
 * Complains of what is not known.
 */
void conf_identity_resolve(struct conf_loader *ld, struct conf_identity *id);

/* The id of a name, or of a string of digits. Complains at place and returns false. */
bool conf_identity_find_user(struct conf_loader *ld, struct conf_place place,
                             const char *name, uid_t *uid);
bool conf_identity_find_group(struct conf_loader *ld, struct conf_place place,
                              const char *name, gid_t *gid);

/*
 * What the error of a look-up in passwd(5) and the like means, as getpwnam(3) has it:
 * true if there is no such entry, false if that is not known now.
 */
bool conf_identity_is_unknown(int error);

#endif

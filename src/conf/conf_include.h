/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The other files of a configuration: what `include` names.
 */
#ifndef DROVER_CONF_CONF_INCLUDE_H
#define DROVER_CONF_CONF_INCLUDE_H

#include "conf_source.h"

/*
 * Reads the files that conf->include names, relative to conf->file. Complains
 * at place of what cannot be read, and of more than CONF_NAMES_MAX, CONF_FILES_MAX
 * and CONF_TEXT_MAX (conf.h): what is beyond them is not looked at. Fills files_read and files_passed.
 */
void conf_include_read(struct conf_loader *ld, struct conf_place place);

#endif

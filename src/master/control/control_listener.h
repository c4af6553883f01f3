/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket in the file system: it is opened, recognised, changed and removed here.
 */
#ifndef DROVER_MASTER_CONTROL_CONTROL_LISTENER_H
#define DROVER_MASTER_CONTROL_CONTROL_LISTENER_H

#include <stdbool.h>

#include "conf.h"
#include "listener.h"

struct control_listener {
	struct address       address;
	struct listener_file file;
	int                  fd;        /* listens; -1: there is none */
};

struct control_listener_error {
	char text[512];                 /* "FILE:LINE: what is wrong" */
	int  exit_code;                 /* sysexits.h */
};

/* Whether one is to be opened: the default path only where its folder is. */
bool control_listener_is_wanted(const struct conf_control *conf);

/* Opens the socket that conf names; never has it other rights. -1 with *e filled. */
int control_listener_open(struct control_listener *l, const struct conf_control *conf,
                          struct control_listener_error *e);

/* Closes it and removes its file, if that is still ours. One that is closed is fine. */
void control_listener_close(struct control_listener *l);

/* Whether it is the one that conf names, and can still be found there. */
bool control_listener_is_in_place(const struct control_listener *l, const struct conf_control *conf);

/* Mode and group, in place. -1 with errno. */
int control_listener_adjust(const struct control_listener *l, const struct conf_control *conf);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens, recognises, changes and removes the control socket in the file system. It does not know
 * the clients.
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

/* False if conf has the default path, and the folder of that is not there: nothing is opened then. */
bool control_listener_is_wanted(const struct conf_control *conf);

/* Opens the socket that conf names; at no time has it other permissions. -1 with *e filled. */
int control_listener_open(struct control_listener *l, const struct conf_control *conf,
                          struct control_listener_error *e);

/* Closes it and removes its file, if that is still ours. Does nothing if it is closed. */
void control_listener_close(struct control_listener *l);

/* Whether it is the one that conf names, and can still be found there. */
bool control_listener_is_in_place(const struct control_listener *l, const struct conf_control *conf);

/* Sets mode and group of the open socket as in conf. -1 with errno. */
int control_listener_adjust(const struct control_listener *l, const struct conf_control *conf);

#endif

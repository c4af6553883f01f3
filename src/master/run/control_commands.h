/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Carries out the commands of the control socket. control.c has read the request and knows no command.
 */
#ifndef DROVER_MASTER_CONTROL_COMMANDS_H
#define DROVER_MASTER_CONTROL_COMMANDS_H

#include "control_access.h"
#include "control_client.h"

/* For struct control_owner; arg is the struct master. */
void control_commands_run(void *arg, struct control_client *c, struct control_request *r,
                          enum control_access access, const struct ucred *peer);
void control_commands_forget(void *arg, struct control_client *c);

#endif

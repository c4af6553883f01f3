/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints the result of a command: for people, or as JSON for programs. It does not know where it
 * came from.
 */
#ifndef DROVER_DROVERCTL_SHOW_H
#define DROVER_DROVERCTL_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes the result of that request to out. False, and writes nothing, if it is not understood. */
typedef bool show_function(const json_t *request, const json_t *result, FILE *out);

show_function show_status, show_services, show_workers, show_connections, show_sources, show_crashes,
              show_blocked, show_certificates, show_metrics;
show_function show_reload, show_upgrade, show_stop, show_reopen_logs, show_scale, show_drain, show_resume,
	show_kick, show_unblock, show_check, show_version;

/* Writes JSON for programs, in one line; with pretty, in several for people. All of it is ASCII. */
void show_json(const json_t *value, bool pretty, FILE *out);

/* Writes each line of a message of the server, made printable, after "droverctl: ". */
void show_message(const json_t *message, FILE *out);

#endif

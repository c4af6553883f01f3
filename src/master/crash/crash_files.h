/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Crash reports as files: STATE_DIR/crashes/NAME.json, readable by the
 * owner alone, because they may hold what clients have sent. All functions may wait for the
 * disk: they are for children of the master.
 */
#ifndef DROVER_MASTER_CRASH_CRASH_FILES_H
#define DROVER_MASTER_CRASH_CRASH_FILES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#define CRASH_FILES_MAX  100            /* reports that are kept */
#define CRASH_FILES_DAYS 30             /* and for how long */
#define CRASH_NAME_MAX   128

/* "20261122T155001.123Z-echo-812": sorted by name, reports are in the order of time. Returns buf. */
const char *crash_files_name(const struct timespec *when, const char *service, pid_t pid,
                             char buf[static CRASH_NAME_MAX]);

/* True if it can be the name of a report, which never leads out of the folder. */
bool crash_files_is_name(const char *name);

/* Removes reports that are too old or too many, and writes one. 0, or an errno. */
int crash_files_write(const char *state_dir, const char *name, const json_t *report);

struct crash_names {
	size_t n;
	char **all;                     /* the oldest first */
};

/* The names of all reports; none if they cannot be read. */
struct crash_names crash_files_list(const char *state_dir);
void crash_files_free(struct crash_names *names);

/* The report of that name, an object; NULL if there is none, or if it is not complete. */
json_t *crash_files_read(const char *state_dir, const char *name);

#endif

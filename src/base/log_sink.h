/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The target of a log: standard error, syslog, the journal or a file.
 *
 * No call here waits except log_sink_pass. A line that the target does not take at once is
 * dropped; when the target takes lines again, the first one says how many were dropped, and why.
 * If only a part of a line went through, or the file was full, that line begins with a newline,
 * so that it does not become the end of another line.
 */
#ifndef DROVER_BASE_LOG_SINK_H
#define DROVER_BASE_LOG_SINK_H

#include <stddef.h>

#include "log.h"

#define LOG_BODY_MAX (LOG_LINE_MAX - 128)       /* what comes before and after it always fits */

/*
 * Opens a target (not NONE); path is for FILE alone, and is copied. Files are
 * created with mode 0640 and appended to. NULL with errno; ENXIO: a FIFO
 * without a reader.
 */
struct log_sink *log_sink_open(enum log_target target, const char *path, enum log_format format);

/* Closes *sp and sets it to NULL; NULL is fine. */
void log_sink_close(struct log_sink **sp);

/*
 * One line: body has no newline and is shorter than LOG_BODY_MAX. Time and what else the target wants are put
 * before it. In JSON, body is the members of an object, without the braces.
 */
void log_sink_put(struct log_sink *s, enum log_level level, const char *body);

/*
 * Lines that another process has made for this target: each is shorter than LOG_LINE_MAX and
 * has its newline. Those that do not go through are counted as any others are.
 * This one waits: for a disk, and a moment for the reader of a pipe. It is for the log process.
 */
void log_sink_pass(struct log_sink *s, const char *lines, size_t len);

/* Lines of s are fields, and so is the one about dropped lines. */
void log_sink_hold_fields(struct log_sink *s);

enum log_format log_sink_format(const struct log_sink *s);

/* True where level and pid must be in the text: journal and syslog know them by themselves. */
bool log_sink_is_bare(const struct log_sink *s);

/* The descriptor lines are written to (lent), e.g. to keep it open or to hand it to a worker. */
int log_sink_fd(const struct log_sink *s);

/* A descriptor of the target opened afresh, for a renamed file: given to the caller; -1 with errno. */
int log_sink_open_again(const struct log_sink *s);

/* From now on s writes to fd, which it takes. */
void log_sink_switch(struct log_sink *s, int fd);

/*
 * True if a process that has its descriptor could do more than add a line: truncate a file, or
 * type into a terminal. Such a target is not for a process that a client can take over. NULL,
 * no target: false.
 */
bool log_sink_is_delicate(const struct log_sink *s);

bool log_sink_is_standard_error(const struct log_sink *s);

/*
 * From now on s writes to a pipe, which it takes, with O_NONBLOCK, and out of which another
 * process writes to the target (log_sink_pass). For a copy of s in a child.
 */
void log_sink_divert(struct log_sink *s, int pipe);

#endif

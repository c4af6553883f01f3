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

/* The path of the socket of syslog or of the journal; NULL for other targets. */
const char *log_sink_socket(enum log_target target);

/* Closes *sp and sets it to NULL; NULL is fine. */
void log_sink_close(struct log_sink **sp);

/*
 * Writes one line. body has no newline and is shorter than LOG_BODY_MAX; the time and what else
 * the target needs are put before it. In JSON, body is the members of an object, without the braces.
 * The journal also gets what the line is about, which may be NULL.
 */
void log_sink_put(struct log_sink *s, enum log_level level, const struct log_fields *about,
                  const char *body);

/*
 * Writes lines that another process has made for this target: each is shorter than LOG_LINE_MAX
 * and has its newline. Lines that the target does not take are counted as dropped. This function
 * waits: for a disk, and a moment for the reader of a pipe. It is for the log process.
 */
void log_sink_pass(struct log_sink *s, const char *lines, size_t len);

/* Says that lines of s are fields: then the line about dropped lines is written as fields, too. */
void log_sink_hold_fields(struct log_sink *s);

enum log_format log_sink_format(const struct log_sink *s);

/* True where level and pid must be in the text: the journal and syslog know them already. */
bool log_sink_is_bare(const struct log_sink *s);

/* The file, lent; NULL: it is none. */
const char *log_sink_path(const struct log_sink *s);

/* The descriptor lines are written to (lent), e.g. to keep it open or to hand it to a worker. */
int log_sink_fd(const struct log_sink *s);

/* Opens the target once more, for a renamed file. The descriptor is given to the caller; -1 with errno. */
int log_sink_open_again(const struct log_sink *s);

/* From now on s writes to fd, which it takes. */
void log_sink_switch(struct log_sink *s, int fd);

/*
 * True if a process that has its descriptor could do more than add a line: truncate a file, or
 * type into a terminal. A process that a client may take over must not have such a target. False
 * for NULL, which is no target.
 */
bool log_sink_is_delicate(const struct log_sink *s);

bool log_sink_is_standard_error(const struct log_sink *s);

/*
 * From now on s writes to pipe, which it takes and which has O_NONBLOCK; another process reads
 * the pipe and writes to the target (log_sink_pass). For a copy of s in a child.
 */
void log_sink_divert(struct log_sink *s, int pipe);

#endif

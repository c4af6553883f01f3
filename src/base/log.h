/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server's log about itself: one line for each event. Logging never waits: a line that the
 * target does not take at once is dropped, and the number of dropped lines is logged when the
 * target takes lines again (log_sink.h).
 */
#ifndef DROVER_BASE_LOG_H
#define DROVER_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

#include "log_fields.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
	LOG_FORMAT_PLAIN,               /* "droverd: ...": for the person who started it, not for a file */
	LOG_FORMAT_TEMPLATE,            /* access_log only: nothing comes before what the template says */
};
enum log_target {
	LOG_TARGET_NONE,                /* no such log */
	LOG_TARGET_STDERR,
	LOG_TARGET_SYSLOG,
	LOG_TARGET_JOURNAL,
	LOG_TARGET_FILE,
};

#define LOG_LINE_MAX 2048               /* bytes of one line, with its newline */

struct log_sink;

/*
 * From now on lines go to sink (lent; NULL: plain lines to standard error)
 * unless they are less important than level.
 */
void log_use(struct log_sink *sink, enum log_level level);

bool log_wants(enum log_level level);

/* One line; %m is the text of errno, which is left as it was. */
void log_line(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The same, with what the line is about; as in
 * log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_READY), "ready").
 */
void log_about(enum log_level level, const struct log_fields *about, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_err(...)    log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)   log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)   log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)  do { \
		if (log_wants(LOG_LEVEL_DEBUG)) \
			log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)

const char *log_target_name(enum log_target target);

#endif

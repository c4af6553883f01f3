/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server's own log: drops lines below the level, and formats the others. log_sink.c knows
 * where they go.
 */
#include <config.h>
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log_sink.h"
#include "text.h"

static struct {
	struct log_sink *sink;
	enum log_level   level;
} current = { .level = LOG_LEVEL_INFO };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static const char *const target_names[] = {
	[LOG_TARGET_NONE] = "none",
	[LOG_TARGET_STDERR] = "stderr",
	[LOG_TARGET_SYSLOG] = "syslog",
	[LOG_TARGET_JOURNAL] = "journal",
	[LOG_TARGET_FILE] = "file",
};

void log_use(struct log_sink *sink, enum log_level level)
{
	current.sink = sink;
	current.level = level;
}

bool log_wants(enum log_level level)
{
	return level <= current.level;
}

const char *log_target_name(enum log_target target)
{
	return target_names[target];
}

static void put_line(enum log_level level, const struct log_fields *about, const char *message)
{
	struct log_sink *s = current.sink;
	char buf[LOG_BODY_MAX];
	struct text t = text_in(buf, sizeof buf - 1);
	const char *name = level_names[level];

	if (s && log_sink_format(s) == LOG_FORMAT_JSON) {
		text_add(&t, "\"level\":\"%s\",\"pid\":%d,", name, (int)getpid());
		log_fields_add_json(&t, about);
		text_add_string(&t, "\"message\":\"");
		text_add_json(&t, message, strlen(message));
		t.size++;       /* however long the message was, the quote fits */
		text_add(&t, "\"");
	} else {
		if (s && log_sink_is_bare(s))
			text_add(&t, "%s %d ", name, (int)getpid());
		text_add_safe(&t, message, strlen(message));
	}
	if (s)
		log_sink_put(s, level, about, buf);
	else
		fprintf(stderr, "droverd: %s\n", buf);
}

static void put_format(enum log_level level, const struct log_fields *about, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void put_format(enum log_level level, const struct log_fields *about, const char *format, va_list ap)
{
	int saved = errno;
	char message[LOG_LINE_MAX];
	struct text t = text_in(message, sizeof message);

	if (!log_wants(level))
		return;
	text_vadd(&t, format, ap);
	put_line(level, about, message);
	errno = saved;
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put_format(level, NULL, format, ap);
	va_end(ap);
}

void log_about(enum log_level level, const struct log_fields *about, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put_format(level, about, format, ap);
	va_end(ap);
}

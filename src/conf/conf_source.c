/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parses files into settings, and finds the place in a file that a setting came from.
 */
#include <config.h>
#include "conf_source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_file.h"
#include "conf_scan.h"
#include "conf_syntax.h"

static void append(struct conf_loader *ld, struct conf_source *source)
{
	if (ld->last)
		ld->last->next = source;
	else
		ld->sources = source;
	ld->last = source;
}

static int count_lines(const char *text)
{
	int n = 0;

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		n++;
	return n;
}

/* libconfig finds what is missing at the end on a line that is not there. */
static void complain_of_syntax(struct conf_loader *ld, const struct conf_source *source,
                               int n_lines)
{
	const int line = config_error_line(&source->tree);
	const struct conf_place place = { source->path, line < n_lines ? line : n_lines };
	const char *what = config_error_text(&source->tree);

	conf_errors_at(&ld->errors, place, "%s%s", what,
	               strncmp(what, "duplicate", 9) == 0 ? " (each once in its group)" : "");
}

/* The parser knows no byte order mark. */
static void remove_byte_order_mark(char *text)
{
	char *behind = conf_file_skip_mark(text);

	memmove(text, behind, strlen(behind) + 1);
}

/* Takes text, which has room for one byte more. */
static struct conf_source *parse(struct conf_loader *ld, const char *path, char *text)
{
	struct conf_source *source = calloc(1, sizeof *source);
	const int n_lines = count_lines(text);

	if (!source)
		abort();
	source->path = conf_loader_strdup(ld, path);
	config_init(&source->tree);
	append(ld, source);
	remove_byte_order_mark(text);
	if (conf_scan(&ld->errors, source->path, text) &&
	    conf_syntax_check(&ld->errors, source->path, text)) {
		/* A comment in the last line needs its newline. */
		memcpy(text + strlen(text), "\n", sizeof "\n");
		source->parsed = config_read_string(&source->tree, text);
		if (!source->parsed)
			complain_of_syntax(ld, source, n_lines);
	}
	free(text);
	return source->parsed ? source : NULL;
}

struct conf_source *conf_source_read(struct conf_loader *ld, const char *path,
                                     struct conf_place place)
{
	size_t len;
	char *text = conf_file_read(ld, path, place, CONF_FILE_MAX, &len);

	if (!text)
		return NULL;
	ld->text_len += len;
	return parse(ld, path, text);
}

struct conf_source *conf_source_parse(struct conf_loader *ld, const char *path,
                                      const char *text)
{
	size_t len = strlen(text);
	char *copy = calloc(1, len + 2);

	if (!copy)
		abort();
	memcpy(copy, text, len);
	return parse(ld, path, copy);
}

void conf_source_close_all(struct conf_loader *ld)
{
	struct conf_source *next;

	for (; ld->sources; ld->sources = next) {
		next = ld->sources->next;
		config_destroy(&ld->sources->tree);
		free(ld->sources);
	}
	ld->last = NULL;
}

struct conf_place conf_source_place(const config_setting_t *setting)
{
	const struct conf_source *source = (const void *)setting->config;

	return (struct conf_place){ source->path, (int)config_setting_source_line(setting) };
}

/* "services.echo.workers"; an item of a list goes by the name of its list. */
static void add_name(const config_setting_t *setting, char *buf, size_t size)
{
	const config_setting_t *parent = config_setting_parent(setting);
	size_t len;

	if (!parent)
		return;
	add_name(parent, buf, size);
	if (!config_setting_name(setting))
		return;
	len = strlen(buf);
	snprintf(buf + len, size - len, "%s%s", len ? "." : "", config_setting_name(setting));
}

void conf_source_full_name(const config_setting_t *setting, char *buf, size_t size)
{
	buf[0] = '\0';
	add_name(setting, buf, size);
}

#define TEXT_MAX (CONF_SOURCE_NAME_MAX + 512)

/* The full name of a setting, a blank, and the text; lent as buf is. */
static const char *write_text(const config_setting_t *setting, const char *format, va_list ap,
                              char buf[static TEXT_MAX])
{
	size_t len;

	conf_source_full_name(setting, buf, CONF_SOURCE_NAME_MAX);
	len = strlen(buf);
	buf[len++] = ' ';
	vsnprintf(buf + len, TEXT_MAX - len, format, ap);
	return buf;
}

void conf_source_complain(struct conf_loader *ld, const config_setting_t *setting,
                          const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	conf_errors_at(&ld->errors, conf_source_place(setting), "%s",
	               write_text(setting, format, ap, text));
	va_end(ap);
}

void conf_source_warn(struct conf_loader *ld, const config_setting_t *setting,
                      const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	conf_errors_warn(&ld->errors, conf_source_place(setting), "%s",
	                 write_text(setting, format, ap, text));
	va_end(ap);
}

config_setting_t *conf_source_item(const config_setting_t *setting, int i)
{
	return config_setting_get_elem(setting, (unsigned)i);
}

config_setting_t *conf_source_member(const config_setting_t *group, const char *name)
{
	if (!group || !config_setting_is_group(group))
		return NULL;
	return config_setting_get_member(group, name);
}

struct conf_place conf_source_place_of(const config_setting_t *group, const char *name)
{
	const config_setting_t *setting = conf_source_member(group, name);

	return conf_source_place(setting ? setting : group);
}

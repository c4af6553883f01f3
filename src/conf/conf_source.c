/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads files into settings, and finds the place in a file that a setting came from.
 */
#include <config.h>
#include "conf_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_scan.h"
#include "conf_syntax.h"
#include "conf_trust.h"

#define PATH_TEXT_MAX 256       /* of a setting, in complaints */

/* Reads at most CONF_FILE_MAX + 1 bytes. 0, or -1 with errno. */
static int read_all(int fd, char *text, size_t *len)
{
	ssize_t n;

	for (*len = 0; *len <= CONF_FILE_MAX; *len += (size_t)n) {
		n = read(fd, text + *len, CONF_FILE_MAX + 1 - *len);
		if (n == -1)
			return -1;
		if (n == 0)
			break;
	}
	return 0;
}

static bool text_is_clean(struct conf_loader *ld, const char *path, const char *text,
                          size_t len, struct conf_place place)
{
	const char *nul = memchr(text, '\0', len);
	struct conf_place at = { path, 1 };

	if (len > CONF_FILE_MAX) {
		conf_errors_at(&ld->errors, place, "%s is too large (at most %u MB)",
		               path, CONF_FILE_MAX >> 20);
		return false;
	}
	if (!nul)
		return true;
	for (; text < nul; text++)
		at.line += *text == '\n';
	conf_errors_at(&ld->errors, at, "a NUL byte (a configuration is plain text)");
	return false;
}

/* With errno. */
static void complain_of_file(struct conf_loader *ld, struct conf_place place, const char *verb,
                             const char *path)
{
	const int error = errno;

	conf_errors_at(&ld->errors, place, "cannot %s %s: %s", verb, path, strerror(error));
	conf_errors_mark_file(&ld->errors, error);
}

/* The text of a file, the caller's to free; or NULL after a complaint. */
static char *read_file(struct conf_loader *ld, const char *path, struct conf_place place)
{
	/* Does not wait for the writer of a pipe. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	size_t len;

	if (fd == -1 || fstat(fd, &st) == -1) {
		complain_of_file(ld, place, "open", path);
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		conf_errors_at(&ld->errors, place, "%s is not a regular file", path);
		goto fail;
	}
	conf_trust_warn(ld, path, &st);
	text = malloc(CONF_FILE_MAX + 3);
	if (!text)
		abort();
	if (read_all(fd, text, &len) == -1) {
		complain_of_file(ld, place, "read", path);
		goto fail;
	}
	memset(text + len, '\0', 2);
	if (!text_is_clean(ld, path, text, len, place))
		goto fail;
	ld->text_len += len;
	close(fd);
	return text;
fail:
	if (fd != -1)
		close(fd);
	free(text);
	return NULL;
}

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

/* Some editors begin a file with one. */
static void skip_byte_order_mark(char *text)
{
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		memmove(text, text + 3, strlen(text + 3) + 1);
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
	skip_byte_order_mark(text);
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
	char *text = read_file(ld, path, place);

	return text ? parse(ld, path, text) : NULL;
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
static void write_name(const config_setting_t *setting, char *buf, size_t size)
{
	const config_setting_t *parent = config_setting_parent(setting);
	size_t len;

	if (!parent)
		return;
	write_name(parent, buf, size);
	if (!config_setting_name(setting))
		return;
	len = strlen(buf);
	snprintf(buf + len, size - len, "%s%s", len ? "." : "", config_setting_name(setting));
}

#define TEXT_MAX (PATH_TEXT_MAX + 512)

/* The full name of a setting, a blank, and the text; lent as buf is. */
static const char *write_text(const config_setting_t *setting, const char *format, va_list ap,
                              char buf[static TEXT_MAX])
{
	size_t len;

	buf[0] = '\0';
	write_name(setting, buf, PATH_TEXT_MAX);
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

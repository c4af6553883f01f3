/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as a file of prefixes (access.allow_file): each line that is neither empty nor a
 * comment gives a prefix or a complaint with its number, and nothing is read from a file that is
 * no text.
 */
#include <config.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf_prefix_file.h"
#include "fuzz.h"

#define BLANKS       " \t\r\f\v"
#define ERRORS_MAX   100                /* after so many, the rest of the file is not read */
#define PREFIXES_MAX 4096

/* What the header of conf_prefix_file.h says of the same bytes. */
static struct {
	unsigned    n_lines;            /* that say something */
	unsigned    n_prefixes;
	struct cidr prefixes[PREFIXES_MAX];
} model;

static void take_line(char *line)
{
	char *end;

	line[strcspn(line, "#;")] = '\0';
	line += strspn(line, BLANKS);
	for (end = line + strlen(line); end > line && strchr(BLANKS, end[-1]); end--)
		end[-1] = '\0';
	if (*line == '\0')
		return;
	model.n_lines++;
	if (cidr_parse(line, &model.prefixes[model.n_prefixes]) == CIDR_OK)
		model.n_prefixes++;
}

/* Until the bound of errors is reached, or that of prefixes. */
static void read_model(const char *bytes, size_t size)
{
	char *text = strndup(bytes, size), *rest = text, *line;

	model.n_lines = model.n_prefixes = 0;
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		rest += 3;
	while (model.n_lines - model.n_prefixes < ERRORS_MAX && model.n_prefixes < PREFIXES_MAX &&
	       (line = strsep(&rest, "\n")))
		take_line(line);
	free(text);
}

static void check_complaint(void *arg, enum conf_weight weight, const char *line)
{
	(void)arg;
	(void)weight;
	for (; *line; line++)
		assert(*line >= ' ' && *line <= '~');
}

static void check_file(const struct conf_prefix_file *f, unsigned n_errors)
{
	const unsigned wrong = model.n_lines - model.n_prefixes;

	assert(f && f->n == model.n_prefixes);
	for (size_t i = 0; i < f->n; i++)
		assert(cidr_equal(&f->prefixes[i], &model.prefixes[i]));
	assert(n_errors == wrong || (wrong == ERRORS_MAX && n_errors == wrong + 1));
}

/* A file that has these bytes; the path is in static memory. */
static const char *make_file(const uint8_t *data, size_t size, int *fd)
{
	static char path[64];

	*fd = memfd_create("prefixes", MFD_CLOEXEC);
	if (*fd == -1 || write(*fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
	return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_loader ld = { .errors.complain = check_complaint };
	const struct conf_prefix_file *f;
	int fd;

	read_model((const char *)data, size);
	if (model.n_prefixes == PREFIXES_MAX)
		return 0;
	f = conf_prefix_file_read(&ld, make_file(data, size, &fd), (struct conf_place){ "fuzz.conf", 1 });
	if (memchr(data, '\0', size))
		assert(!f && ld.errors.count == 1);
	else
		check_file(f, ld.errors.count);
	conf_errors_flush(&ld.errors);
	conf_prefix_file_close_all(&ld);
	close(fd);
	return 0;
}

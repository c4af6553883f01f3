/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens and reads a file without waiting for another process, and looks at its bytes.
 */
#include <config.h>
#include "conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_sandbox.h"
#include "conf_trust.h"
#include "fd.h"

/* Reads at most max + 1 bytes. 0, or -1 with errno. */
static int read_all(int fd, char *text, size_t max, size_t *len)
{
	ssize_t n;

	for (*len = 0; *len <= max; *len += (size_t)n) {
		n = read(fd, text + *len, max + 1 - *len);
		if (n == -1)
			return -1;
		if (n == 0)
			break;
	}
	return 0;
}

static bool text_is_clean(struct conf_loader *ld, const char *path, const char *text, size_t len)
{
	const char *nul = memchr(text, '\0', len);
	struct conf_place at = { path, 1 };

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
	char hint[SANDBOX_PATHS_HINT_MAX];

	conf_errors_at(&ld->errors, place, "cannot %s %s: %s%s", verb, path, strerror(error),
	               conf_sandbox_hint(path, hint));
	conf_errors_mark_file(&ld->errors, error);
}

/* A regular file to read from, or -1 after a complaint. */
static int open_file(struct conf_loader *ld, const char *path, struct conf_place place)
{
	/* Does not wait for the writer of a pipe. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1) {
		complain_of_file(ld, place, "open", path);
	} else if (!S_ISREG(st.st_mode)) {
		conf_errors_at(&ld->errors, place, "%s is not a regular file", path);
	} else {
		conf_trust_warn(ld, path, &st);
		return fd;
	}
	return fd_drop(fd);
}

char *conf_file_read_bytes(struct conf_loader *ld, const char *path, struct conf_place place,
                           size_t max, size_t *len)
{
	const int fd = open_file(ld, path, place);
	char *text = fd == -1 ? NULL : malloc(max + 3);

	if (fd == -1)
		return NULL;
	if (!text)
		abort();                /* as libconfig would */
	if (read_all(fd, text, max, len) == -1) {
		complain_of_file(ld, place, "read", path);
		goto fail;
	}
	if (*len > max) {
		conf_errors_at(&ld->errors, place, "%s is too large (at most %zu MB)", path, max >> 20);
		goto fail;
	}
	memset(text + *len, '\0', 2);
	close(fd);
	return text;
fail:
	close(fd);
	free(text);
	return NULL;
}

char *conf_file_read(struct conf_loader *ld, const char *path, struct conf_place place, size_t max,
                     size_t *len)
{
	char *text = conf_file_read_bytes(ld, path, place, max, len);

	if (!text || text_is_clean(ld, path, text, *len))
		return text;
	free(text);
	return NULL;
}

char *conf_file_skip_mark(char *text)
{
	return strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
}

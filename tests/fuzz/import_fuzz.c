/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any text as a configuration of another superserver, of the kind that its first line names: "xinetd",
 * "inetd", "tcpserver", "tcprules", "socket" or "service". Whatever it is, the output is a
 * configuration by its syntax, with names that are valid and unique, and each complaint is one line.
 */
#include <config.h>

#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"
#include "fuzz_conf.h"
#include "import_inetd.h"
#include "import_read.h"
#include "import_systemd.h"
#include "import_tcprules.h"
#include "import_tcpserver.h"
#include "import_write.h"
#include "import_xinetd.h"

#define FILE_NAME "fuzz.socket"

static const char *text, *template;     /* of FILE_NAME, and of fuzz@.service */

/* In place of ours: there are these two files, and no folder. */
const char *import_read(struct import *im, const char *path)
{
	if (strcmp(path, FILE_NAME) == 0)
		return import_strdup(im, text);
	if (template && strcmp(path, "fuzz@.service") == 0)
		return import_strdup(im, template);
	errno = ENOENT;
	return NULL;
}

struct import_words import_read_folder(struct import *im, const char *folder, const char *suffix)
{
	(void)im;
	(void)folder;
	(void)suffix;
	errno = ENOENT;
	return (struct import_words){ 0 };
}

const char *import_read_error(int error)
{
	return strerror(error);
}

bool import_read_is_regular(const char *path)
{
	(void)path;
	return true;
}

/* In place of the C library's: no databases. */
struct servent *getservbyname(const char *name, const char *protocol)
{
	(void)name;
	(void)protocol;
	return NULL;
}

struct passwd *getpwnam(const char *name)
{
	(void)name;
	return NULL;
}

int access(const char *path, int mode)
{
	(void)mode;
	return strcmp(path, "fuzz@.service") == 0 && template ? 0 : -1;
}

static int import_rules(struct import *im, const char *path)
{
	struct import_service *svc = import_add_service(im, (struct import_place){ path, 1 }, "rules");

	svc->builtin = "echo";
	svc->n_listen = 1;
	svc->listen[0].address = "*:7";
	return import_tcprules(im, svc, path);
}

static int import_template(struct import *im, const char *path)
{
	template = text;
	text = "[Socket]\nAccept=yes\nListenStream=7\n";
	return import_systemd(im, path);
}

static int import_socket(struct import *im, const char *path)
{
	template = "[Service]\nStandardInput=socket\nExecStart=/bin/cat\n";
	return import_systemd(im, path);
}

static const struct {
	const char *line;
	int       (*run)(struct import *im, const char *path);
} kinds[] = {
	{ "xinetd\n", import_xinetd }, { "inetd\n", import_inetd }, { "tcpserver\n", import_tcpserver },
	{ "tcprules\n", import_rules }, { "socket\n", import_socket }, { "service\n", import_template },
};

/* Values may be wrong for this machine, or for drover. The form may not. */
static void check_complaint(void *arg, enum conf_weight weight, const char *line)
{
	static const char *const never[] = {
		"is not a known key", "is defined twice", "is not a service name", "must be a", "means nothing",
		"is a group", "is malformed",
	};
	const char *what = strstr(line, ": ");

	(void)arg;
	(void)weight;
	assert(what && strncmp(what, ": syntax error", 14) != 0 && strncmp(what, ": a string", 10) != 0);
	what += 2 + strcspn(what + 2, " ");
	for (size_t i = 0; *what && i < sizeof never / sizeof *never; i++)
		assert(strncmp(what + 1, never[i], strlen(never[i])) != 0);
}

static void check_output(const char *output)
{
	struct arena a;

	if (arena_open(&a, CONF_ARENA_SIZE) == -1)
		abort();
	conf_load(&a, "output", output, check_complaint, NULL);
	arena_close(&a);
}

static void check_said(const char *said)
{
	for (; *said; said++)
		assert(*said == '\n' || (*said >= ' ' && *said <= '~'));
}

static void import_it(int (*run)(struct import *im, const char *path))
{
	struct import im;
	char *said;
	size_t len;
	FILE *err = open_memstream(&said, &len);

	import_open(&im, err);
	assert(run(&im, FILE_NAME) == 0);
	import_xinetd_finish(&im);
	check_output(import_write(&im));
	import_close(&im);
	fclose(err);
	check_said(said);
	free(said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *input = strndup((const char *)data, size < 4096 ? size : 4096);

	template = NULL;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const size_t len = strlen(kinds[i].line);

		if (strncmp(input, kinds[i].line, len) == 0) {
			text = input + len;
			import_it(kinds[i].run);
			break;
		}
	}
	free(input);
	return 0;
}

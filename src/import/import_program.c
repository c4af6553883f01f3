/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Knows tcpd(8), which is left out, and some programs that do not work without setuid files.
 */
#include <config.h>
#include "import_program.h"

#include <string.h>
#include <unistd.h>

#include "import_input.h"

#define DAEMON_FOLDER "/usr/sbin"       /* where tcpd looks for a program without a path */

bool import_program_is_builtin(const char *name)
{
	static const char *const names[] = { "echo", "discard", "chargen", "daytime", "time" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

void import_program_set_builtin(struct import *im, struct import_service *svc, struct import_place place,
                                const char *name)
{
	if (!import_program_is_builtin(name)) {
		import_refuse(im, svc, place, "%s is built into the other superserver, and not into drover",
		              name);
		return;
	}
	svc->builtin = import_strdup(im, name);
	svc->err = NULL;
	if (!svc->user || strcmp(svc->user, "root") == 0) {
		svc->user = "nobody";
		svc->group = NULL;
	}
}

/* Where a name without a slash is a program; NULL: nowhere. */
static const char *search(struct import *im, const char *name)
{
	static const char *const folders[] = {
		"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/command",
	};

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		const char *path = import_printf(im, "%s/%s", folders[i], name);

		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* They start programs that are setuid, or give people a shell. */
static bool needs_privileges(const char *path)
{
	static const char *const names[] = {
		"telnetd", "rlogind", "rshd", "rexecd", "sshd", "login", "sendmail", "exim", "exim4",
		"qmail-smtpd", "qmail-qmtpd", "qmail-popup", "sudo", "su",
	};
	const char *base = import_input_base(path);

	if (strncmp(base, "in.", 3) == 0)
		base += 3;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], base) == 0)
			return true;
	return false;
}

static void keep_privileges(struct import *im, struct import_service *svc, struct import_place place)
{
	bool needed = false;

	for (size_t i = 0; i < svc->argv.n; i++)
		needed = needed || needs_privileges(svc->argv.v[i]);
	if (!needed || svc->no_new_privs != IMPORT_UNSET)
		return;
	svc->no_new_privs = IMPORT_OFF;
	import_note(im, svc, place, "its program starts setuid programs: under systemd, drover.service"
	            " needs the drop-in setuid.conf as well");
}

static bool is_tcpd(const char *path)
{
	return strcmp(import_input_base(path), "tcpd") == 0;
}

static void unwrap_tcpd(struct import *im, struct import_service *svc, struct import_place place,
                        const struct import_words *argv)
{
	const char *daemon = argv->n > 0 ? argv->v[0] : "";

	import_lose(im, svc, place, "tcpd is left out: what hosts.allow and hosts.deny say of %s belongs in"
	            " access", import_input_base(daemon));
	if (*daemon == '/')
		svc->program = daemon;
	else
		svc->program = import_printf(im, DAEMON_FOLDER "/%s", daemon);
}

void import_program_set(struct import *im, struct import_service *svc, struct import_place place,
                        const char *path, const struct import_words *argv)
{
	const char *found;

	if (is_tcpd(path)) {
		unwrap_tcpd(im, svc, place, argv);
		svc->argv = *argv;
	} else if (*path == '/') {
		svc->program = path;
		svc->argv = *argv;
	} else if ((found = search(im, path))) {
		svc->program = found;
		svc->argv = *argv;
	} else {
		import_words_add(im, &svc->argv, "/usr/bin/env");
		import_words_add(im, &svc->argv, path);
		for (size_t i = 1; i < argv->n; i++)
			import_words_add(im, &svc->argv, argv->v[i]);
	}
	/* argv[0] is the program itself, or its name, which says no more. */
	if (svc->program && svc->argv.n > 0 &&
	    (strcmp(svc->program, svc->argv.v[0]) == 0 ||
	     strcmp(import_input_base(svc->program), svc->argv.v[0]) == 0)) {
		svc->argv.v[0] = svc->program;
		svc->program = NULL;
	}
	keep_privileges(im, svc, place);
}

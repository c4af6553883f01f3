/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the options, has each file imported by the code of its kind, and writes the result.
 */
#include <config.h>
#include "import_tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "import_check.h"
#include "import_inetd.h"
#include "import_kind.h"
#include "import_read.h"
#include "import_systemd.h"
#include "import_tcpserver.h"
#include "import_write.h"
#include "import_xinetd.h"
#include "suggest.h"
#include "version.h"

#define NOT_ALL 1                       /* the exit status if something was not carried over */

static const struct option long_options[] = {
	{ "xinetd",    no_argument, NULL, 256 + IMPORT_XINETD },
	{ "inetd",     no_argument, NULL, 256 + IMPORT_INETD },
	{ "tcpserver", no_argument, NULL, 256 + IMPORT_TCPSERVER },
	{ "systemd",   no_argument, NULL, 256 + IMPORT_SYSTEMD },
	{ "version",   no_argument, NULL, 'V' },
	{ "help",      no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"Usage: drover-import [--xinetd | --inetd | --tcpserver | --systemd] FILE ...\n"
	"\n"
	"Prints a drover.conf with the services that another superserver offers. What has no\n"
	"counterpart is a comment there, and a line on standard error.\n"
	"\n"
	"  --xinetd     xinetd.conf with the files that it includes, or xinetd.d\n"
	"  --inetd      inetd.conf\n"
	"  --tcpserver  a run script, or its service directory\n"
	"  --systemd    NAME.socket with Accept=yes; NAME@.service is beside it\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"\n"
	"Without an option, the kind of each FILE follows from its name or its content.\n"
	"Exit status: 0 all is carried over, 1 something is not, 64 usage, 65 the input makes\n"
	"no sense, 66 a file cannot be read.\n";

static int (*const importers[IMPORT_KINDS])(struct import *im, const char *path) = {
	[IMPORT_XINETD] = import_xinetd, [IMPORT_INETD] = import_inetd,
	[IMPORT_TCPSERVER] = import_tcpserver, [IMPORT_SYSTEMD] = import_systemd,
};

/* What the command line says. */
struct request {
	int               status;       /* -1: go on; else the exit status */
	enum import_kind  kind;         /* IMPORT_KINDS: not given */
	char *const      *files;
	int               n_files;
};

static int usage(const char *what, const char *which)
{
	fprintf(stderr, "drover-import: %s%s; see drover-import --help\n", what, which);
	return EX_USAGE;
}

static int bad_option(const char *word)
{
	struct suggest s = suggest_for(word + strspn(word, "-"));

	for (const struct option *o = long_options; o->name; o++)
		suggest_offer(&s, o->name);
	if (strncmp(word, "--", 2) == 0 && s.best && s.distance > 0) {
		fprintf(stderr, "drover-import: there is no option %s; did you mean --%s?\n", word, s.best);
		return EX_USAGE;
	}
	return usage("there is no option ", word);
}

static void take_option(struct request *r, int opt, const char *word)
{
	if (opt == 'V') {
		printf("drover-import %s\n", version_string);
		r->status = EX_OK;
	} else if (opt == 'h') {
		fputs(help, stdout);
		r->status = EX_OK;
	} else if (opt < 256) {
		r->status = bad_option(word);
	} else if (r->kind != IMPORT_KINDS && r->kind != (enum import_kind)(opt - 256)) {
		r->status = usage("one kind of files at a time, not both --", import_kind_names[r->kind]);
	} else {
		r->kind = (enum import_kind)(opt - 256);
	}
}

static struct request read_arguments(int argc, char **argv)
{
	struct request r = { .status = -1, .kind = IMPORT_KINDS };
	int opt, at;

	opterr = 0;
	while (r.status == -1) {
		at = optind;
		opt = getopt_long(argc, argv, "Vh", long_options, NULL);
		if (opt == -1)
			break;
		take_option(&r, opt, argv[at]);
	}
	r.files = argv + optind;
	r.n_files = argc - optind;
	if (r.status == -1 && r.n_files == 0)
		r.status = usage("which file", "?");
	return r;
}

/* ---- files -------------------------------------------------------------- */

/* The exit status of a file that cannot be read. */
static int tell_unreadable(const char *path)
{
	const int error = errno;

	if (error == EILSEQ || error == E2BIG) {
		fprintf(stderr, "%s:1: %s\n", path, import_read_error(error));
		return EX_DATAERR;
	}
	fprintf(stderr, "drover-import: %s: %s\n", path, strerror(error));
	return EX_NOINPUT;
}

static int import_file(struct import *im, enum import_kind kind, const char *path)
{
	if (kind == IMPORT_KINDS)
		kind = import_kind_of(im, path);
	switch (kind) {
	case IMPORT_AMBIGUOUS:
		fprintf(stderr, "drover-import: %s could be of more than one kind; say --xinetd, --inetd,"
		        " --tcpserver or --systemd\n", path);
		return EX_USAGE;
	case IMPORT_UNKNOWN:
		fprintf(stderr, "%s:1: it is not known what this is; say --xinetd, --inetd, --tcpserver or"
		        " --systemd\n",
		        path);
		return EX_USAGE;
	case IMPORT_UNREADABLE:
		return tell_unreadable(path);
	default:
		return importers[kind](im, path) == -1 ? tell_unreadable(path) : EX_OK;
	}
}

/* ---- the result --------------------------------------------------------- */

static int print_result(struct import *im)
{
	const char *text = import_write(im);

	while (import_check(im, text))
		text = import_write(im);
	fputs(text, stdout);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		fprintf(stderr, "drover-import: standard output: %s\n", strerror(errno));
		return EX_IOERR;
	}
	return im->n_lost || im->n_broken || im->n_refused_by_droverd ? NOT_ALL : EX_OK;
}

/* A line that makes no sense is left out, as other superservers do, unless nothing is left. */
static bool makes_sense(const struct import *im)
{
	return !im->senseless && (im->n_broken == 0 || im->services);
}

static int run(const struct request *r)
{
	struct import im;
	int status = EX_OK;

	import_open(&im, stderr);
	for (int i = 0; status == EX_OK && i < r->n_files; i++)
		status = import_file(&im, r->kind, r->files[i]);
	if (status == EX_OK) {
		import_xinetd_finish(&im);
		status = makes_sense(&im) ? print_result(&im) : EX_DATAERR;
	}
	import_close(&im);
	return status;
}

int import_tool_run(int argc, char **argv)
{
	const struct request r = read_arguments(argc, argv);

	return r.status == -1 ? run(&r) : r.status;
}

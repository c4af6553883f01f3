/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main function of drover-bench: it reads the command line, runs the load and writes the report.
 */
#include <config.h>

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "bench_options.h"
#include "bench_run.h"
#include "compare.h"
#include "report.h"
#include "report_json.h"

static int save(const char *path, const json_t *report)
{
	FILE *f = fopen(path, "we");
	int rc = f ? report_json_write(f, report) : -1;

	if (f && fclose(f) == EOF)
		rc = -1;
	if (rc == -1)
		fprintf(stderr, "drover-bench: --save %s: %s\n", path, strerror(errno));
	return rc;
}

/* Prints and saves the report as the plan says. Returns status, or EX_OSERR if that fails. */
static int tell(const struct report *r, const json_t *then, int status)
{
	const struct bench_plan *p = r->plan;
	json_t *now = report_json_make(r);
	int rc = 0;

	if (p->json)
		rc = report_json_write(stdout, now);
	else
		report_print(stdout, r, report_width(stdout), strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
	if (fflush(stdout) == EOF || rc == -1) {
		fprintf(stderr, "drover-bench: write the report: %s\n", strerror(errno));
		rc = -1;
	}
	if (p->save && save(p->save, now) == -1)
		rc = -1;
	if (then)
		compare_print(p->json ? stderr : stdout, then, now);
	json_decref(now);
	return rc == -1 ? EX_OSERR : status;
}

static int run(const struct bench_plan *p)
{
	static struct report r;
	char complaint[400];
	json_t *then = NULL;
	int status;

	if (p->compare && !(then = report_json_read(p->compare, complaint, sizeof complaint))) {
		fprintf(stderr, "drover-bench: --compare: %s\n", complaint);
		return EX_USAGE;
	}
	status = bench_run(p, &r);
	if (status == EXIT_SUCCESS || status == EXIT_FAILURE || status == EX_UNAVAILABLE)
		status = tell(&r, then, status);
	json_decref(then);
	return status;
}

int main(int argc, char **argv)
{
	struct bench_plan p;
	int status;

	setlocale(LC_CTYPE, "");
	status = bench_options_read(&p, argc, argv);
	if (status == -1)
		status = run(&p);
	bench_plan_free(&p);
	return status;
}

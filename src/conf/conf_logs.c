/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services whose access logs have the same target and the same form share one. They are found by
 * sorting, so that thousands of services take no long time.
 */
#include <config.h>
#include "conf_logs.h"

#include <stdlib.h>
#include <string.h>

#include "conf_own_files.h"

/* ---- the top level ------------------------------------------------------ */

static void complain_of_no_target(struct conf_loader *ld, const config_setting_t *access_log)
{
	conf_source_complain(ld, access_log, "needs a target (as in target ="
	                     " \"/var/log/drover/access.log\")");
}

void conf_logs_check_top(struct conf_loader *ld, const config_setting_t *root)
{
	const config_setting_t *access_log = conf_source_member(root, "access_log");

	ld->conf->log.place = conf_source_place_of(root, "log");
	ld->conf->access_log.place = conf_source_place_of(root, "access_log");
	if (access_log && config_setting_is_group(access_log) &&
	    !conf_source_member(access_log, "target"))
		complain_of_no_target(ld, access_log);
}

/* ---- a service ---------------------------------------------------------- */

void conf_logs_inherit(struct conf_loader *ld, struct conf_service *svc)
{
	svc->access_log = ld->conf->access_log; /* what it points to stays: it is of no other service */
}

void conf_logs_enter(struct conf_service *svc, const config_setting_t *layer)
{
	const config_setting_t *access_log = conf_source_member(layer, "access_log");

	if (access_log)
		svc->access_log.place = conf_source_place(access_log);
}

/* What the service or `defaults` says; NULL: nothing. */
static const config_setting_t *find_setting(const struct conf_draft *d, const char *path)
{
	const config_setting_t *origin = conf_draft_origin(d, path);

	return origin == d->own ? NULL : origin;
}

void conf_logs_check_service(struct conf_loader *ld, const struct conf_draft *d)
{
	const config_setting_t *access_log = find_setting(d, "access_log");
	const config_setting_t *target = find_setting(d, "access_log.target");

	if (target)
		conf_own_files_check_log(ld, target, d->service->access_log.path);
	else if (access_log && config_setting_is_group(access_log) &&
	         ld->conf->access_log.target == LOG_TARGET_NONE)
		complain_of_no_target(ld, access_log);
}

/* ---- all of them -------------------------------------------------------- */

static int compare_logs(const struct conf_log *a, const struct conf_log *b)
{
	if (a->target != b->target)
		return a->target < b->target ? -1 : 1;
	if (a->format != b->format)
		return a->format < b->format ? -1 : 1;
	return a->target == LOG_TARGET_FILE ? strcmp(a->path, b->path) : 0;
}

static int by_access_log(const void *one, const void *other)
{
	const struct conf_service *a = *(struct conf_service *const *)one;
	const struct conf_service *b = *(struct conf_service *const *)other;

	return compare_logs(&a->access_log, &b->access_log);
}

/* The index of the log of svc. The one before it in the sorted list may have the same. */
static size_t index_of(struct conf *conf, const struct conf_service *svc, const struct conf_service *before)
{
	if (compare_logs(&svc->access_log, &conf->access_log) == 0)
		return 0;
	if (before && compare_logs(&svc->access_log, &before->access_log) == 0)
		return before->access_log_index;
	conf->access_logs[conf->n_access_logs] = &svc->access_log;
	return conf->n_access_logs++;
}

void conf_logs_collect(struct conf_loader *ld)
{
	struct conf *conf = ld->conf;
	struct conf_service **sorted = calloc(conf->n_services + 1, sizeof *sorted);

	if (!sorted)
		abort();
	conf->access_logs = conf_loader_alloc(ld, (conf->n_services + 1) * sizeof *conf->access_logs);
	conf->access_logs[conf->n_access_logs++] = &conf->access_log;
	if (conf->n_services > 0)
		memcpy(sorted, conf->services, conf->n_services * sizeof *sorted);
	qsort(sorted, conf->n_services, sizeof *sorted, by_access_log);
	for (size_t i = 0; i < conf->n_services; i++)
		sorted[i]->access_log_index = index_of(conf, sorted[i], i > 0 ? sorted[i - 1] : NULL);
	free(sorted);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Builds the environment from PATH, the user of the worker, and what the configuration adds. If
 * a name is set twice, the last value counts.
 */
#include <config.h>
#include "environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The index of the variable that "NAME=..." sets; e->n: it is not set yet. */
static size_t find_setting(const struct environment *e, const char *setting)
{
	size_t len = strcspn(setting, "=") + 1;
	size_t i = 0;

	while (i < e->n && strncmp(e->strings[i], setting, len) != 0)
		i++;
	return i;
}

/* Takes setting; NULL means that there was no memory for it. 0, or -1 with ENOMEM. */
static int put_setting(struct environment *e, char *setting)
{
	size_t at = setting ? find_setting(e, setting) : 0;
	char **more;

	if (!setting)
		return -1;
	if (at < e->n) {
		free(e->strings[at]);
		e->strings[at] = setting;
		return 0;
	}
	more = reallocarray(e->strings, e->n + 2, sizeof *more);
	if (!more) {
		free(setting);
		return -1;
	}
	e->strings = more;
	e->strings[e->n++] = setting;
	e->strings[e->n] = NULL;
	return 0;
}

int environment_set(struct environment *e, const char *name, const char *value)
{
	char *setting;

	if (!value)
		return 0;
	return put_setting(e, asprintf(&setting, "%s=%s", name, value) == -1 ? NULL : setting);
}

static int set_identity(struct environment *e, const struct conf_identity *id)
{
	if (!id->user)
		return 0;
	if (environment_set(e, "HOME", id->home) == -1 || environment_set(e, "SHELL", id->shell) == -1)
		return -1;
	if (environment_set(e, "USER", id->user) == -1)
		return -1;
	return environment_set(e, "LOGNAME", id->user);
}

int environment_build(struct environment *e, const struct conf_service *s)
{
	*e = (struct environment){ 0 };
	if (environment_set(e, "PATH", PATH) == -1 || set_identity(e, &s->identity) == -1)
		goto fail;
	for (const char **setting = s->handler.env_of_files; setting && *setting; setting++)
		if (put_setting(e, strdup(*setting)) == -1)
			goto fail;
	for (const char **name = s->handler.pass_env; *name; name++)
		if (environment_set(e, *name, getenv(*name)) == -1)
			goto fail;
	for (const char **setting = s->handler.env; *setting; setting++)
		if (put_setting(e, strdup(*setting)) == -1)
			goto fail;
	return 0;
fail:
	environment_free(e);
	return -1;
}

char **environment_with(const struct environment *e, char *const *first, size_t n)
{
	char **all = malloc((n + e->n + 1) * sizeof *all);

	if (!all)
		return NULL;
	memcpy(all, first, n * sizeof *all);
	if (e->n > 0)
		memcpy(all + n, e->strings, e->n * sizeof *all);
	all[n + e->n] = NULL;
	return all;
}

int environment_wipe_ours(void)
{
	const char *zone = getenv("TZ");        /* strftime(3) reads it each time */
	char *kept = zone ? strdup(zone) : NULL;
	int result;

	if (zone && !kept)
		return -1;
	for (char **setting = environ; setting && *setting; setting++)
		explicit_bzero(*setting, strlen(*setting));
	clearenv();
	result = kept ? setenv("TZ", kept, 1) : 0;
	free(kept);
	return result;
}

void environment_free(struct environment *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->strings[i]);
	free(e->strings);
	*e = (struct environment){ 0 };
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the affinity from the kernel, and limits from the files of control groups.
 */
#include <config.h>
#include "cpus.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "units.h"

/* The folder of the control group of this process, in one hierarchy. */
struct place {
	char path[PATH_MAX];
	size_t top;                     /* bytes of path that are the mount point of the hierarchy */
};

/* Whether word is an item of a list with commas. */
static bool has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len)
		if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

/*
 * The group's path in /proc/self/cgroup: "0::/a/b", or "4:cpu,cpuacct:/a/b" for a
 * controller of version 1. False if it is in no such hierarchy.
 */
static bool find_group(const char *root, const char *controller, char *group, size_t size)
{
	char path[PATH_MAX], line[PATH_MAX], *list, *name;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		list = strchr(line, ':');
		name = list ? strchr(list + 1, ':') : NULL;
		if (!name)
			continue;
		*name++ = '\0';
		found = controller ? has_word(list + 1, controller) : list[1] == '\0';
		if (found)
			found = snprintf(group, size, "%s", name) < (int)size;
	}
	if (f)
		fclose(f);
	return found;
}

/* What /proc/self/mountinfo says of one mount; the strings are parts of the line. */
struct mount {
	const char *inside;             /* which folder of the file system is mounted */
	const char *point;
	const char *type;
	const char *options;            /* of the file system */
};

static bool take_apart(char *line, struct mount *m)
{
	char *save, *rest = strstr(line, " - "), *word = strtok_r(line, " ", &save);

	if (!rest)
		return false;
	for (int i = 0; word && i < 3; i++)
		word = strtok_r(NULL, " ", &save);
	m->inside = word;
	m->point = strtok_r(NULL, " ", &save);
	m->type = strtok_r(rest + 3, " ", &save);
	word = strtok_r(NULL, " ", &save);
	m->options = strtok_r(NULL, " \n", &save);
	return m->inside && m->point && m->type && m->options;
}

static bool is_wanted(const struct mount *m, const char *controller)
{
	return controller ? strcmp(m->type, "cgroup") == 0 && has_word(m->options, controller)
	                  : strcmp(m->type, "cgroup2") == 0;
}

/* In a container, the mount may begin at its own group, or at one that we cannot see. */
static void enter_group(struct place *p, const char *root, const struct mount *m, const char *group)
{
	const size_t len = strcmp(m->inside, "/") == 0 ? 0 : strlen(m->inside);
	const bool below = strncmp(group, m->inside, len) == 0 &&
	                   (group[len] == '/' || group[len] == '\0') &&
	                   strncmp(group, "/..", 3) != 0;

	p->top = (size_t)snprintf(p->path, sizeof p->path, "%s%s", root, m->point);
	if (below && p->top < sizeof p->path && strcmp(group + len, "/") != 0)
		snprintf(p->path + p->top, sizeof p->path - p->top, "%s", group + len);
}

/* controller: of version 1; NULL: version 2. */
static bool find_place(const char *root, const char *controller, struct place *p)
{
	char path[PATH_MAX], line[2 * PATH_MAX], group[PATH_MAX];
	struct mount m;
	bool found = false;
	FILE *f;

	if (!find_group(root, controller, group, sizeof group))
		return false;
	snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof line, f)) {
		found = take_apart(line, &m) && is_wanted(&m, controller);
		if (found)
			enter_group(p, root, &m, group);
	}
	if (f)
		fclose(f);
	return found;
}

/* The first line of a file of the group; false if there is none. */
static bool read_line(const struct place *p, const char *name, char *line, int size)
{
	char path[PATH_MAX + 64];
	FILE *f;
	bool ok;

	snprintf(path, sizeof path, "%s/%s", p->path, name);
	f = fopen(path, "re");
	ok = f && fgets(line, size, f);
	if (f)
		fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

/* Goes to the parent group; false at the top. */
static bool go_up(struct place *p)
{
	char *slash = strlen(p->path) > p->top ? strrchr(p->path, '/') : NULL;

	if (!slash || (size_t)(slash - p->path) < p->top)
		return false;
	*slash = '\0';
	return true;
}

/* ---- CPU time ----------------------------------------------------------- */

static void limit(struct cpus *c, double quota, double period)
{
	if (quota > 0 && period > 0 && (c->quota == 0 || quota / period < c->quota))
		c->quota = quota / period;
}

/* "200000 100000", or "max 100000" */
static void read_cpu_max(struct cpus *c, struct place p)
{
	char line[128];
	double quota, period;

	do {
		if (read_line(&p, "cpu.max", line, sizeof line) &&
		    sscanf(line, "%lf %lf", &quota, &period) == 2)
			limit(c, quota, period);
	} while (go_up(&p));
}

/* cpu.cfs_quota_us is -1 if there is no limit. */
static void read_cfs(struct cpus *c, struct place p)
{
	char quota[64], period[64];

	do {
		if (read_line(&p, "cpu.cfs_quota_us", quota, sizeof quota) &&
		    read_line(&p, "cpu.cfs_period_us", period, sizeof period))
			limit(c, strtod(quota, NULL), strtod(period, NULL));
	} while (go_up(&p));
}

/* ---- which CPUs --------------------------------------------------------- */

/* Reads the nearest group that says it: in version 2, some groups have no such file. */
static void read_cpuset(struct cpus *c, struct place p, const char *file)
{
	char line[4096];

	do {
		if (read_line(&p, file, line, sizeof line) && line[0] != '\0') {
			c->has_cpuset = units_parse_cpus(line, &c->cpuset) == 0;
			return;
		}
	} while (go_up(&p));
}

void cpus_read(struct cpus *c, const char *root)
{
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	struct place p = { .top = 0 };

	*c = (struct cpus){ .online = online > 0 ? (int)online : 1 };
	c->has_affinity = sched_getaffinity(0, sizeof c->affinity, &c->affinity) == 0;
	if (find_place(root, NULL, &p)) {
		read_cpu_max(c, p);
		read_cpuset(c, p, "cpuset.cpus.effective");
	}
	if (find_place(root, "cpu", &p))
		read_cfs(c, p);
	if (!c->has_cpuset && find_place(root, "cpuset", &p))
		read_cpuset(c, p, "cpuset.effective_cpus");
}

static int count_common(const cpu_set_t *a, const cpu_set_t *b)
{
	cpu_set_t both;

	CPU_AND(&both, a, b);
	return CPU_COUNT(&both);
}

int cpus_usable(const struct cpus *c, const cpu_set_t *wanted)
{
	const cpu_set_t *set = wanted ? wanted : c->has_affinity ? &c->affinity : NULL;
	int n = set && c->has_cpuset ? count_common(set, &c->cpuset) : 0;

	if (n == 0)
		n = set ? CPU_COUNT(set) : c->online;
	if (c->quota > 0 && c->quota < n)
		n = (int)c->quota + ((int)c->quota < c->quota);
	return n > 0 ? n : 1;
}

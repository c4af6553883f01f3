/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many CPUs count: from numbers, and from made-up files of control groups.
 */
#include <config.h>
#include "cpus.h"

#include <sys/stat.h>

#include "unit.h"
#include "units.h"

static cpu_set_t set_of(const char *text)
{
	cpu_set_t set;

	ck_assert_int_eq(units_parse_cpus(text, &set), 0);
	return set;
}

static const struct {
	const char *name;
	int         online;
	const char *affinity, *cpuset;  /* NULL: not known */
	double      quota;
	const char *wanted;             /* NULL: the service says nothing */
	int         want;
} limits[] = {
	{ "nothing is known but the machine", 8, NULL, NULL, 0, NULL, 8 },
	{ "taskset", 8, "0-2", NULL, 0, NULL, 3 },
	{ "a cpuset, which the affinity shows", 8, "4-7", "4-7", 0, NULL, 4 },
	{ "a cpuset that shrank behind the affinity", 8, "0-7", "4,5", 0, NULL, 2 },
	{ "a quota of two CPUs", 8, "0-7", NULL, 2, NULL, 2 },
	{ "half a CPU is one", 8, "0-7", NULL, 0.5, NULL, 1 },
	{ "one and a half are two", 8, "0-7", NULL, 1.5, NULL, 2 },
	{ "a quota beyond the machine", 2, "0-1", NULL, 100, NULL, 2 },
	{ "cpus of the service", 8, "0-7", NULL, 0, "0-1", 2 },
	{ "cpus of the service beyond taskset", 8, "0", NULL, 0, "0-3", 4 },
	{ "cpus of the service cut by a cpuset", 8, "0-3", "0-3", 0, "2-5", 2 },
	{ "cpus of the service with a quota", 8, "0-7", NULL, 3, "0-5", 3 },
	{ "cpus of the service outside the cpuset", 8, "0-3", "0-3", 0, "6,7", 2 },
};

START_TEST(the_least_of_all_limits_counts)
{
	struct cpus c = { .online = limits[_i].online, .has_affinity = limits[_i].affinity,
	                  .has_cpuset = limits[_i].cpuset, .quota = limits[_i].quota };
	const cpu_set_t wanted = set_of(limits[_i].wanted ? limits[_i].wanted : "0");

	c.affinity = set_of(limits[_i].affinity ? limits[_i].affinity : "0");
	c.cpuset = set_of(limits[_i].cpuset ? limits[_i].cpuset : "0");
	ck_assert_msg(cpus_usable(&c, limits[_i].wanted ? &wanted : NULL) == limits[_i].want,
	              "%s: %d", limits[_i].name,
	              cpus_usable(&c, limits[_i].wanted ? &wanted : NULL));
} END_TEST

/* ---- files -------------------------------------------------------------- */

/* Makes the folders of a path that stands below the test's own. */
static void make_folders(const char *path)
{
	char part[256];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
		ck_assert_msg(mkdir(part, 0700) == 0 || errno == EEXIST, "%s: %m", part);
	}
}

struct file { const char *path, *text; };

#define V2_MOUNT "30 22 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_CPU   "31 30 0:28 / /cg/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
#define V1_SET   "33 30 0:30 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n"

static const struct {
	const char *name, *group, *mounts;
	struct file files[4];
	double      quota;
	int         n_cpuset;           /* 0: not known */
} rows[] = {
	{ "no control groups", "", "1 1 8:1 / / rw - ext4 /dev/sda rw\n", { { NULL, NULL } }, 0, 0 },
	{ "no limit", "0::/a\n", V2_MOUNT, { { "sys/fs/cgroup/a/cpu.max", "max 100000\n" } }, 0, 0 },
	{ "a limit", "0::/a\n", V2_MOUNT, { { "sys/fs/cgroup/a/cpu.max", "250000 100000\n" } }, 2.5, 0 },
	{ "the least on the way", "0::/a/b/c\n", V2_MOUNT,
	  { { "sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n" },
	    { "sys/fs/cgroup/a/b/cpu.max", "max 100000\n" },
	    { "sys/fs/cgroup/a/cpu.max", "30000 10000\n" } }, 3, 0 },
	{ "a container's own root", "0::/\n", V2_MOUNT, { { "sys/fs/cgroup/cpu.max", "50000 100000\n" } }, 0.5, 0 },
	{ "a group outside of what is seen", "0::/../x\n", V2_MOUNT,
	  { { "sys/fs/cgroup/cpu.max", "100000 100000\n" }, { "sys/fs/x/cpu.max", "1 100000\n" } }, 1, 0 },
	{ "a cpuset", "0::/a/b\n", V2_MOUNT, { { "sys/fs/cgroup/a/cpuset.cpus.effective", "0-2\n" },
	  { "sys/fs/cgroup/a/b/cpu.max", "max 100000\n" } }, 0, 3 },
	{ "version 1", "5:memory:/m\n4:cpuacct,cpu:/a/b\n3:cpuset:/s\n", V1_SET V1_CPU,
	  { { "cg/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n" }, { "cg/cpu,cpuacct/a/cpu.cfs_quota_us", "150000\n" },
	    { "cg/cpu,cpuacct/a/cpu.cfs_period_us", "50000\n" }, { "cg/cpuset/s/cpuset.effective_cpus", "1,3\n" } }, 3, 2 },
	{ "version 1 without a namespace", "4:cpu,cpuacct:/docker/x\n",
	  "31 30 0:28 /docker/x /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n",
	  { { "cg/cpu/cpu.cfs_quota_us", "200000\n" }, { "cg/cpu/cpu.cfs_period_us", "100000\n" } }, 2, 0 },
	{ "nonsense", "0::/a\nx\n::\n", "- \n1 2 3\n" V2_MOUNT, { { "sys/fs/cgroup/a/cpu.max", "many few\n" },
	  { "sys/fs/cgroup/a/cpuset.cpus.effective", "0-\n" } }, 0, 0 },
};

START_TEST(limits_are_found_where_the_control_group_is)
{
	const struct file *f = rows[_i].files;
	struct cpus c;

	make_folders("proc/self/");
	unit_write_file("proc/self/cgroup", rows[_i].group);
	unit_write_file("proc/self/mountinfo", rows[_i].mounts);
	for (size_t i = 0; i < ARRAY_SIZE(rows[_i].files) && f[i].path; i++) {
		make_folders(f[i].path);
		unit_write_file(f[i].path, f[i].text);
	}
	cpus_read(&c, unit_folder);
	ck_assert_msg(c.quota > rows[_i].quota - 0.001 && c.quota < rows[_i].quota + 0.001, "%s: %f",
	              rows[_i].name, c.quota);
	ck_assert_msg((c.has_cpuset ? CPU_COUNT(&c.cpuset) : 0) == rows[_i].n_cpuset, "%s", rows[_i].name);
} END_TEST

START_TEST(our_own_affinity_is_known)
{
	cpu_set_t before, one;
	struct cpus c;
	size_t first = 0;

	ck_assert_int_eq(sched_getaffinity(0, sizeof before, &before), 0);
	while (!CPU_ISSET(first, &before))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
	cpus_read(&c, "/nowhere");
	ck_assert_int_eq(cpus_usable(&c, NULL), 1);
} END_TEST

int main(void)
{
	Suite *s = suite_create("cpus");
	TCase *tc = unit_case(s, "cpus", NULL, NULL);
	TCase *files = unit_case(s, "files", unit_enter_folder, unit_leave_folder);

	tcase_add_loop_test(tc, the_least_of_all_limits_counts, 0, ARRAY_SIZE(limits));
	tcase_add_test(tc, our_own_affinity_is_known);
	tcase_add_loop_test(files, limits_are_found_where_the_control_group_is, 0, ARRAY_SIZE(rows));
	return unit_run(s);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many CPUs this process may use, which is less than the machine has under
 * taskset(1), in a cpuset, or where a control group limits CPU time (a container, a
 * unit with AllowedCPUs= or CPUQuota=). What is known is read by one function and
 * judged by another.
 */
#ifndef DROVER_SYS_CPUS_H
#define DROVER_SYS_CPUS_H

#include <sched.h>
#include <stdbool.h>

struct cpus {
	int       online;               /* of the machine, at least 1 */
	bool      has_affinity, has_cpuset; /* whether these two are known */
	cpu_set_t affinity;             /* of this process: sched_getaffinity(2) */
	cpu_set_t cpuset;               /* of its control group, which limits any affinity */
	double    quota;                /* CPU seconds a second, the least of all groups above; 0: no limit */
};

/*
 * Reads what there is. Control groups, version 1 and 2, are found by /proc below
 * root, which is "" except in tests; what cannot be read sets no limit.
 */
void cpus_read(struct cpus *c, const char *root);

/*
 * How many processes can run at once, at least 1: on the CPUs `wanted` as far as the
 * control group has them, or, with NULL, on those of our affinity; and not more than
 * the quota, rounded up.
 */
int cpus_usable(const struct cpus *c, const cpu_set_t *wanted);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads and changes capabilities with capget(2) and capset(2), for which libc has no wrappers,
 * and with prctl(2).
 */
#include <config.h>
#include "capabilities.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool capabilities_have(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) == -1)
		return true;
	return sets[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

/* The kernel may know more capabilities than this program; it answers EINVAL after the last one. */
int capabilities_empty_bounds(void)
{
	int is_set;

	for (unsigned long i = 0; (is_set = prctl(PR_CAPBSET_READ, i, 0, 0, 0)) != -1; i++)
		if (is_set && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == -1)
			return -1;
	return 0;
}

static bool clear_inheritable(struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3])
{
	bool any = false;

	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		any |= sets[i].inheritable != 0;
		sets[i].inheritable = 0;
	}
	return any;
}

static int clear_ambient(void)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int capabilities_drop(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (geteuid() != 0)
		return capabilities_drop_all();
	if (clear_ambient() == -1 || syscall(SYS_capget, &header, sets) == -1)
		return -1;
	return clear_inheritable(sets) ? (int)syscall(SYS_capset, &header, sets) : 0;
}

int capabilities_drop_all(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	return clear_ambient() == -1 ? -1 : (int)syscall(SYS_capset, &header, none);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * capget(2), for which libc has no wrapper.
 */
#include <config.h>
#include "capabilities.h"

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

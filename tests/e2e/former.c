/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a droverd like those that knew no limits: what belongs to them is not in what it hands over
 * at an upgrade, and it passes over what another program says of it.
 */
#include <config.h>

#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fd.h"
#include "handover.h"

const char version_string[] = "0.0.9";

int __real_handover_write(const struct handover *h);
int __wrap_handover_write(const struct handover *h);
bool __real_handover_read(struct handover *h, int fd, char *why, size_t size);
bool __wrap_handover_read(struct handover *h, int fd, char *why, size_t size);

static void forget_limits(json_t *at)
{
	static const char *const keys[] = { "states", "state_index", "holds", "poison" };
	json_t *value;
	const char *key;
	size_t i;

	for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
		json_object_del(at, keys[k]);
	json_object_foreach(at, key, value)
		forget_limits(value);
	json_array_foreach(at, i, value)
		forget_limits(value);
}

/* What is in fd, without that, in another descriptor. */
static int without_limits(int fd)
{
	const int other = memfd_create("drover-handover", MFD_CLOEXEC);
	json_t *all;

	lseek(fd, 0, SEEK_SET);
	all = json_loadfd(fd, 0, NULL);
	forget_limits(all);
	json_dumpfd(all, other, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(all);
	lseek(other, 0, SEEK_SET);
	return other;
}

int __wrap_handover_write(const struct handover *h)
{
	int all = __real_handover_write(h), fd = without_limits(all);

	fd_close(&all);
	return fd;
}

bool __wrap_handover_read(struct handover *h, int fd, char *why, size_t size)
{
	int less = without_limits(fd);
	const bool result = __real_handover_read(h, less, why, size);

	fd_close(&less);
	return result;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads numbers from the environment that a service manager has set.
 */
#include <config.h>
#include "activation.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "units.h"

int activation_number(const char *variable, long max, long *n)
{
	const char *text = getenv(variable);
	int64_t value;

	if (!text)
		return 0;
	if (units_parse_whole(text, max, &value) == -1)
		return -1;
	*n = (long)value;
	return 1;
}

struct variable {
	const char *name;
	long        max;
	const char *what;               /* it must be */
};

static const struct variable listen_pid = { "LISTEN_PID", INT_MAX, "the number of a process" };
static const struct variable listen_fds = { "LISTEN_FDS", INT_MAX - SD_LISTEN_FDS_START,
                                            "a number of descriptors" };

/* How many descriptors were passed to the process `to`; -1 with the variable that holds no number. */
static long count_passed_to(pid_t to, const struct variable **wrong)
{
	long pid, n;
	int known = activation_number(listen_pid.name, listen_pid.max, &pid);

	*wrong = &listen_pid;
	if (known != 1 || pid != to)
		return known == -1 ? -1 : 0;
	*wrong = &listen_fds;
	known = activation_number(listen_fds.name, listen_fds.max, &n);
	return known == 1 ? n : known;
}

static bool judge_descriptors(long n, char *why, size_t size)
{
	for (long i = 0; i < n; i++)
		if (fcntl(SD_LISTEN_FDS_START + (int)i, F_GETFD) == -1) {
			snprintf(why, size, "LISTEN_FDS=\"%ld\" in the environment says that descriptor"
			         " %d is open, but it is not", n, SD_LISTEN_FDS_START + (int)i);
			return false;
		}
	return true;
}

static bool judge_names(long n, char *why, size_t size)
{
	const char *names = getenv("LISTEN_FDNAMES");
	long n_names = 1;

	for (const char *c = names; c && *c; c++)
		n_names += *c == ':';
	if (!names || n == 0 || n_names == n)
		return true;
	snprintf(why, size, "LISTEN_FDNAMES=\"%s\" in the environment names %ld descriptors, and"
	         " LISTEN_FDS says %ld", names, n_names, n);
	return false;
}

bool activation_judge(char *why, size_t size)
{
	const struct variable *wrong;
	const long n = count_passed_to(getpid(), &wrong);

	if (n == -1) {
		snprintf(why, size, "%s=\"%s\" in the environment is not %s", wrong->name,
		         getenv(wrong->name), wrong->what);
		return false;
	}
	return judge_descriptors(n, why, size) && judge_names(n, why, size);
}

size_t activation_take(pid_t from)
{
	const struct variable *wrong;
	const long n = count_passed_to(from, &wrong);
	char text[32];

	if (n <= 0)
		return 0;
	snprintf(text, sizeof text, "%d", (int)getpid());
	return setenv(listen_pid.name, text, 1) == 0 ? (size_t)n : 0;
}

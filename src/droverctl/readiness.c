/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One look at the status; ready.h judges.
 */
#include <config.h>
#include "readiness.h"

#include <stdlib.h>
#include <sysexits.h>

#include "ready.h"
#include "show.h"

static void print_json(bool ready, const char *why, FILE *out)
{
	json_t *object = json_pack("{s:b,s:s}", "ready", ready, "text", why);

	show_json(object, false, out);
	json_decref(object);
}

int readiness_tell(const json_t *status, const char *service, bool json, FILE *out)
{
	enum ready verdict;
	char *why;

	if (!json_is_string(json_object_get(status, "phase")) ||
	    !json_is_array(json_object_get(status, "services"))) {
		fputs("droverctl: drover's answer to status is not understood\n", stderr);
		return EX_SOFTWARE;
	}
	verdict = ready_judge(status, *service ? service : NULL, &why);
	if (json)
		print_json(verdict == READY, why ? why : "", out);
	else
		fputs(why ? why : "", out);
	free(why);
	return verdict == READY ? EX_OK : READINESS_NOT;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keepalived takes an exit status from 2 on as the weight of the server, and 2. This is one look:
 * nothing is averaged.
 */
#include <config.h>
#include "weight.h"

#include "agent_words.h"
#include "show.h"

int weight_tell(const json_t *status, const char *service, bool json, FILE *out)
{
	char line[AGENT_LINE_MAX];
	struct agent_state s;
	json_t *object;
	int percent;

	if (!agent_words_judge(status, service, &s)) {
		fputs("droverctl: drover's answer to status is not understood\n", stderr);
		return WEIGHT_NONE;
	}
	percent = agent_words_percent(agent_words_share(&s));
	agent_words_line(&s, percent, line);
	if (json) {
		object = json_pack("{s:s}", "line", line);
		show_json(object, false, out);
		json_decref(object);
	} else {
		fprintf(out, "%s\n", line);
	}
	return s.health == AGENT_UP ? 2 + percent : WEIGHT_NONE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Says what is wrong with a template, and keeps the pieces of one that is right.
 */
#include <config.h>
#include "conf_access_format.h"

#include <stdio.h>
#include <string.h>

#include "suggest.h"

/* As "time, service, id". */
static void list_fields(char *all, size_t size)
{
	size_t len = 0;

	for (int i = 0; i < ACCESS_FORMAT_LITERAL && len < size; i++)
		len += (size_t)snprintf(all + len, size - len, "%s%s", i ? ", " : "",
		                        access_format_name((enum access_format_field)i));
}

static void complain_of_field(struct conf_loader *ld, const config_setting_t *setting, const char *name)
{
	struct suggest s = suggest_for(name);
	char all[256];

	for (int i = 0; i < ACCESS_FORMAT_LITERAL; i++)
		suggest_offer(&s, access_format_name((enum access_format_field)i));
	list_fields(all, sizeof all);
	if (s.best)
		conf_source_complain(ld, setting, "has no field {%s} (did you mean {%s}?)", name, s.best);
	else
		conf_source_complain(ld, setting, "has no field {%s} (there are %s)", name, all);
}

static void complain(struct conf_loader *ld, const config_setting_t *setting,
                     const struct access_format_fault *fault)
{
	switch (fault->error) {
	case ACCESS_FORMAT_UNKNOWN:
		complain_of_field(ld, setting, fault->name);
		break;
	case ACCESS_FORMAT_OPEN:
		conf_source_complain(ld, setting, "has a { without its } ({{ for a brace)");
		break;
	case ACCESS_FORMAT_CLOSED:
		conf_source_complain(ld, setting, "has a } without its { (}} for a brace)");
		break;
	case ACCESS_FORMAT_BYTE:
		conf_source_complain(ld, setting, "has a byte that is neither printable ASCII nor a tab");
		break;
	case ACCESS_FORMAT_LONG:
		conf_source_complain(ld, setting, "is too long (at most %d bytes, and %d fields and texts"
		                     " between them)", ACCESS_FORMAT_TEXT_MAX, ACCESS_FORMAT_PIECES_MAX);
		break;
	case ACCESS_FORMAT_CONSTANT:
		conf_source_complain(ld, setting, "has no field (as in \"{time} {peer} {how}\")");
		break;
	}
}

bool conf_access_format_load(struct conf_loader *ld, const config_setting_t *setting, struct conf_log *log)
{
	struct access_format_piece pieces[ACCESS_FORMAT_PIECES_MAX], *kept;
	const char *written = config_setting_get_string(setting);
	struct access_format_fault fault;
	const char *text;
	size_t n;

	if (!access_format_is_template(written))
		return false;
	text = conf_loader_strdup(ld, written);
	n = access_format_parse(text, pieces, &fault);
	if (n == 0) {
		complain(ld, setting, &fault);
		return true;
	}
	kept = conf_loader_alloc(ld, n * sizeof *kept);
	memcpy(kept, pieces, n * sizeof *kept);
	log->format = LOG_FORMAT_TEMPLATE;
	log->template = (struct access_format){ .text = text, .pieces = kept, .n = n };
	return true;
}

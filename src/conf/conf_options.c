/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copies settings of libconfig into a tree of options, and prints such a tree.
 */
#include <config.h>
#include "conf_options.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "conf_value.h"

/* ---- from settings ------------------------------------------------------ */

static enum conf_option_type type_of(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:  return CONF_OPTION_GROUP;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:  return CONF_OPTION_INTEGER;
	case CONFIG_TYPE_FLOAT:  return CONF_OPTION_NUMBER;
	case CONFIG_TYPE_BOOL:   return CONF_OPTION_BOOLEAN;
	case CONFIG_TYPE_STRING: return CONF_OPTION_TEXT;
	default:                 return CONF_OPTION_LIST;
	}
}

static void fill(struct conf_loader *ld, const config_setting_t *setting, struct conf_option *o);

static void fill_members(struct conf_loader *ld, const config_setting_t *setting, struct conf_option *o)
{
	const size_t n = (size_t)config_setting_length(setting);

	o->members = conf_loader_alloc(ld, (n + 1) * sizeof *o->members);
	for (o->n = 0; o->n < n; o->n++)
		fill(ld, conf_source_item(setting, (int)o->n), &o->members[o->n]);
}

static void fill(struct conf_loader *ld, const config_setting_t *setting, struct conf_option *o)
{
	const char *name = config_setting_name(setting);
	char full[CONF_SOURCE_NAME_MAX];

	conf_source_full_name(setting, full, sizeof full);
	*o = (struct conf_option){ .type = type_of(setting), .place = conf_source_place(setting) };
	o->full_name = conf_loader_strdup(ld, full);
	o->name = name ? conf_loader_strdup(ld, name) : NULL;
	switch (o->type) {
	case CONF_OPTION_TEXT:
		o->text = conf_loader_strdup(ld, config_setting_get_string(setting));
		break;
	case CONF_OPTION_INTEGER:
		o->integer = config_setting_get_int64(setting);
		o->number = (double)o->integer;
		break;
	case CONF_OPTION_NUMBER:
		o->number = config_setting_get_float(setting);
		break;
	case CONF_OPTION_BOOLEAN:
		o->integer = config_setting_get_bool(setting);
		break;
	case CONF_OPTION_GROUP:
	case CONF_OPTION_LIST:
		fill_members(ld, setting, o);
		break;
	}
}

struct conf_option *conf_options_load(struct conf_loader *ld, const config_setting_t *group)
{
	struct conf_option *o;

	if (!config_setting_is_group(group)) {
		conf_source_complain(ld, group, "must be a group, as in { ... }, not %s", conf_value_kind(group));
		return NULL;
	}
	o = conf_loader_alloc(ld, sizeof *o);
	fill(ld, group, o);
	return o;
}

struct conf_option *conf_options_new(struct conf_loader *ld, struct conf_place place, const char *name,
                                     size_t members)
{
	struct conf_option *o = conf_loader_alloc(ld, sizeof *o);

	*o = (struct conf_option){ .type = CONF_OPTION_GROUP, .place = place, .name = "options",
	                           .full_name = conf_loader_strdup(ld, name) };
	o->members = conf_loader_alloc(ld, (members + 1) * sizeof *o->members);
	return o;
}

static size_t number_from(struct conf_option *o, size_t next)
{
	o->number_in_tree = next++;
	for (size_t i = 0; i < o->n; i++)
		next = number_from(&o->members[i], next);
	return next;
}

size_t conf_options_number(struct conf_option *group)
{
	return number_from(group, 0);
}

/* ---- as text ------------------------------------------------------------ */

static void print_value(const struct conf_option *o, int depth, FILE *out);

/* With a point or an exponent, so that it is read as a number again; libconfig knows no others. */
static void print_number(double number, FILE *out)
{
	char text[64];

	snprintf(text, sizeof text, "%.17g", number);
	fprintf(out, "%s%s", text, isfinite(number) && !strpbrk(text, ".e") ? ".0" : "");
}

static void print_list(const struct conf_option *o, int depth, FILE *out)
{
	fputs("( ", out);
	for (size_t i = 0; i < o->n; i++) {
		fputs(i ? ", " : "", out);
		print_value(&o->members[i], depth, out);
	}
	fputs(" )", out);
}

static void print_value(const struct conf_option *o, int depth, FILE *out)
{
	switch (o->type) {
	case CONF_OPTION_TEXT:
		conf_value_print_string(o->text, out);
		break;
	case CONF_OPTION_INTEGER:
		fprintf(out, "%" PRId64 "L", o->integer);
		break;
	case CONF_OPTION_NUMBER:
		print_number(o->number, out);
		break;
	case CONF_OPTION_BOOLEAN:
		fputs(o->integer ? "true" : "false", out);
		break;
	case CONF_OPTION_LIST:
		print_list(o, depth, out);
		break;
	case CONF_OPTION_GROUP:
		conf_options_print(o, depth, out);
		break;
	}
}

void conf_options_print(const struct conf_option *group, int depth, FILE *out)
{
	fputs("{\n", out);
	for (size_t i = 0; i < group->n; i++) {
		fprintf(out, "%*s%s = ", 2 * (depth + 1), "", group->members[i].name);
		print_value(&group->members[i], depth + 1, out);
		fputs(";\n", out);
	}
	fprintf(out, "%*s}", 2 * depth, "");
}

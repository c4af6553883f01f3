/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the effective configuration as a file that loads to the same configuration.
 */
#include <config.h>
#include "conf.h"

#include <ctype.h>

#include "conf_address.h"
#include "conf_options.h"
#include "conf_value.h"
#include "conf_workers.h"

static void print_name(const char *name, int depth, FILE *out)
{
	fprintf(out, "%*s%s = ", 2 * depth, "", name);
}

static const void *inner(const struct conf_key *key, const void *base)
{
	return (const char *)base + key->offset;
}

static bool is_printed(const struct conf_key *key, const void *base, unsigned variant)
{
	return key->type < KEY_GROUP && conf_keys_applies(key, variant) &&
	       conf_value_is_set(key, base);
}

static bool has_values(const struct conf_group *group, const void *base, unsigned variant)
{
	size_t i = 0;

	while (i < group->n_keys && !is_printed(&group->keys[i], base, variant))
		i++;
	return i < group->n_keys;
}

/* The scalar keys of a group that are set. */
static void print_values(const struct conf_group *group, const void *base, unsigned variant,
                         int depth, FILE *out)
{
	for (size_t i = 0; i < group->n_keys; i++) {
		const struct conf_key *key = &group->keys[i];

		if (!is_printed(key, base, variant))
			continue;
		print_name(key->name, depth, out);
		conf_value_print(key, base, out);
		fputs(";\n", out);
	}
}

/* Those that are written as a list. A single pair is dumped so, too. */
static void print_certificates(const struct conf_tls *tls, int depth, FILE *out)
{
	print_name("certificates", depth, out);
	fputs("(", out);
	for (size_t i = 0; i < tls->n_certificates; i++) {
		fprintf(out, "%s\n%*s{ chain = ", i ? "," : "", 2 * (depth + 1), "");
		conf_value_print_string(tls->certificates[i].chain, out);
		fputs("; key = ", out);
		conf_value_print_string(tls->certificates[i].key, out);
		fputs("; }", out);
	}
	fprintf(out, "\n%*s);\n", 2 * depth, "");
}

static void print_options(const struct conf_option *options, int depth, FILE *out)
{
	if (!options)
		return;
	print_name("options", depth, out);
	conf_options_print(options, depth, out);
	fputs(";\n", out);
}

static void print_group(const struct conf_key *key, const void *base, unsigned variant,
                        int depth, FILE *out)
{
	if (!has_values(key->group, inner(key, base), variant))
		return;
	print_name(key->name, depth, out);
	fputs("{\n", out);
	print_values(key->group, inner(key, base), variant, depth + 1, out);
	for (size_t i = 0; i < key->group->n_keys; i++)
		if (key->group->keys[i].type == KEY_GROUP)
			print_group(&key->group->keys[i], inner(key, base), variant, depth + 1, out);
		else if (key->group->keys[i].type == KEY_CERTIFICATES)
			print_certificates(inner(key, base), depth + 1, out);
		else if (key->group->keys[i].type == KEY_OPTIONS &&
		         conf_keys_applies(&key->group->keys[i], variant))
			print_options(*(struct conf_option *const *)inner(&key->group->keys[i], inner(key, base)),
			              depth + 1, out);
	fprintf(out, "%*s};\n", 2 * depth, "");
}

/* false, or the whole group. */
static void print_switched_group(const struct conf_key *key, const void *base, unsigned variant,
                                 int depth, FILE *out)
{
	if (*(const bool *)inner(key, base)) {
		print_group(key, base, variant, depth, out);
		return;
	}
	print_name(key->name, depth, out);
	fputs("false;\n", out);
}

/* What it is set to, on the line of what it stands in. */
static void print_switch(const struct conf_key *key, const void *base, FILE *out)
{
	const void *in = inner(key, base);

	fprintf(out, "%s = ", key->name);
	if (!*(const bool *)in) {
		fputs("false; ", out);
		return;
	}
	fputs("{ ", out);
	for (size_t i = 0; i < key->group->n_keys; i++) {
		fprintf(out, "%s = ", key->group->keys[i].name);
		conf_value_print(&key->group->keys[i], in, out);
		fputs("; ", out);
	}
	fputs("}; ", out);
}

static void print_listener(const struct conf_listen *l, const struct conf_group *keys, FILE *out)
{
	const unsigned variant = conf_address_variant(l);

	fputs("{ ", out);
	for (size_t i = 0; i < keys->n_keys; i++) {
		const struct conf_key *key = &keys->keys[i];

		if (key->type == KEY_SWITCH && conf_keys_applies(key, variant))
			print_switch(key, l, out);
		if (!is_printed(key, l, variant))
			continue;
		fprintf(out, "%s = ", key->name);
		conf_value_print(key, l, out);
		fputs("; ", out);
	}
	fputs("}", out);
}

/* The sockets of one listener share its text, and are written once. */
static void print_listen(const struct conf_listen *listen, size_t n, const struct conf_group *keys,
                         int depth, FILE *out)
{
	print_name("listen", depth, out);
	fputs("(\n", out);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && listen[i].text == listen[i - 1].text)
			continue;
		fprintf(out, "%s%*s", i ? ",\n" : "", 2 * (depth + 1), "");
		print_listener(&listen[i], keys, out);
	}
	fprintf(out, "\n%*s);\n", 2 * depth, "");
}

static void print_workers(const struct conf_workers *w, FILE *out)
{
	print_name("workers", 2, out);
	if (!w->ranged) {
		fprintf(out, "%d;\n", w->min);
		return;
	}
	fputs("{\n", out);
	print_values(&conf_keys_workers, w, conf_workers_kind(w), 3, out);
	fprintf(out, "%*s};\n", 4, "");
}

/*
 * The access log has defaults, and is nothing without its target. A service must say so if only it has
 * none.
 */
static bool is_absent(const struct conf *conf, const void *group, const struct conf_service *svc)
{
	if (group != &conf->access_log && !(svc && group == &svc->access_log))
		return false;
	return conf->access_log.target == LOG_TARGET_NONE &&
	       (!svc || svc->access_log.target == LOG_TARGET_NONE);
}

static void print_service(const struct conf *conf, const struct conf_service *svc, FILE *out)
{
	const enum handler_kind kind = svc->handler.kind;

	fprintf(out, "  %s = {\n", svc->name);
	print_listen(svc->listen, svc->n_listen, &conf_keys_listen, 2, out);
	print_workers(&svc->workers, out);
	print_values(&conf_keys_service, svc, kind, 2, out);
	for (size_t i = 0; i < conf_keys_service.n_keys; i++) {
		const struct conf_key *key = &conf_keys_service.keys[i];

		if (key->type == KEY_GROUP && !is_absent(conf, inner(key, svc), svc))
			print_group(key, svc, kind, 2, out);
		else if (key->type == KEY_SWITCH)
			print_switched_group(key, svc, kind, 2, out);
	}
	fputs("  };\n", out);
}

/* Nothing, if it is not configured. o is the first member of the group's struct. */
static void print_outlet(const struct conf_key *key, const struct conf_outlet *o, FILE *out)
{
	const void *group = o;

	if (o->n_listen == 0)
		return;
	print_name(key->name, 0, out);
	fputs("{\n", out);
	print_listen(o->listen, o->n_listen, &conf_keys_outlet_listen, 1, out);
	print_values(key->group, group, KEY_ANY_VARIANT, 1, out);
	for (size_t i = 0; i < key->group->n_keys; i++)
		if (key->group->keys[i].type == KEY_SWITCH)
			print_switched_group(&key->group->keys[i], group, KEY_ANY_VARIANT, 1, out);
	fputs("};\n", out);
}

static void print_top(const struct conf *conf, FILE *out)
{
	for (size_t i = 0; i < conf_keys_top.n_keys; i++) {
		const struct conf_key *key = &conf_keys_top.keys[i];

		/* What was included is here, and would be there twice. */
		if (key->type == KEY_LIST || !is_printed(key, conf, KEY_ANY_VARIANT))
			continue;
		print_name(key->name, 0, out);
		conf_value_print(key, conf, out);
		fputs(";\n", out);
	}
	for (size_t i = 0; i < conf_keys_top.n_keys; i++) {
		const struct conf_key *key = &conf_keys_top.keys[i];

		if (key->group == &conf_keys_metrics || key->group == &conf_keys_agent)
			print_outlet(key, inner(key, conf), out);
		else if (key->type == KEY_GROUP && !is_absent(conf, inner(key, conf), NULL))
			print_group(key, conf, KEY_ANY_VARIANT, 0, out);
	}
}

/* A file's name may hold a newline, which would end the comment. */
static void print_in_comment(const char *before, const char *name, FILE *out)
{
	fputs(before, out);
	for (; *name; name++)
		putc(iscntrl((unsigned char)*name) ? '?' : *name, out);
}

/* As a file would have it. The default socket is a comment: as a setting, it could be an error. */
static void spell_out(struct conf_control *c, FILE *out)
{
	if (!c->socket) {
		c->socket = "none";
	} else if (c->is_default) {
		fprintf(out, "# control.socket is the default, %s, if that can be had\n", c->socket);
		c->socket = NULL;
	}
}

void conf_dump(const struct conf *conf, FILE *out)
{
	struct conf shown = *conf;

	fputs("# The effective configuration", out);
	for (size_t i = 0; conf->file && conf->files_read[i]; i++)
		print_in_comment(i ? ", " : " of ", conf->files_read[i], out);
	fputs("\n", out);
	spell_out(&shown.control, out);
	print_top(&shown, out);
	fputs("services = {\n", out);
	for (size_t i = 0; i < conf->n_services; i++)
		print_service(conf, conf->services[i], out);
	fputs("};\n", out);
}

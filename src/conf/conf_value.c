/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads and prints values of all types. Numbers of every kind pass through one int64_t, so that
 * they share their range check.
 */
#include <config.h>
#include "conf_value.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "conf_access_format.h"
#include "suggest.h"
#include "units.h"

#define AS(type, p)    (*(type *)(p))   /* a member, by what conf_keys.h says it is */
#define TYPE_BIT(type) (1u << (type))

#define INTEGERS (TYPE_BIT(CONFIG_TYPE_INT) | TYPE_BIT(CONFIG_TYPE_INT64))
#define STRINGS  TYPE_BIT(CONFIG_TYPE_STRING)

#define RATE_MAX 1000000                /* a second */

static const struct {
	unsigned    settings;   /* libconfig's types that are taken: bits */
	const char *wanted;     /* what would be right */
} types[] = {
	[KEY_BOOL]     = { TYPE_BIT(CONFIG_TYPE_BOOL), "true or false" },
	[KEY_INT]      = { INTEGERS, "an integer" },
	[KEY_COUNT]    = { INTEGERS, "an integer" },
	[KEY_DURATION] = { INTEGERS | STRINGS | TYPE_BIT(CONFIG_TYPE_FLOAT),
	                   "a duration: seconds, or such as \"250ms\", \"30s\", \"5m\", \"1h\"" },
	[KEY_SIZE]     = { INTEGERS | STRINGS,
	                   "a size: bytes, or such as \"64k\", \"16M\", \"1G\"" },
	[KEY_MODE]     = { STRINGS, "an octal number in quotes, such as \"0660\"" },
	[KEY_STRING]   = { STRINGS, "a string that is not empty" },
	[KEY_PATH]     = { STRINGS, "an absolute path" },
	[KEY_RATE]     = { INTEGERS | STRINGS,
	                   "a rate: a number a second, or such as \"100/s\", \"30/m\", \"5/h\"" },
	[KEY_LIST]     = { STRINGS | TYPE_BIT(CONFIG_TYPE_ARRAY) | TYPE_BIT(CONFIG_TYPE_LIST),
	                   "a list of strings" },
	[KEY_ENUM]     = { STRINGS, "a string" },
	[KEY_FORMAT]   = { STRINGS, "a string" },
	[KEY_TARGET]   = { STRINGS,
	                   "\"stderr\", \"syslog\", \"journal\" or an absolute path" },
};

static const char *const target_names[] = {
	[LOG_TARGET_NONE] = "none", [LOG_TARGET_STDERR] = "stderr",
	[LOG_TARGET_SYSLOG] = "syslog", [LOG_TARGET_JOURNAL] = "journal",
};

const char *conf_value_kind(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "an integer";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	default:
		return "a list";
	}
}

static void *member_of(const struct conf_key *key, const void *base)
{
	return (char *)base + key->offset;
}

static bool is_name(const struct conf_key *key)
{
	return key->type == KEY_ENUM || key->type == KEY_FORMAT;
}

static bool is_number(const struct conf_key *key)
{
	return key->type <= KEY_MODE || is_name(key);
}

/* --- numbers --- */

static int64_t get_number(const struct conf_key *key, const void *member)
{
	switch (key->type) {
	case KEY_BOOL:
		return AS(const bool, member);
	case KEY_COUNT:
	case KEY_DURATION:
	case KEY_SIZE:
		return AS(const int64_t, member);
	default:
		return AS(const int, member);
	}
}

static void put_number(const struct conf_key *key, int64_t n, void *member)
{
	switch (key->type) {
	case KEY_BOOL:
		AS(bool, member) = n != 0;
		break;
	case KEY_COUNT:
	case KEY_DURATION:
	case KEY_SIZE:
		AS(int64_t, member) = n;        /* rlim_t has the same size */
		break;
	default:
		AS(int, member) = (int)n;
	}
}

static int parse_integer(const char *text, int64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoll(text, &end, 10);
	if (end == text || *end)
		errno = EINVAL;
	return errno ? -1 : 0;
}

static int parse_name(const char *const *names, const char *text, int64_t *n)
{
	for (*n = 0; names[*n]; ++*n)
		if (strcmp(names[*n], text) == 0)
			return 0;
	errno = EINVAL;
	return -1;
}

/* 0, or -1 with errno: EINVAL, ERANGE. */
static int number_of_text(const struct conf_key *key, const char *text, int64_t *n)
{
	int mode = 0, rc;

	switch (key->type) {
	case KEY_BOOL:
		*n = strcmp(text, "true") == 0;
		return 0;
	case KEY_DURATION:
		return units_parse_duration(text, n);
	case KEY_SIZE:
		return units_parse_size(text, n);
	case KEY_MODE:
		rc = units_parse_mode(text, &mode);
		*n = mode;
		return rc;
	case KEY_ENUM:
	case KEY_FORMAT:
		return parse_name(key->names, text, n);
	default:
		return parse_integer(text, n);
	}
}

static int number_of_setting(const struct conf_key *key, const config_setting_t *setting,
                             int64_t *n)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_STRING:
		return number_of_text(key, config_setting_get_string(setting), n);
	case CONFIG_TYPE_FLOAT:
		return units_duration_of_fraction(config_setting_get_float(setting), n);
	case CONFIG_TYPE_BOOL:
		*n = config_setting_get_bool(setting);
		return 0;
	default:
		*n = config_setting_get_int64(setting);
		return key->type == KEY_DURATION ? units_duration_of_seconds(*n, n) : 0;
	}
}

static const char *format_number(const struct conf_key *key, int64_t n, char *buf)
{
	switch (key->type) {
	case KEY_BOOL:
		return n ? "true" : "false";
	case KEY_DURATION:
		return units_format_duration(n, buf);
	case KEY_SIZE:
		return units_format_size(n, buf);
	case KEY_MODE:
		return units_format_mode((int)n, buf);
	case KEY_ENUM:
	case KEY_FORMAT:
		return key->names[n];
	default:
		/* libconfig 1.5 wraps what has no L beyond 32 bits. */
		snprintf(buf, UNITS_TEXT_MAX, "%" PRId64 "%s", n, n > INT_MAX ? "L" : "");
		return buf;
	}
}

/* "one of "a", "b", "c"", with the nearest one if text is a slip. */
static void complain_of_name(struct conf_loader *ld, const struct conf_key *key,
                             const config_setting_t *setting, const char *text)
{
	struct suggest s = suggest_for(text);
	char all[256] = "";

	for (size_t i = 0; key->names[i]; i++) {
		size_t len = strlen(all);

		suggest_offer(&s, key->names[i]);
		snprintf(all + len, sizeof all - len, "%s\"%s\"", i ? ", " : "", key->names[i]);
	}
	if (s.best)
		conf_source_complain(ld, setting, "cannot be \"%s\" (did you mean \"%s\"?)",
		                     text, s.best);
	else
		conf_source_complain(ld, setting, "cannot be \"%s\" (one of %s%s)", text, all,
		                     key->type != KEY_FORMAT ? "" :
		                     ", or a template such as \"{time} {peer} {how}\"");
}

/* It would become 0, which means something else. */
static bool is_less_than_a_millisecond(const config_setting_t *setting)
{
	const double value = config_setting_type(setting) == CONFIG_TYPE_FLOAT ?
	                     config_setting_get_float(setting) : 0;

	return value > 0 && value < 0.001;
}

static void load_number(struct conf_loader *ld, const struct conf_key *key,
                        const config_setting_t *setting, void *member)
{
	const bool bounded = key->type != KEY_BOOL && !is_name(key);
	char lo[UNITS_TEXT_MAX], hi[UNITS_TEXT_MAX];
	int64_t n;

	if (number_of_setting(key, setting, &n) == -1 && errno == EINVAL) {
		if (is_name(key))
			complain_of_name(ld, key, setting, config_setting_get_string(setting));
		else
			conf_source_complain(ld, setting, "is malformed (%s)",
			                     types[key->type].wanted);
	} else if (errno == ERANGE && is_less_than_a_millisecond(setting) && key->min == 0) {
		conf_source_complain(ld, setting, "is less than a millisecond (0, or %s to %s)",
		                     format_number(key, 1, lo), format_number(key, key->max, hi));
	} else if (errno == ERANGE || (bounded && (n < key->min || n > key->max))) {
		conf_source_complain(ld, setting, "is out of range (%s to %s)",
		                     format_number(key, key->min, lo),
		                     format_number(key, key->max, hi));
	} else {
		put_number(key, n, member);
	}
}

/* --- rates --- */

/* 0, or -1 with errno: EINVAL, ERANGE. */
static int rate_of_setting(const config_setting_t *setting, struct units_rate *rate)
{
	if (config_setting_type(setting) == CONFIG_TYPE_STRING)
		return units_parse_rate(config_setting_get_string(setting), rate);
	*rate = (struct units_rate){ .count = config_setting_get_int64(setting), .per_ms = 1000 };
	return 0;
}

static void load_rate(struct conf_loader *ld, const config_setting_t *setting, void *member)
{
	struct units_rate rate = { .count = -1, .per_ms = 1000 };

	if (rate_of_setting(setting, &rate) == -1 && errno == EINVAL)
		conf_source_complain(ld, setting, "is malformed (%s)", types[KEY_RATE].wanted);
	else if (rate.count == 0)
		conf_source_complain(ld, setting, "is 0 (leave the key out for no limit)");
	else if (rate.count < 0 || rate.count > RATE_MAX * (rate.per_ms / 1000))
		conf_source_complain(ld, setting, "is out of range (1/d to %d/s)", RATE_MAX);
	else
		AS(struct units_rate, member) = rate;
}

/* --- strings and lists --- */

static void load_string(struct conf_loader *ld, const struct conf_key *key,
                        const config_setting_t *setting, void *member)
{
	const char *text = config_setting_get_string(setting);

	if (*text == '\0' || (key->type == KEY_PATH && *text != '/'))
		conf_source_complain(ld, setting, "must be %s", types[key->type].wanted);
	else if (key->type == KEY_PATH && strlen(text) >= PATH_MAX)
		conf_source_complain(ld, setting, "is too long (less than %d bytes)", PATH_MAX);
	else
		AS(const char *, member) = conf_loader_strdup(ld, text);
}

static void load_list(struct conf_loader *ld, const config_setting_t *setting, void *member)
{
	const bool single = config_setting_type(setting) == CONFIG_TYPE_STRING;
	const int n = single ? 1 : config_setting_length(setting);
	const char **list = conf_loader_alloc(ld, (size_t)(n + 1) * sizeof *list);

	for (int i = 0; i < n; i++) {
		const config_setting_t *item = single ? setting : conf_source_item(setting, i);

		if (config_setting_type(item) != CONFIG_TYPE_STRING) {
			conf_source_complain(ld, item, "must be a list of strings, but holds %s",
			                     conf_value_kind(item));
			return;
		}
		list[i] = conf_loader_strdup(ld, config_setting_get_string(item));
	}
	AS(const char **, member) = list;
}

static bool may_be_none(const struct conf_key *key)
{
	return strcmp(key->standard, target_names[LOG_TARGET_NONE]) == 0;
}

static bool set_target(struct conf_loader *ld, const struct conf_key *key, struct conf_log *log,
                       const char *text)
{
	for (int t = may_be_none(key) ? LOG_TARGET_NONE : LOG_TARGET_STDERR; t <= LOG_TARGET_JOURNAL; t++) {
		if (strcmp(text, target_names[t]) == 0) {
			log->target = (enum log_target)t;
			log->path = NULL;
			return true;
		}
	}
	if (*text != '/')
		return false;
	log->target = LOG_TARGET_FILE;
	log->path = conf_loader_strdup(ld, text);
	return true;
}

/* --- any type --- */

void conf_value_reset(struct conf_loader *ld, const struct conf_key *key, void *base)
{
	void *member = member_of(key, base);
	int64_t n = key->type == KEY_MODE ? CONF_KEEP : is_name(key) ? -1 : 0;

	if (key->type == KEY_TARGET) {
		set_target(ld, key, base, key->standard);
	} else if (key->type == KEY_RATE) {
		AS(struct units_rate, member) = (struct units_rate){ 0 };
	} else if (key->type == KEY_LIST) {
		AS(const char **, member) = conf_loader_alloc(ld, sizeof(const char *));
	} else if (!is_number(key)) {
		AS(const char *, member) =
			key->standard ? conf_loader_strdup(ld, key->standard) : NULL;
	} else {
		if (key->standard)
			number_of_text(key, key->standard, &n);
		put_number(key, n, member);
	}
}

void conf_value_load(struct conf_loader *ld, const struct conf_key *key,
                     const config_setting_t *setting, void *base)
{
	const int type = config_setting_type(setting);
	void *member = member_of(key, base);

	if (!(types[key->type].settings & TYPE_BIT(type))) {
		conf_source_complain(ld, setting, "must be %s, not %s%s",
		                     types[key->type].wanted, conf_value_kind(setting),
		                     key->type == KEY_MODE && type == CONFIG_TYPE_INT ?
		                     ": an integer 0660 would be read as decimal 660" : "");
		return;
	}
	if (key->given)
		AS(bool, (char *)base + key->given) = true;
	errno = 0;
	if (key->type == KEY_FORMAT && conf_access_format_load(ld, setting, base))
		return;
	if (is_number(key))
		load_number(ld, key, setting, member);
	else if (key->type == KEY_RATE)
		load_rate(ld, setting, member);
	else if (key->type == KEY_LIST)
		load_list(ld, setting, member);
	else if (key->type != KEY_TARGET)
		load_string(ld, key, setting, member);
	else if (!set_target(ld, key, base, config_setting_get_string(setting)))
		conf_source_complain(ld, setting, "must be %s%s", types[KEY_TARGET].wanted,
		                     may_be_none(key) ? ", or \"none\"" : "");
}

bool conf_value_is_set(const struct conf_key *key, const void *base)
{
	const void *member = member_of(key, base);

	if (key->given)
		return AS(const bool, (const char *)base + key->given);
	if (key->type == KEY_TARGET)
		return true;
	if (key->type == KEY_MODE)
		return AS(const int, member) != CONF_KEEP;
	if (key->type == KEY_RATE)
		return AS(const struct units_rate, member).count > 0;
	if (key->type == KEY_INT && !key->standard && key->min > 0)
		return AS(const int, member) > 0;       /* 0 cannot be written: it was not given */
	return is_number(key) || AS(const char *const, member);
}

void conf_value_print_string(const char *s, FILE *out)
{
	putc('"', out);
	for (; *s; s++) {
		const unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}

static void print_list(const char *const *items, FILE *out)
{
	fputs("[", out);
	for (size_t i = 0; items[i]; i++) {
		fputs(i ? ", " : " ", out);
		conf_value_print_string(items[i], out);
	}
	fputs(" ]", out);
}

void conf_value_print(const struct conf_key *key, const void *base, FILE *out)
{
	const struct conf_log *log = base;
	const void *member = member_of(key, base);
	char buf[UNITS_TEXT_MAX];

	if (key->type == KEY_RATE)
		fprintf(out, "\"%s\"", units_format_rate(member, buf));
	else if (key->type == KEY_LIST)
		print_list(AS(const char *const *const, member), out);
	else if (key->type == KEY_FORMAT && log->format == LOG_FORMAT_TEMPLATE)
		conf_value_print_string(log->template.text, out);
	else if (key->type == KEY_TARGET)
		conf_value_print_string(log->target == LOG_TARGET_FILE ?
		                        log->path : target_names[log->target], out);
	else if (!is_number(key))
		conf_value_print_string(AS(const char *const, member), out);
	else if (types[key->type].settings & STRINGS)
		fprintf(out, "\"%s\"", format_number(key, get_number(key, member), buf));
	else
		fputs(format_number(key, get_number(key, member), buf), out);
}

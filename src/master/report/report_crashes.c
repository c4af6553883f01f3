/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes answers from crash reports in files: the content of a file, and its name.
 */
#include <config.h>
#include "report_crashes.h"

#include "crash_files.h"

/* NULL if there is none. */
static json_t *report_of(const char *state_dir, const char *name)
{
	json_t *report = crash_files_read(state_dir, name);

	if (report)
		json_object_set_new(report, "name", json_string(name));
	return report;
}

/* What a list has of it. NULL if it is just being written, or removed. */
static json_t *short_report_of(const char *state_dir, const char *name)
{
	json_t *report = report_of(state_dir, name);

	json_object_del(report, "input");
	return report;
}

static void put_list(const char *state_dir, struct answer_writer *o)
{
	struct crash_names names = crash_files_list(state_dir);

	answer_writer_begin_list(o, "crashes");
	for (size_t i = 0; i < names.n && !o->failed; i++) {
		json_t *report = short_report_of(state_dir, names.all[i]);

		if (report)
			answer_writer_item(o, report);
	}
	answer_writer_end_list(o);
	crash_files_free(&names);
}

json_t *report_crashes_last(const char *state_dir, size_t n)
{
	struct crash_names names = crash_files_list(state_dir);
	json_t *list = json_array();

	for (size_t i = names.n > n ? names.n - n : 0; i < names.n; i++) {
		json_t *report = short_report_of(state_dir, names.all[i]);

		if (report)
			json_array_append_new(list, report);
	}
	crash_files_free(&names);
	return list;
}

static void put_one(const char *state_dir, const char *name, struct answer_writer *o)
{
	json_t *report = report_of(state_dir, name);

	if (report) {
		answer_writer_result(o, json_pack("{s:o}", "crash", report));
	} else if (crash_files_is_name(name)) {
		answer_writer_answer(o, control_error_text(CONTROL_NO_SUCH_CRASH,
		                                           "there is no such crash report"));
	} else {
		answer_writer_answer(o, control_error_text(CONTROL_BAD_REQUEST,
		                                           "crash must be the name of a report"));
	}
}

void report_crashes(void *data, const struct control_request *r, struct answer_writer *o)
{
	const char *state_dir = data;

	if (r->crash)
		put_one(state_dir, r->crash, o);
	else
		put_list(state_dir, o);
}

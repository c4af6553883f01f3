/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The handlers module and lua in a configuration: their keys, options of every type, and everything
 * that can be wrong with a module. Modules are those of tests/modules.
 */
#include <config.h>
#include "conf_harness.h"

#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <drover/module.h>

static char folder[PATH_MAX];           /* where the modules are, and DROVER_MODULES */
static char me[64];                     /* root's workers need a user */

static const char *module_path(const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

/* As by printf(3); at most two of them are used at a time. */
static __attribute__((format(printf, 1, 2))) const char *text_of(const char *format, ...)
{
	static char *texts[2];
	static int next;
	va_list ap;

	next = !next;
	free(texts[next]);
	va_start(ap, format);
	ck_assert_int_ne(vasprintf(&texts[next], format, ap), -1);
	va_end(ap);
	return texts[next];
}

/* A configuration with a service that has that handler, on line 3, and more keys after it. */
static struct conf *load_handler(const char *handler, const char *rest)
{
	return load(text_of("user = \"%s\";\nservices = { s = { listen = \"127.0.0.1:0\";\n"
	                    "handler = { %s };\n%s }; };", me, handler, rest));
}

static struct conf *load_module(const char *name, const char *options, const char *rest)
{
	return load_handler(text_of("type = \"module\"; path = \"%s\"; options = { %s };",
	                            module_path(name), options), rest);
}

static const struct conf_module *module_of(const struct conf *conf)
{
	ck_assert_msg(conf != NULL, "%s", complaints);
	return &conf->services[0]->handler.module;
}

static void set_up(void)
{
	const struct passwd *pw = getpwuid(geteuid());

	ck_assert_ptr_nonnull(pw);
	snprintf(me, sizeof me, "%s", pw->pw_name);
	unit_enter_folder();
	ck_assert_ptr_nonnull(getenv("top_builddir"));
	snprintf(folder, sizeof folder, "%s/tests/modules", getenv("top_builddir"));
}

static void tear_down(void)
{
	arena_close(&arena);
	unit_leave_folder();
}

/* ---- what a module is ------------------------------------------------------ */

START_TEST(a_module_is_known_by_its_own_name_and_version)
{
	const struct conf_module *m = module_of(load_module("probe.so", "", ""));

	ck_assert_str_eq(m->name, "probe");
	ck_assert_str_eq(m->version, "1");
	ck_assert_uint_eq(m->flags, 0);
	ck_assert_str_eq(m->path, module_path("probe.so"));
	ck_assert_uint_gt(m->file.inode, 0);
} END_TEST

START_TEST(a_name_without_slash_is_a_file_in_the_folder_of_modules)
{
	ck_assert_int_eq(setenv("DROVER_MODULES", folder, 1), 0);
	ck_assert_str_eq(module_of(load_handler("type = \"module\"; path = \"probe.so\";", ""))->path,
	                 module_path("probe.so"));
	unsetenv("DROVER_MODULES");
} END_TEST

START_TEST(a_module_that_may_block_has_one_connection_and_no_hang_timeout)
{
	const struct conf *conf = load_module("blocking.so", "", "connections = 1;");

	ck_assert_uint_eq(module_of(conf)->flags, DROVER_BLOCKING);
	ck_assert_int_eq(conf->services[0]->hang_timeout, 0);
	conf = load_module("blocking.so", "", "connections = 1; hang_timeout = \"5s\";");
	ck_assert_int_eq(conf->services[0]->hang_timeout, 5000);
	conf = load_module("probe.so", "", "");
	ck_assert_int_gt(conf->services[0]->hang_timeout, 0);
} END_TEST

/* ---- what is wrong with a handler -------------------------------------------- */

static const struct { const char *handler, *rest, *complaint; } wrong_handlers[] = {
	{ "type = \"module\";", "", "t.conf:3: services.s.handler needs path (the shared object of the module)\n" },
	{ "type = \"module\"; path = \"a/b.so\";", "", "t.conf:3: services.s.handler.path is \"a/b.so\" (an"
	  " absolute path, or the name of a file in " },
	{ "type = \"module\"; path = \"/x\"; options = 1;", "", "t.conf:3: services.s.handler.options must be a"
	  " group, as in { ... }, not " },
	{ "type = \"module\"; path = \"/no/such/file.so\";", "", "t.conf:3: services.s.handler cannot use the"
	  " module /no/such/file.so: No such file or directory\n" },
	{ "type = \"module\"; path = \"/tmp\";", "", "cannot use the module /tmp: it is no regular file\n" },
	{ "type = \"module\"; path = \"/x\"; script = \"/y\";", "", "t.conf:3: services.s.handler.script" },
	{ "type = \"module\"; path = \"/x\"; argv = \"/y\";", "", "t.conf:3: services.s.handler.argv" },
	{ "type = \"echo\"; path = \"/x\";", "", "t.conf:3: services.s.handler.path" },
	{ "type = \"echo\"; options = { };", "", "t.conf:3: services.s.handler.options" },
	{ "type = \"exec\"; argv = \"/bin/cat\"; path = \"/x\";", "", "t.conf:3: services.s.handler.path" },
	{ "type = \"filter\"; argv = \"/bin/cat\"; framing = \"line\"; memory = \"1M\";", "",
	  "t.conf:3: services.s.handler.memory" },
	{ "type = \"lua\";", "", "t.conf:3: services.s.handler needs script (the path of a Lua script)\n" },
	{ "type = \"lua\"; script = \"/x\"; path = \"/y\";", "", "t.conf:3: services.s.handler.path" },
};

START_TEST(what_is_wrong_with_a_handler_has_its_file_and_line)
{
	ck_assert_ptr_null(load_handler(wrong_handlers[_i].handler, wrong_handlers[_i].rest));
	unit_contains(complaints, wrong_handlers[_i].complaint);
} END_TEST

/* ---- what is wrong with a module ---------------------------------------------- */

/* Changes bytes in a copy of the probe. */
static const char *patched(const char *what, size_t what_len, size_t offset, const void *bytes, size_t len)
{
	static char path[PATH_MAX], image[1u << 21];
	FILE *f = fopen(module_path("probe.so"), "re");
	size_t n;
	char *at;

	ck_assert_ptr_nonnull(f);
	n = fread(image, 1, sizeof image, f);
	fclose(f);
	ck_assert_uint_lt(n, sizeof image);
	at = memmem(image, n, what, what_len);
	ck_assert_ptr_nonnull(at);
	memcpy(at + offset, bytes, len);
	ck_assert_ptr_nonnull(getcwd(path, sizeof path - 16));
	strcat(path, "/patched.so");
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(image, 1, n, f), n);
	fclose(f);
	return path;
}

static const char *with_header(size_t offset, const void *bytes, size_t len)
{
	const struct { uint32_t magic; uint16_t major, minor; } begin = { DROVER_MODULE_MAGIC, 1, 0 };

	return patched((const char *)&begin, sizeof begin, offset, bytes, len);
}

static void check_refused(const char *file, const char *why)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s", file);        /* text_of may have made it */
	ck_assert_ptr_null(load_handler(text_of("type = \"module\"; path = \"%s\";", path), ""));
	unit_contains(complaints, text_of("t.conf:3: services.s.handler cannot use the module %s: ", path));
	unit_contains(complaints, why);
}

START_TEST(a_module_for_another_interface_is_refused)
{
	const uint32_t magic = 7;
	const uint16_t two = 2;
	const size_t small = 64, large = sizeof(struct drover_module) + 8;

	check_refused(with_header(0, &magic, 4), "begins with 0x00000007");
	check_refused(with_header(4, &two, 2), "it is built for version 2.0 of the interface (this drover has 1.0");
	check_refused(with_header(6, &two, 2), "it needs a newer drover");
	check_refused(with_header(8, &small, 8), "its descriptor has 64 bytes");
	ck_assert_str_eq(module_of(load_handler(text_of("type = \"module\"; path = \"%s\";",
	                                                with_header(8, &large, 8)), ""))->name, "probe");
} END_TEST

START_TEST(a_module_for_another_machine_is_refused)
{
	static const unsigned char elf[] = { 0x7f, 'E', 'L', 'F' }, none[] = { 0xfe, 0xca };

	check_refused(patched((const char *)elf, sizeof elf, 18, none, sizeof none), "cannot open shared object file");
} END_TEST

static const struct { const char *module, *why; } odd[] = {
	{ "no_symbol.so",  "it exports no drover_module_v1 (see drover_module(3))" },
	{ "unresolved.so", "undefined symbol: no_such_function_anywhere" },
	{ "ctor_crash.so", "the process that tried it" },
	{ "ctor_exit.so",  "while it was loaded" },
};

START_TEST(a_module_that_cannot_be_loaded_is_refused)
{
	check_refused(module_path(odd[_i].module), odd[_i].why);
} END_TEST

START_TEST(a_text_and_a_fifo_are_no_modules)
{
	char cwd[PATH_MAX];
	FILE *f = fopen("text.so", "we");

	ck_assert_ptr_nonnull(f);
	fputs("#!/bin/sh\n", f);
	fclose(f);
	ck_assert_int_eq(mkfifo("fifo.so", 0600), 0);
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof cwd));
	check_refused(text_of("%s/text.so", cwd), ": file too short");
	check_refused(text_of("%s/fifo.so", cwd), ": it is no regular file");
} END_TEST

START_TEST(a_module_that_the_user_of_the_service_cannot_read_is_refused)
{
	const char *path;

	if (geteuid() != 0) {
		printf("# skipped: a module that its user cannot read (only root can do that)\n");
		return;
	}
	path = with_header(4, &(uint16_t){ 1 }, 2);
	ck_assert_int_eq(chmod(path, 0600), 0);
	strcpy(me, "nobody");
	check_refused(path, "Permission denied");
} END_TEST

/* ---- what a module says of its options ----------------------------------------- */

static const struct { const char *name, *options, *complaint; } wrong_options[] = {
	{ "unknown", "\n colour = 1;", "t.conf:4: services.s.handler.options.colour is not known to the module probe 1\n" },
	{ "of another type", "\n\n on = \"yes\";", "t.conf:5: services.s.handler.options.on must be true or false, not a string\n" },
	{ "a complaint of the module", "configure = \"complain\";",
	  "t.conf:3: services.s.handler.options.configure is \"complain\" (the probe 1 says no)\n" },
	{ "deep inside", "list = ( { a = ( \"x\",\n\"wrong\" ); } );", "t.conf:4: services.s.handler.options.list.a is wrong\n" },
	{ "no reason", "configure = \"refuse\";", "cannot use the module" },
	{ "no reason", "configure = \"refuse\";", "it refuses its options, and does not say why\n" },
	{ "it exits", "configure = \"exit\";", "the process that tried it " },
	{ "it crashes", "crash = \"configure\";", " in its configure\n" },
	{ "what drover did not write", "configure = \"garbage\";", "says too much, or what is not understood\n" },
};

START_TEST(what_is_wrong_with_options_has_their_file_and_line)
{
	ck_assert_ptr_null(load_module("probe.so", wrong_options[_i].options, ""));
	unit_contains(complaints, wrong_options[_i].complaint);
} END_TEST

START_TEST(a_module_without_configure_knows_no_option)
{
	ck_assert_ptr_null(load_module("producer.so", "a = 1; b = { c = 1; };", ""));
	ck_assert_str_eq(complaints, "t.conf:3: services.s.handler.options.a is not known to the module producer 1\n"
	                             "t.conf:3: services.s.handler.options.b is not known to the module producer 1\n");
} END_TEST

START_TEST(a_module_that_may_block_needs_one_connection)
{
	ck_assert_ptr_null(load_module("blocking.so", "", ""));
	unit_contains(complaints, "connections = 1");
	unit_contains(complaints, "t.conf:3: ");
} END_TEST

/* A process that the module starts does not outlive the check, and does not delay it. */
START_TEST(a_process_that_a_module_starts_while_it_is_checked_is_ended)
{
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	module_of(load_module("probe.so", "configure = \"fork\";", ""));
	while (wait(NULL) != -1 || errno == EINTR)
		continue;
	ck_assert_int_eq(errno, ECHILD);
} END_TEST

/* Not even a module that looks for it can change the configuration, or anything else of its parent. */
START_TEST(a_module_shares_no_memory_with_what_checks_it)
{
	module_of(load_module("probe.so", "configure = \"shared\";", ""));
} END_TEST

START_TEST(a_module_that_does_not_come_to_an_end_is_refused)
{
	ck_assert_ptr_null(load_module("probe.so", "configure = \"hang\";", ""));
	unit_contains(complaints, "it does not come to an end in its configure (10 s)\n");
} END_TEST

START_TEST(modules_are_not_tried_if_something_else_is_wrong)
{
	ck_assert_ptr_null(load_module("ctor_crash.so", "", "no_such_key = 1;"));
	ck_assert_ptr_null(strstr(complaints, "cannot use the module"));
} END_TEST

/* ---- options ------------------------------------------------------------------- */

#define EVERY_TYPE \
	"tree = { text = \"a \\\"quoted\\\" \\\\ text\\n\\t\\x07\"; small = -1; large = 9223372036854775807L;" \
	" least = -9223372036854775807L; hex = 0xff; whole = 2.0; tiny = 1e-300; huge = 1.7976931348623157e308;" \
	" third = 0.1; yes = true; no = false; none = { }; empty = ( ); array = [ 1, 2, 3 ];" \
	" mixed = ( 1, \"two\", 3.5, [ true, false ], { four = 4; }, ( ) ); };"

static void check_same(const struct conf_option *a, const struct conf_option *b)
{
	ck_assert_int_eq(a->type, b->type);
	ck_assert_str_eq(a->full_name, b->full_name);
	ck_assert(!a->name == !b->name && (!a->name || strcmp(a->name, b->name) == 0));
	ck_assert(!a->text == !b->text && (!a->text || strcmp(a->text, b->text) == 0));
	ck_assert_int_eq(a->integer, b->integer);
	ck_assert(a->number <= b->number && a->number >= b->number);
	ck_assert_uint_eq(a->n, b->n);
	ck_assert_uint_eq(a->number_in_tree, b->number_in_tree);
	for (size_t i = 0; i < a->n; i++)
		check_same(&a->members[i], &b->members[i]);
}

START_TEST(options_of_every_type_are_printed_so_that_they_load_again)
{
	struct arena first;
	const struct conf *conf = load_module("probe.so", EVERY_TYPE, "");
	const struct conf_module *m = module_of(conf);
	char *text = dump(conf), *again;

	first = arena;
	arena = (struct arena){ 0 };
	conf = load(text);
	check_same(m->options, module_of(conf)->options);
	ck_assert_uint_eq(m->n_options, module_of(conf)->n_options);
	again = dump(conf);
	ck_assert_str_eq(text, again);
	free(text);
	free(again);
	arena_close(&first);
} END_TEST

START_TEST(options_can_come_from_a_default)
{
	const struct conf_module *m;

	m = module_of(load(text_of("user = \"%s\"; defaults = { handler = { type = \"module\"; path = \"%s\";\n"
	         "options = { integer = 7; }; }; };\nservices = { s = { listen = \"127.0.0.1:0\"; }; };", me,
	                           module_path("probe.so"))));
	ck_assert_uint_eq(m->options->n, 1);
	ck_assert_int_eq(m->options->members[0].integer, 7);
} END_TEST

/* ---- lua ------------------------------------------------------------------------ */

/* The folder of modules has another one under the name of the one that runs scripts. */
START_TEST(keys_of_lua_become_options_of_its_module)
{
	static const char *const names[] = { "script", "framing", "memory", "instructions", "time", "options" };
	char cwd[PATH_MAX];

	ck_assert_ptr_nonnull(getcwd(cwd, sizeof cwd));
	ck_assert_int_eq(system(text_of("cp '%s' lua.so", module_path("producer.so"))), 0);
	setenv("DROVER_MODULES", cwd, 1);
	ck_assert_ptr_null(load_handler("type = \"lua\"; script = \"/s.lua\"; framing = \"line\"; memory = \"8M\";"
	                                " instructions = 5000; time = \"2s\"; options = { a = 1; };", ""));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unit_contains(complaints, text_of("t.conf:3: services.s.handler.%s is not known to the module"
		                                  " producer 1\n", names[i]));
	unsetenv("DROVER_MODULES");
} END_TEST

int main(void)
{
	Suite *s = suite_create("conf_module");
	TCase *tc = unit_case(s, "conf_module", set_up, tear_down);

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_module_is_known_by_its_own_name_and_version);
	tcase_add_test(tc, a_name_without_slash_is_a_file_in_the_folder_of_modules);
	tcase_add_test(tc, a_module_that_may_block_has_one_connection_and_no_hang_timeout);
	tcase_add_loop_test(tc, what_is_wrong_with_a_handler_has_its_file_and_line, 0, ARRAY_SIZE(wrong_handlers));
	tcase_add_test(tc, a_module_for_another_interface_is_refused);
	tcase_add_test(tc, a_module_for_another_machine_is_refused);
	tcase_add_loop_test(tc, a_module_that_cannot_be_loaded_is_refused, 0, ARRAY_SIZE(odd));
	tcase_add_test(tc, a_text_and_a_fifo_are_no_modules);
	tcase_add_test(tc, a_module_that_the_user_of_the_service_cannot_read_is_refused);
	tcase_add_loop_test(tc, what_is_wrong_with_options_has_their_file_and_line, 0, ARRAY_SIZE(wrong_options));
	tcase_add_test(tc, a_module_without_configure_knows_no_option);
	tcase_add_test(tc, a_module_that_may_block_needs_one_connection);
	tcase_add_test(tc, a_process_that_a_module_starts_while_it_is_checked_is_ended);
	tcase_add_test(tc, a_module_shares_no_memory_with_what_checks_it);
	tcase_add_test(tc, a_module_that_does_not_come_to_an_end_is_refused);
	tcase_add_test(tc, modules_are_not_tried_if_something_else_is_wrong);
	tcase_add_test(tc, options_of_every_type_are_printed_so_that_they_load_again);
	tcase_add_test(tc, options_can_come_from_a_default);
	tcase_add_test(tc, keys_of_lua_become_options_of_its_module);
	return unit_run(s);
}

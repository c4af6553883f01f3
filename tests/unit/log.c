/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server's log: one event, one line, whatever is in it and whatever takes it.
 */
#include <config.h>
#include "log.h"

#include <ctype.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "log_sink.h"
#include "unit.h"

#define NEWEST "log.txt"

static struct log_sink *sink;

static void close_sink(void)
{
	log_use(NULL, LOG_LEVEL_INFO);
	log_sink_close(&sink);
	unit_leave_folder();
}

static void open_file(enum log_format format, enum log_level level)
{
	sink = log_sink_open(LOG_TARGET_FILE, NEWEST, format);
	ck_assert_msg(sink != NULL, "%m");
	log_use(sink, level);
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

/* ---- JSON, as much of it as a line of ours is --------------------------- */

static const char *skip_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)   /* NUL: not closed */
			return NULL;
		if (*p == '\\' && !strchr("\"\\/bfnrt", *++p))
			return NULL;
		if (*p == '\0')
			return NULL;
	}
	return p + 1;
}

/* One object of strings and numbers, and a newline. */
static bool is_json_line(const char *p)
{
	if (*p++ != '{')
		return false;
	for (;; p++) {
		p = skip_string(p);
		if (!p || *p++ != ':')
			return false;
		if (*p == '"')
			p = skip_string(p);
		else
			p += strspn(p, "0123456789.-");
		if (!p || (*p != ',' && *p != '}'))
			return false;
		if (*p == '}')
			return strcmp(p, "}\n") == 0;
	}
}

static const struct { const char *line; bool want; } json_lines[] = {
	{ "{\"a\":\"b\",\"n\":12}\n", true },
	{ "{\"a\":\"\\\\x0a\\\"\"}\n", true },
	{ "{\"a\":\"b}\n", false },
	{ "{\"a\":\"\\x0a\"}\n", false },
	{ "{\"a\":\"b\\\"}\n", false },
	{ "{\"a\":\"b\"}\n{\"a\":\"b\"}\n", false },
	{ "{\"a\":\"b\"}", false },
	{ "{\"a\":\"b\nc\"}\n", false },
};

START_TEST(our_judge_of_json_knows_what_is_broken)
{
	ck_assert_msg(is_json_line(json_lines[_i].line) == json_lines[_i].want, "%s", json_lines[_i].line);
} END_TEST

/* ---- lines -------------------------------------------------------------- */

START_TEST(a_line_has_time_level_pid_and_message)
{
	const char *text;
	char want[64];

	open_file(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	log_warn("disk %s is %d %% full", "a", 93);
	text = unit_read_file(NEWEST);
	snprintf(want, sizeof want, "00 warning %d disk a is 93 %% full\n", (int)getpid());
	ck_assert_msg(isdigit((unsigned char)text[0]) && text[10] == 'T', "%s", text);
	ck_assert_msg(strlen(text) == 29 + strlen(want) - 2, "%s", text);
	ck_assert_str_eq(text + 27, want);
} END_TEST

START_TEST(a_json_line_has_the_same)
{
	const char *text;
	char want[128];

	open_file(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	log_err("say \"%s\"", "c:\\");
	text = unit_read_file(NEWEST);
	snprintf(want, sizeof want,
	         "\",\"level\":\"error\",\"pid\":%d,\"message\":\"say \\\"c:\\\\\\\"\"}\n",
	         (int)getpid());
	ck_assert_msg(is_json_line(text), "%s", text);
	ck_assert_int_eq(strncmp(text, "{\"time\":\"", 9), 0);
	unit_contains(text, want);
} END_TEST

START_TEST(less_important_lines_are_left_out)
{
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		open_file(LOG_FORMAT_TEXT, (enum log_level)level);
		log_err("1");
		log_warn("2");
		log_info("3");
		log_debug("4");
		ck_assert_uint_eq(count(unit_read_file(NEWEST), '\n'), (size_t)level + 1);
		log_sink_close(&sink);
		unlink(NEWEST);
	}
} END_TEST

START_TEST(errno_is_in_the_line_and_stays_as_it_was)
{
	open_file(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	errno = ENOTDIR;
	log_info("open: %m");
	ck_assert_int_eq(errno, ENOTDIR);
	unit_contains(unit_read_file(NEWEST), "open: Not a directory\n");
	log_debug("%m");
	ck_assert_int_eq(errno, ENOTDIR);
} END_TEST

static const enum log_format formats[] = { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

START_TEST(hostile_bytes_cannot_forge_a_line)
{
	static const char evil[] = "x\n2026-01-01T00:00:00.000+00:00 error 1 forged\r\033[2J\"}\n{\"";
	const char *text;

	open_file(formats[_i], LOG_LEVEL_INFO);
	log_info("from a client: %s", evil);
	text = unit_read_file(NEWEST);
	ck_assert_uint_eq(count(text, '\n'), 1);
	for (const char *p = text; *p != '\n'; p++)
		ck_assert_msg(*p >= ' ' && *p <= '~', "%s", text);
	ck_assert(formats[_i] != LOG_FORMAT_JSON || is_json_line(text));
	log_sink_close(&sink);
	unlink(NEWEST);
} END_TEST

static const char fill[] = { 'a', '"', '\\', '\n', '\xff' };

/* Lengths around the limit, of bytes that are one, two, four and five when escaped. */
START_TEST(cut_lines_stay_one_line_and_valid_json)
{
	static char message[LOG_LINE_MAX * 2];
	const enum log_format format = formats[_i % 2];
	const char byte = fill[_i / 2];

	for (size_t len = LOG_BODY_MAX / 5 - 80; len < sizeof message;
	     len += len < LOG_LINE_MAX + 8 ? 1 : 400) {
		const char *text;

		memset(message, byte, len);
		message[len] = '\0';
		open_file(format, LOG_LEVEL_INFO);
		log_info("%s", message);
		text = unit_read_file(NEWEST);
		if (count(text, '\n') != 1 || strlen(text) > LOG_LINE_MAX || text[strlen(text) - 1] != '\n' ||
		    (format == LOG_FORMAT_JSON && !is_json_line(text)))
			ck_abort_msg("%zu times %02x: %s", len, (unsigned char)byte, text);
		log_sink_close(&sink);
		unlink(NEWEST);
	}
} END_TEST

/* ---- a target that does not take lines ----------------------------------- */

/* Standard error, with the sink opened on it as the daemon does. */
static void open_on(int fd, enum log_format format)
{
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	sink = log_sink_open(LOG_TARGET_STDERR, NULL, format);
	ck_assert_msg(sink != NULL, "%m");
	log_use(sink, LOG_LEVEL_INFO);
}

/* All that waits in a descriptor; returns the number of lines. */
static size_t drain(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;

	ck_assert_int_ne(fcntl(fd, F_SETFL, O_NONBLOCK), -1);
	while (n > 0 && len < size - 1) {
		n = read(fd, text + len, size - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	text[len] = '\0';
	return count(text, '\n');
}

enum kind { PIPE, STREAM, DATAGRAM };

static void make_pair(enum kind kind, int *reader, int *writer)
{
	int ends[2];

	switch (kind) {
	case PIPE:
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
		break;
	case STREAM:
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		break;
	case DATAGRAM:
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
		break;
	}
	*reader = ends[0];
	*writer = ends[1];
}

#define LINES 20000

static void blocked_target(enum kind kind, enum log_format format)
{
	static char text[4 << 20];
	const char *dropped = format == LOG_FORMAT_JSON ? "\"dropped\":" : " lines of this log were";
	char number[32];
	size_t n_taken;
	const char *p;
	int reader, writer;

	make_pair(kind, &reader, &writer);
	open_on(writer, format);
	for (int i = 0; i < LINES; i++)         /* it is not read; that must not block */
		log_info("line %d", i);
	n_taken = drain(reader, text, sizeof text);
	ck_assert_uint_gt(n_taken, 10);
	ck_assert_uint_lt(n_taken, LINES);
	ck_assert_ptr_null(strstr(text, dropped));

	log_info("takes lines again");
	log_info("and goes on");
	ck_assert_uint_eq(drain(reader, text, sizeof text), 3);
	p = strstr(text, dropped);
	ck_assert_msg(p != NULL, "%s", text);
	snprintf(number, sizeof number, format == LOG_FORMAT_JSON ? "\"dropped\":%zu," : " %zu lines of",
	         LINES - n_taken);
	ck_assert_msg(strstr(text, number) != NULL, "not %s: %s", number, text);
	unit_contains(p, "takes lines again");  /* the count comes first */
	unit_contains(p, "and goes on");
	close(reader);
	close(writer);
}

START_TEST(a_full_target_drops_lines_and_says_how_many_when_it_takes_them_again)
{
	blocked_target((enum kind)(_i / 2), _i % 2 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
} END_TEST

/* ---- full files --------------------------------------------------------- */

#define TORN 12                         /* bytes of a line for which there is room */

static void limit_files_to(rlim_t bytes)
{
	struct rlimit l;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = bytes < l.rlim_max ? bytes : l.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static rlim_t size_of_log(void)
{
	struct stat st;

	ck_assert_int_eq(stat("log", &st), 0);
	return (rlim_t)st.st_size;
}

static const struct { const char *name; bool has_fields; enum log_format format; } forms[] = {
	{ "log, text",        false, LOG_FORMAT_TEXT },
	{ "log, JSON",        false, LOG_FORMAT_JSON },
	{ "access log, text", true,  LOG_FORMAT_TEXT },
	{ "access log, JSON", true,  LOG_FORMAT_JSON },
};

static struct log_sink *open_form(int form, const char *path)
{
	struct log_sink *s = log_sink_open(LOG_TARGET_FILE, path, forms[form].format);

	ck_assert_ptr_nonnull(s);
	if (forms[form].has_fields)
		log_sink_hold_fields(s);
	return s;
}

static void put(struct log_sink *s, int form, const char *word)
{
	const bool json = forms[form].format == LOG_FORMAT_JSON;
	char body[64];

	snprintf(body, sizeof body, "%s%s%s", json ? "\"word\":\"" : "word=", word, json ? "\"" : "");
	log_sink_put(s, LOG_LEVEL_INFO, NULL, body);
}

/* That two lines were dropped, in the form of the log. */
static void check_notice(int form, const char *text, const char *reason)
{
	const bool json = forms[form].format == LOG_FORMAT_JSON;
	char want[160];

	if (forms[form].has_fields)
		snprintf(want, sizeof want, "%s2%s%d%s\"%s\"%s\n", json ? ",\"dropped\":" : " dropped=",
		         json ? ",\"pid\":" : " pid=", (int)getpid(), json ? ",\"reason\":" : " reason=",
		         reason, json ? "}" : "");
	else
		snprintf(want, sizeof want, "%s2 lines of this log were dropped: %s%s\n",
		         json ? "\"dropped\":2,\"message\":\"" : " ", reason, json ? "\"}" : "");
	ck_assert_msg(strstr(text, want) != NULL, "%s: no %s in\n%s", forms[form].name, want, text);
}

START_TEST(a_line_about_dropped_ones_says_why_in_the_form_of_that_log)
{
	struct log_sink *s = open_form(_i, "/dev/full");

	put(s, _i, "one");
	put(s, _i, "two");
	log_sink_switch(s, open("log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
	put(s, _i, "three");
	check_notice(_i, unit_read_file("log"), strerror(ENOSPC));
	ck_assert_int_ne(unit_read_file("log")[0], '\n');       /* another file has nothing torn */
	log_sink_close(&s);
} END_TEST

/* Lines that begin and end as they should, and the torn one, which only begins so. */
static void check_lines(int form, const char *text, int n_whole)
{
	const bool json = forms[form].format == LOG_FORMAT_JSON;
	int n = 0, n_torn = 0;

	for (size_t len; *text; text += len + 1) {
		len = strcspn(text, "\n");
		ck_assert_int_eq(text[len], '\n');
		if (len == 0)
			continue;
		ck_assert_int_eq(strncmp(text, json ? "{\"time\":\"20" : "20", json ? 11 : 2), 0);
		if (len == TORN)
			n_torn++;
		else
			n++;
	}
	ck_assert_int_eq(n_torn, 1);
	ck_assert_int_eq(n, n_whole);
}

START_TEST(a_line_after_a_torn_one_is_a_line_of_its_own)
{
	struct log_sink *s = open_form(_i, "log");

	put(s, _i, "zero");
	limit_files_to(size_of_log() + TORN);
	put(s, _i, "one");
	put(s, _i, "two");
	ck_assert_int_eq(unit_read_file("log")[size_of_log() - 1] == '\n', false);
	limit_files_to(RLIM_INFINITY);
	put(s, _i, "three");
	put(s, _i, "four");
	check_notice(_i, unit_read_file("log"), strerror(EFBIG));
	check_lines(_i, unit_read_file("log"), 4);
	log_sink_close(&s);
} END_TEST

/* Of several processes that write one file, one has torn its line, and another may write first. */
START_TEST(a_line_after_one_that_another_has_torn_is_a_line_of_its_own)
{
	struct log_sink *s = open_form(_i, "log"), *other = open_form(_i, "log");

	put(s, _i, "zero");
	limit_files_to(size_of_log() + TORN);
	put(s, _i, "one");
	put(other, _i, "ten");
	limit_files_to(RLIM_INFINITY);
	put(other, _i, "eleven");
	put(s, _i, "three");
	check_lines(_i, unit_read_file("log"), 5);
	log_sink_close(&s);
	log_sink_close(&other);
} END_TEST

/* Of lines of others, those that do not fit are counted, and the torn one is left as a line of its own. */
START_TEST(lines_of_others_that_do_not_go_through_are_counted)
{
	static const char three[] = "20 one one one one\n20 two two two two\n20 three three three\n";
	struct log_sink *s = open_form(2, "log");
	const char *text;

	limit_files_to(25);
	log_sink_pass(s, three, sizeof three - 1);
	limit_files_to(RLIM_INFINITY);
	log_sink_pass(s, three, sizeof three - 1);
	text = unit_read_file("log");
	ck_assert_int_eq(strncmp(text, "20 one one one one\n20 two\n20", 27), 0);
	unit_contains(text, " dropped=2 pid=");
	unit_contains(text, strerror(EFBIG));
	ck_assert_str_eq(text + strlen(text) - strlen(three), three);
	log_sink_close(&s);
} END_TEST

static const char *const delicate[] = { "log", "fifo", "/dev/null" };    /* by USR1 it may become a file */

START_TEST(what_can_be_damaged_is_for_no_process_that_can_be_taken_over)
{
	struct log_sink *s;

	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_ne(open("fifo", O_RDONLY | O_NONBLOCK), -1);
	s = log_sink_open(LOG_TARGET_FILE, delicate[_i], LOG_FORMAT_TEXT);
	ck_assert_msg(log_sink_is_delicate(s), "%s", delicate[_i]);
	log_sink_close(&s);
} END_TEST

static bool stderr_is_delicate_on(int fd)
{
	struct log_sink *s;
	bool is;

	ck_assert_int_ne(dup2(fd, STDERR_FILENO), -1);
	s = log_sink_open(LOG_TARGET_STDERR, NULL, LOG_FORMAT_TEXT);
	is = log_sink_is_delicate(s);
	log_sink_close(&s);
	return is;
}

START_TEST(a_pipe_or_a_socket_as_standard_error_cannot)
{
	int reader, writer;

	make_pair((enum kind)_i, &reader, &writer);
	ck_assert(!stderr_is_delicate_on(writer));
} END_TEST

START_TEST(a_file_as_standard_error_can)
{
	ck_assert(stderr_is_delicate_on(open("log", O_WRONLY | O_CREAT, 0600)));
} END_TEST

START_TEST(the_flags_of_standard_error_are_not_touched)
{
	for (int kind = PIPE; kind <= DATAGRAM; kind++) {
		int reader, writer;

		make_pair((enum kind)kind, &reader, &writer);
		open_on(writer, LOG_FORMAT_TEXT);
		log_info("one line");
		ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
		ck_assert_int_eq(fcntl(writer, F_GETFL) & O_NONBLOCK, 0);
		ck_assert_int_ne(log_sink_fd(sink), STDERR_FILENO);
		ck_assert_int_ne(fcntl(log_sink_fd(sink), F_GETFD) & FD_CLOEXEC, 0);
		log_sink_close(&sink);
		close(reader);
		close(writer);
	}
} END_TEST

START_TEST(a_target_that_is_gone_ends_nothing)
{
	for (int kind = PIPE; kind <= STREAM; kind++) {
		int reader, writer;

		unit_block_sigpipe();
		make_pair((enum kind)kind, &reader, &writer);
		open_on(writer, LOG_FORMAT_TEXT);
		close(reader);
		errno = EXDEV;
		log_info("without a target");
		ck_assert_int_eq(errno, EXDEV);
		log_sink_close(&sink);
		close(writer);
	}
} END_TEST

/* The journal knows time and pid by itself. */
static const struct { enum log_level level; const char *want; } priorities[] = {
	{ LOG_LEVEL_ERROR, "<3>text\n" },
	{ LOG_LEVEL_WARNING, "<4>text\n" },
	{ LOG_LEVEL_INFO, "<6>text\n" },
};

START_TEST(lines_for_the_journal_begin_with_their_priority)
{
	char text[128], stream[64];
	struct stat st;
	int reader, writer;

	make_pair(STREAM, &reader, &writer);
	ck_assert_int_eq(fstat(writer, &st), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
	         (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	open_on(writer, LOG_FORMAT_TEXT);
	ck_assert(!log_sink_is_bare(sink));
	log_line(priorities[_i].level, "text");
	drain(reader, text, sizeof text);
	ck_assert_str_eq(text, priorities[_i].want);
	log_sink_close(&sink);
	close(reader);
	close(writer);
} END_TEST

START_TEST(the_journal_of_another_process_is_not_ours)
{
	int reader, writer;

	make_pair(STREAM, &reader, &writer);
	setenv("JOURNAL_STREAM", "1:1", 1);
	open_on(writer, LOG_FORMAT_TEXT);
	ck_assert(log_sink_is_bare(sink));
	log_sink_close(&sink);
	close(reader);
	close(writer);
} END_TEST

/* ---- files -------------------------------------------------------------- */

START_TEST(a_file_is_created_for_owner_and_group_and_appended_to)
{
	struct stat st;

	umask(0);
	open_file(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	ck_assert_int_eq(stat(NEWEST, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert(unit_fd_is_well_born(log_sink_fd(sink)));
	log_info("first");
	log_sink_close(&sink);
	open_file(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	log_info("second");
	unit_contains(unit_read_file(NEWEST), "first\n");
	unit_contains(unit_read_file(NEWEST), "second\n");
} END_TEST

START_TEST(a_renamed_file_is_left_when_it_is_opened_again)
{
	int fd;

	open_file(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	log_info("before");
	ck_assert_int_eq(rename(NEWEST, "log.1"), 0);
	log_info("still there");
	fd = log_sink_open_again(sink);
	ck_assert(unit_fd_is_well_born(fd));
	log_info("and still");
	ck_assert_uint_eq(count(unit_read_file("log.1"), '\n'), 3);
	log_sink_switch(sink, fd);
	ck_assert_int_eq(log_sink_fd(sink), fd);
	log_info("after");
	ck_assert_uint_eq(count(unit_read_file("log.1"), '\n'), 3);
	ck_assert_uint_eq(count(unit_read_file(NEWEST), '\n'), 1);
	unit_contains(unit_read_file(NEWEST), "after\n");
} END_TEST

START_TEST(switching_leaks_no_descriptor)
{
	int before;

	open_file(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	before = unit_count_fds();
	for (int i = 0; i < 10; i++)
		log_sink_switch(sink, log_sink_open_again(sink));
	ck_assert_int_eq(unit_count_fds(), before);
	log_sink_close(&sink);
	ck_assert_int_eq(unit_count_fds(), before - 1);
	ck_assert_ptr_null(sink);
	log_sink_close(&sink);
} END_TEST

static const struct { const char *path; int want; } no_files[] = {
	{ "no/such/folder", ENOENT },
	{ ".", EISDIR },
	{ "fifo", ENXIO },
};

START_TEST(a_file_that_cannot_be_opened_gives_errno)
{
	int before = unit_count_fds();

	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	errno = 0;
	sink = log_sink_open(LOG_TARGET_FILE, no_files[_i].path, LOG_FORMAT_TEXT);
	ck_assert_ptr_null(sink);
	ck_assert_msg(errno == no_files[_i].want, "%s: %m", no_files[_i].path);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

START_TEST(a_fifo_that_is_full_drops_lines_as_well)
{
	static char text[1 << 20];
	size_t n;
	int reader;

	ck_assert_int_eq(mkfifo(NEWEST, 0600), 0);
	reader = open(NEWEST, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	open_file(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	for (int i = 0; i < LINES; i++)
		log_info("line %d", i);
	n = drain(reader, text, sizeof text);
	ck_assert(n > 10 && n < LINES);
	ck_assert_int_eq(text[strlen(text) - 1], '\n'); /* the last one is whole */
	log_info("again");
	ck_assert_uint_eq(drain(reader, text, sizeof text), 2);
	unit_contains(text, " lines of this log were dropped");
	close(reader);
} END_TEST

START_TEST(names_are_those_of_the_configuration)
{
	ck_assert_str_eq(log_target_name(LOG_TARGET_NONE), "none");
	ck_assert_str_eq(log_target_name(LOG_TARGET_FILE), "file");
} END_TEST

int main(void)
{
	Suite *s = suite_create("log");
	TCase *lines = unit_case(s, "lines", unit_enter_folder, close_sink);
	TCase *blocked = unit_case(s, "blocked", unit_enter_folder, close_sink);
	TCase *files = unit_case(s, "files", unit_enter_folder, close_sink);

	tcase_add_loop_test(lines, our_judge_of_json_knows_what_is_broken, 0, ARRAY_SIZE(json_lines));
	tcase_add_test(lines, a_line_has_time_level_pid_and_message);
	tcase_add_test(lines, a_json_line_has_the_same);
	tcase_add_test(lines, less_important_lines_are_left_out);
	tcase_add_test(lines, errno_is_in_the_line_and_stays_as_it_was);
	tcase_add_loop_test(lines, hostile_bytes_cannot_forge_a_line, 0, ARRAY_SIZE(formats));
	tcase_add_loop_test(lines, cut_lines_stay_one_line_and_valid_json, 0,
	                    ARRAY_SIZE(fill) * ARRAY_SIZE(formats));
	tcase_add_loop_test(blocked,
	                    a_full_target_drops_lines_and_says_how_many_when_it_takes_them_again,
	                    0, 2 * (DATAGRAM + 1));
	tcase_add_loop_test(blocked, a_line_about_dropped_ones_says_why_in_the_form_of_that_log, 0,
	                    ARRAY_SIZE(forms));
	tcase_add_loop_test(blocked, a_line_after_a_torn_one_is_a_line_of_its_own, 0, ARRAY_SIZE(forms));
	tcase_add_loop_test(blocked, a_line_after_one_that_another_has_torn_is_a_line_of_its_own, 0,
	                    ARRAY_SIZE(forms));
	tcase_add_test(blocked, lines_of_others_that_do_not_go_through_are_counted);
	tcase_add_loop_test(files, what_can_be_damaged_is_for_no_process_that_can_be_taken_over, 0,
	                    ARRAY_SIZE(delicate));
	tcase_add_loop_test(files, a_pipe_or_a_socket_as_standard_error_cannot, 0, DATAGRAM + 1);
	tcase_add_test(files, a_file_as_standard_error_can);
	tcase_add_test(blocked, the_flags_of_standard_error_are_not_touched);
	tcase_add_test(blocked, a_target_that_is_gone_ends_nothing);
	tcase_add_loop_test(blocked, lines_for_the_journal_begin_with_their_priority, 0,
	                    ARRAY_SIZE(priorities));
	tcase_add_test(blocked, the_journal_of_another_process_is_not_ours);
	tcase_add_test(files, a_file_is_created_for_owner_and_group_and_appended_to);
	tcase_add_test(files, a_renamed_file_is_left_when_it_is_opened_again);
	tcase_add_test(files, switching_leaks_no_descriptor);
	tcase_add_loop_test(files, a_file_that_cannot_be_opened_gives_errno, 0, ARRAY_SIZE(no_files));
	tcase_add_test(files, a_fifo_that_is_full_drops_lines_as_well);
	tcase_add_test(files, names_are_those_of_the_configuration);
	return unit_run(s);
}

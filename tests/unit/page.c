/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status page as a document. tests/page looks at it in a browser.
 */
#include <config.h>
#include "page.h"

#include <math.h>

#include "page_number.h"
#include "unit.h"

#define NONCE "bm9uY2Ugb2YgdGVzdHM"
#define WEIGHT_MAX 40000        /* bytes of a page with a few services */

FILE *__real_open_memstream(char **text, size_t *len);
FILE *__wrap_open_memstream(char **text, size_t *len);

static bool has_memory = true;

FILE *__wrap_open_memstream(char **text, size_t *len)
{
	return has_memory ? __real_open_memstream(text, len) : NULL;
}

/* The page of a snapshot that is written with ' in place of ". */
static char *page;
static size_t page_len;

static void render(const char *snapshot)
{
	char *text = strdup(snapshot);
	json_error_t error;
	json_t *json;

	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json = json_loads(text, 0, &error);
	ck_assert_msg(json != NULL, "%s: %s", error.text, text);
	free(page);
	page = page_render(json, NONCE, &page_len);
	ck_assert_ptr_nonnull(page);
	ck_assert_uint_eq(page_len, strlen(page));
	json_decref(json);
	free(text);
}

static void after(void)
{
	free(page);
	page = NULL;
}

/* ---- a checker of tags -------------------------------------------------- */

static bool is_void(const char *name)
{
	return strcmp(name, "meta") == 0 || strcmp(name, "!DOCTYPE") == 0;
}

/* The end of a tag that begins at `at`, past quoted attributes. */
static const char *end_of_tag(const char *at)
{
	for (bool in_quotes = false; *at; at++) {
		if (*at == '"')
			in_quotes = !in_quotes;
		unit_require(!in_quotes || *at != '<');
		if (*at == '>' && !in_quotes)
			return at;
	}
	ck_abort_msg("a tag has no end");
}

/* Each tag is closed, in the reverse order, and no < or > stands between tags. */
static void tags_are_balanced(void)
{
	char open[32][16];
	size_t depth = 0;
	const char *at = page;

	while ((at = strchr(at, '<'))) {
		bool closes = at[1] == '/';
		char name[16];

		unit_require(sscanf(at + 1 + closes, "%15[^ >\n]", name) == 1);
		at = end_of_tag(at);
		if (closes) {
			ck_assert_msg(depth > 0 && strcmp(open[depth - 1], name) == 0,
			              "</%s> closes <%s> before: %.60s", name,
			              depth ? open[depth - 1] : "", at);
			depth--;
		} else if (!is_void(name)) {
			unit_require(depth < ARRAY_SIZE(open));
			strcpy(open[depth++], name);
		}
		/* The text of these is not HTML, and has no other < than this. */
		if (!closes && (strcmp(name, "script") == 0 || strcmp(name, "style") == 0))
			at = strstr(at, name[1] == 'c' ? "</script>" : "</style>");
		else
			ck_assert_msg(strcspn(at + 1, ">") >= strcspn(at + 1, "<"),
			              "a stray > in: %.60s", at + 1);
	}
	ck_assert_uint_eq(depth, 0);
}

/* ---- texts -------------------------------------------------------------- */

#define EVIL "<i a=&#34;>\\\\\\\"&\\u0001</i>"
#define EVIL_TAG "<i a="

static const char full[] =
	"{'version':'%1$s','pid':1,'uptime':11100.5,'generation':3,'phase':'%1$s','config':'%1$s',"
	"'refused':'%1$s','last_reload':{'at':'%1$s','ok':false,'reason':'%1$s'},"
	"'time':{'utc':'%1$s','seconds':1},"
	"'totals':{'workers':2,'open':3,'accepted':1234567,'served':5,'bytes_in':1,'bytes_out':2,"
	"'requests':3,'refused':{'%1$s':2},'untracked':1,'lost':1},"
	"'services':[{'name':'%1$s','handler':'%1$s','state':'%1$s','reason':'%1$s','listen':['%1$s'],"
	"'workers':{'starting':1,'accepting':2,'draining':1,'wanted':3,'min':1,'max':4},"
	"'slots':{'open':12,'max':64},'queue':{'length':1,'limit':128},'accepted':1,'served':1,'bytes_in':1,"
	"'bytes_out':1258291,'requests':1,'refused':{'%1$s':4},'untracked':1,'lost':1,"
	"'filter':{'processes':2,'queued':0,'answered':12000,'replaced':1},"
	"'warm':{'waiting':1,'joined':2,'cold':3,'crashed':4},'deaths':{'%1$s':2},'restart_delay':1.5,"
	"'times':{'duration':{'count':2,'sum':3.0,'buckets':[]},'accept_wait':null,"
	"'answer':{'count':10,'sum':0.042,'buckets':[]}}}],"
	"'workers':[{'service':'%1$s','pid':7,'slot':0,'generation':3,'state':'%1$s','age':192,"
	"'open':1,'slots':4}],"
	"'longest':[{'id':'%1$s','service':'%1$s','worker':7,'peer':'%1$s','via':'%1$s',"
	"'phase':'%1$s','age':5,'bytes_in':1,'bytes_out':1,'program':9}],"
	"'crashes':[{'name':'%1$s','time':'%1$s','service':'%1$s','worker':7,'signal':'%1$s',"
	"'hang':{'still':10,'kernel':'%1$s'},'age':3,'requests':1,"
	"'connection':{'phase':'%1$s','peer':'%1$s'},'captured':12}],"
	"'certificates':[{'service':'%1$s','names':['%1$s','%1$s','c'],'type':'%1$s','until':'%1$s',"
	"'days':-1,'chain':'%1$s','sha256':'%1$s'}]}";

static void render_full(const char *with)
{
	char *text;

	ck_assert_int_ne(asprintf(&text, full, with), -1);
	render(text);
	free(text);
}

static size_t count_of(const char *part)
{
	size_t n = 0;

	for (const char *at = page; (at = strstr(at, part)); at += strlen(part))
		n++;
	return n;
}

START_TEST(every_text_is_escaped)
{
	size_t plain, escaped;

	render_full("harmless");
	plain = count_of("harmless");
	render_full(EVIL);
	tags_are_balanced();
	escaped = count_of("&lt;i a=&amp;#34;&gt;\\&quot;&amp;\xef\xbf\xbd&lt;/i&gt;");
	ck_assert_uint_eq(count_of(EVIL_TAG), 0);
	ck_assert_uint_eq(escaped, plain);
	ck_assert_uint_ge(escaped, 30);
} END_TEST

START_TEST(a_text_breaks_out_of_nothing)
{
	render_full("</script></style></td>");
	tags_are_balanced();
	ck_assert_uint_eq(count_of("</script>"), 1);
	ck_assert_uint_eq(count_of("</style>"), 1);
} END_TEST

/* ---- what a snapshot may lack ------------------------------------------- */

static const char *const odd_snapshots[] = {
	"{}",
	"{'services':[],'workers':[],'longest':[],'crashes':[],'certificates':[]}",
	"{'services':[{}],'workers':[{}],'longest':[{}],'crashes':[{}],'certificates':[{}]}",
	"{'services':[{'name':'a','queue':null,'filter':null,'warm':null,'times':null,'reason':null}]}",
	"{'services':[{'name':'a','slots':{},'workers':{},'refused':null,'deaths':[],'listen':{}}]}",
	"{'services':[{'name':7,'accepted':-1,'bytes_in':1e300,'slots':{'open':9,'max':0}}],'uptime':'x'}",
	"{'services':[{'times':{'answer':{'count':0,'sum':0}}}],'crashes':[{'hang':null,'connection':null}]}",
	"{'services':{},'workers':null,'totals':null,'last_reload':null,'time':'now'}",
};

START_TEST(a_snapshot_may_lack_anything)
{
	render(odd_snapshots[_i]);
	tags_are_balanced();
	ck_assert_ptr_null(strstr(page, "(null)"));
	ck_assert_ptr_null(strstr(page, "nan"));
	unit_contains(page, "</html>");
} END_TEST

START_TEST(an_absent_list_is_hidden_and_an_empty_one_says_so)
{
	render("{'services':[]}");
	unit_contains(page, "<section id=\"services\" aria-label=\"Services\">");
	unit_contains(page, ">There is no service.</td>");
	unit_contains(page, "<section id=\"workers\" aria-label=\"Workers\" hidden>");
	unit_contains(page, "<a href=\"#workers\" hidden>");
} END_TEST

START_TEST(an_empty_column_is_left_out_if_it_may_be)
{
	render("{'services':[{'name':'a','filter':null},{'name':'b'}]}");
	unit_contains(page, "data-optional hidden>Programs</th>");
	render("{'services':[{'name':'a'},{'name':'b','filter':{'queued':0}}]}");
	unit_contains(page, "data-optional>Programs</th>");
	unit_contains(page, "<td data-label=\"Programs\">0&nbsp;queued</td>");
} END_TEST

START_TEST(many_services_are_all_there)
{
	json_t *snapshot = json_pack("{s:[]}", "services");

	for (int i = 0; i < 500; i++)
		json_array_append_new(json_object_get(snapshot, "services"),
		                      json_pack("{s:s+, s:i}", "name", "service-", i % 2 ? "odd" : "even",
		                                "accepted", i));
	page = page_render(snapshot, NONCE, &page_len);
	json_decref(snapshot);
	ck_assert_ptr_nonnull(page);
	tags_are_balanced();
	ck_assert_uint_eq(count_of("<th scope=\"row\">service-"), 500);
} END_TEST

START_TEST(more_rows_than_a_browser_can_take_are_counted)
{
	json_t *snapshot = json_pack("{s:[]}", "workers");

	for (int i = 0; i < 1003; i++)
		json_array_append_new(json_object_get(snapshot, "workers"), json_pack("{s:i}", "pid", i));
	page = page_render(snapshot, NONCE, &page_len);
	json_decref(snapshot);
	ck_assert_uint_eq(count_of("<th scope=\"row\">"), 1000);
	unit_contains(page, "<p class=\"more\">3 more are not shown.</p>");
} END_TEST

/* ---- the document ------------------------------------------------------- */

START_TEST(it_says_what_is_known)
{
	static const char *const parts[] = {
		"3&nbsp;h&nbsp;5&nbsp;min", ">1.2&nbsp;M<", ">1.2&nbsp;MiB<", ">12 of 64<", "52&nbsp;free",
		"1 of 128", "2 of 3<small>1&nbsp;starting, 1&nbsp;draining</small>",
		"x&nbsp;4, 1&nbsp;untracked",
		"2&nbsp;processes, 0&nbsp;queued, 12.0&nbsp;k&nbsp;answered", "1&nbsp;waiting",
		"connection&nbsp;1.5&nbsp;s, answer&nbsp;4.2&nbsp;ms", "next start in 2&nbsp;s",
		"3&nbsp;min&nbsp;12&nbsp;s", "x<small>hung for 10&nbsp;s</small>",
		"<small>and 1 more</small>",
		"<span class=\"badge bad\">expired</span><small>1&nbsp;d ago</small>",
		"x&nbsp;2, 1&nbsp;lost&nbsp;connections", "The last reload was refused",
	};
	char *plain, *from, *to;

	render_full("x");
	/* U+00A0 is the same as its entity. */
	plain = to = calloc(1, page_len * 6 + 1);
	for (from = page; *from; )
		if (strncmp(from, "\xc2\xa0", 2) == 0) {
			to = stpcpy(to, "&nbsp;");
			from += 2;
		} else {
			*to++ = *from++;
		}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		ck_assert_msg(strstr(plain, parts[i]) != NULL, "no \"%s\"", parts[i]);
	free(plain);
} END_TEST

static const struct {
	const char *snapshot, *badge;
	bool        alerts;
} reloads[] = {
	{ "{}", "<i>&ndash;</i>", false },
	{ "{'refused':null}", "<i>&ndash;</i>", false },
	{ "{'refused':'no'}", "<span class=\"badge bad\">refused</span>", true },
	{ "{'last_reload':{'at':'then','ok':true,'reason':null},'refused':null}",
	  "<span class=\"badge good\">worked</span><small>then</small>", false },
	{ "{'last_reload':{'at':'2026-11-22T15:50:01.123Z','ok':false,'reason':'no'}}",
	  "<span class=\"badge bad\">refused</span><small>2026-11-22 15:50:01 UTC</small>", true },
};

START_TEST(the_last_reload_is_told)
{
	char expected[256];

	render(reloads[_i].snapshot);
	snprintf(expected, sizeof expected, "data-as=\"reload\" data-key=\"\">%s</dd>", reloads[_i].badge);
	unit_contains(page, expected);
	unit_contains(page, reloads[_i].alerts ? "<div class=\"alert\"><b>" :
	                                         "<div class=\"alert\" hidden><b>");
	unit_contains(page, reloads[_i].alerts ? "data-as=\"refusal\" data-key=\"\">no</p>" :
	                                         "data-as=\"refusal\" data-key=\"\"></p>");
} END_TEST

START_TEST(all_of_it_is_in_the_document)
{
	static const char *const forbidden[] = {
		" style=", " onload=", " onclick=", " onerror=", "src=", "url(", "@import", "<link",
		"<form", "<button", "<iframe", "innerHTML", "eval(",
	};

	render_full("x");
	unit_contains(page, "<html lang=\"en\">");
	unit_contains(page, "<style nonce=\"" NONCE "\">");
	unit_contains(page, "<script nonce=\"" NONCE "\">");
	unit_contains(page, "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>");
	unit_contains(page, "name=\"viewport\"");
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
		ck_assert_msg(!strstr(page, forbidden[i]), "the page has \"%s\"", forbidden[i]);
	/* Of all addresses it has the name of SVG, which is never fetched. */
	ck_assert_uint_eq(count_of("http"),
	                  count_of("http-equiv") + count_of("\"http://www.w3.org/2000/svg\""));
	ck_assert_uint_eq(count_of("//"), 1);
	ck_assert_msg(page_len < WEIGHT_MAX, "%zu bytes", page_len);
} END_TEST

START_TEST(every_table_has_a_caption_and_heads)
{
	render_full("x");
	ck_assert_uint_eq(count_of("<table"), 5);
	ck_assert_uint_eq(count_of("<caption><h2>"), 5);
	ck_assert_uint_eq(count_of("<th scope=\"row\""), 5);
	ck_assert_uint_eq(count_of("<th "), count_of("<th scope="));
	unit_contains(page, "<main>");
	unit_contains(page, "<header>");
	unit_contains(page, "<footer>");
} END_TEST

START_TEST(the_policy_names_the_nonce)
{
	char buf[PAGE_POLICY_MAX], longest[PAGE_NONCE_MAX + 1];

	ck_assert_str_eq(page_policy("N", buf),
		"default-src 'none'; style-src 'nonce-N'; script-src 'nonce-N'; "
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
	memset(longest, 'a', PAGE_NONCE_MAX);
	longest[PAGE_NONCE_MAX] = '\0';
	unit_contains(page_policy(longest, buf), "frame-ancestors 'none'");
} END_TEST

START_TEST(without_memory_there_is_no_page)
{
	json_t *snapshot = json_object();

	has_memory = false;
	ck_assert_ptr_null(page_render(snapshot, NONCE, &page_len));
	json_decref(snapshot);
} END_TEST

/* ---- numbers ------------------------------------------------------------ */

static const struct {
	const char *(*format)(double n, char *buf);
	double        n;
	const char   *says;     /* with _ for the space at which no line is broken */
} numbers[] = {
	{ page_number_count, 0, "0" }, { page_number_count, 9999, "9999" },
	{ page_number_count, 10000, "10.0_k" }, { page_number_count, 12250, "12.3_k" },
	{ page_number_count, 99949, "99.9_k" }, { page_number_count, 99950, "100_k" },
	{ page_number_count, 999499, "999_k" }, { page_number_count, 999500, "1.0_M" },
	{ page_number_count, 1234567, "1.2_M" }, { page_number_count, 9e17, "900_P" },
	{ page_number_count, -1, NULL }, { page_number_count, NAN, NULL }, { page_number_count, 1e18, NULL },
	{ page_number_bytes, 0, "0_B" }, { page_number_bytes, 1023, "1023_B" },
	{ page_number_bytes, 1023.6, "1.0_KiB" }, { page_number_bytes, 1024, "1.0_KiB" },
	{ page_number_bytes, 1258291, "1.2_MiB" }, { page_number_bytes, 999.6 * 1024, "1.0_MiB" },
	{ page_number_bytes, 9e17, "799_PiB" },
	{ page_number_age, 0.9, "0_s" }, { page_number_age, 59.9, "59_s" }, { page_number_age, 60, "1_min" },
	{ page_number_age, 192, "3_min_12_s" }, { page_number_age, 11100, "3_h_5_min" },
	{ page_number_age, 187200, "2_d_4_h" }, { page_number_age, -1, NULL },
	{ page_number_time, 0, "0_\xc2\xb5s" }, { page_number_time, 0.00035, "350_\xc2\xb5s" },
	{ page_number_time, 0.0009996, "1.0_ms" }, { page_number_time, 0.0042, "4.2_ms" },
	{ page_number_time, 0.12, "120_ms" }, { page_number_time, 0.9996, "1.0_s" },
	{ page_number_time, 1.5, "1.5_s" }, { page_number_time, 61, "1_min_1_s" },
	{ page_number_time, INFINITY, NULL },
};

START_TEST(numbers_are_for_people)
{
	char buf[PAGE_NUMBER_MAX], expected[PAGE_NUMBER_MAX], *to = expected;
	const char *text = numbers[_i].format(numbers[_i].n, buf);

	if (!numbers[_i].says) {
		ck_assert_ptr_null(text);
		return;
	}
	for (const char *from = numbers[_i].says; *from; from++)
		to = *from == '_' ? stpcpy(to, "\xc2\xa0") : (*to = *from, to + 1);
	*to = '\0';
	ck_assert_str_eq(text, expected);
} END_TEST

int main(void)
{
	Suite *s = suite_create("page");
	TCase *tc = unit_case(s, "texts", NULL, after);

	tcase_add_test(tc, every_text_is_escaped);
	tcase_add_test(tc, a_text_breaks_out_of_nothing);

	tc = unit_case(s, "snapshots", NULL, after);
	tcase_add_loop_test(tc, a_snapshot_may_lack_anything, 0, ARRAY_SIZE(odd_snapshots));
	tcase_add_test(tc, an_absent_list_is_hidden_and_an_empty_one_says_so);
	tcase_add_test(tc, an_empty_column_is_left_out_if_it_may_be);
	tcase_add_test(tc, many_services_are_all_there);
	tcase_add_test(tc, more_rows_than_a_browser_can_take_are_counted);

	tc = unit_case(s, "document", NULL, after);
	tcase_add_test(tc, it_says_what_is_known);
	tcase_add_loop_test(tc, the_last_reload_is_told, 0, ARRAY_SIZE(reloads));
	tcase_add_test(tc, all_of_it_is_in_the_document);
	tcase_add_test(tc, every_table_has_a_caption_and_heads);
	tcase_add_test(tc, the_policy_names_the_nonce);
	tcase_add_test(tc, without_memory_there_is_no_page);

	tc = unit_case(s, "numbers", NULL, NULL);
	tcase_add_loop_test(tc, numbers_are_for_people, 0, ARRAY_SIZE(numbers));
	return unit_run(s);
}

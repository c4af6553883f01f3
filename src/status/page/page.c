/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The document around the tables: its head, the facts about the server, and the totals.
 */
#include <config.h>
#include "page.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "page_assets.h"
#include "page_cell.h"
#include "page_table.h"

/* A value of the whole server, with its title. */
struct fact {
	const char     *title;
	const char     *key;
	enum page_cell  kind;
	bool            grows;  /* a counter: the script adds how much it grows in a second */
};

static const struct fact server[] = {
	{ "Phase", "phase", PAGE_CELL_BADGE, false },
	{ "Uptime", "uptime", PAGE_CELL_AGE, false },
	{ "Generation", "generation", PAGE_CELL_TEXT, false },
	{ "Last reload", "", PAGE_CELL_RELOAD, false },
	{ "Process", "pid", PAGE_CELL_TEXT, false },
	{ "Configuration", "config", PAGE_CELL_TEXT, false },
};

static const struct fact totals[] = {
	{ "Open", "totals.open", PAGE_CELL_COUNT, false },
	{ "Workers", "totals.workers", PAGE_CELL_COUNT, false },
	{ "Accepted", "totals.accepted", PAGE_CELL_COUNT, true },
	{ "Served", "totals.served", PAGE_CELL_COUNT, true },
	{ "Requests", "totals.requests", PAGE_CELL_COUNT, true },
	{ "In", "totals.bytes_in", PAGE_CELL_BYTES, true },
	{ "Out", "totals.bytes_out", PAGE_CELL_BYTES, true },
	{ "Lost", "totals.lost", PAGE_CELL_COUNT, false },
	{ "Refused", "totals", PAGE_CELL_REFUSED, false },
};

static void put_facts(FILE *out, const char *class, const struct fact *facts, size_t n,
                      const json_t *snapshot)
{
	fprintf(out, "<dl class=\"%s\">\n", class);
	for (const struct fact *f = facts; f < facts + n; f++) {
		fprintf(out, "<div><dt>%s</dt><dd data-as=\"%s\" data-key=\"%s\"%s>", f->title,
		        page_cell_name(f->kind), f->key, f->grows ? " data-grows" : "");
		if (!page_cell_write(out, f->kind, page_cell_find(snapshot, f->key)))
			fputs("<i>&ndash;</i>", out);
		fputs("</dd></div>\n", out);
	}
	fputs("</dl>\n", out);
}

static void put_head(FILE *out, const char *nonce)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<title>drover: status</title>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n<style nonce=\"", out);
	html_text(out, nonce);
	fprintf(out, "\">\n%s</style>\n</head>\n", page_assets_style);
}

/* The reason has an element of its own, because it may be long. It is hidden while there is none. */
static void put_refusal(FILE *out, const json_t *snapshot)
{
	char *text = NULL;
	size_t len;
	FILE *reason = open_memstream(&text, &len);
	bool is_refused = reason && page_cell_write(reason, PAGE_CELL_REFUSAL, snapshot);

	if (reason)
		fclose(reason);
	fprintf(out, "<div class=\"alert\"%s><b>The last reload was refused</b>"
	        "<p data-as=\"refusal\" data-key=\"\">%s</p></div>\n",
	        is_refused ? "" : " hidden", is_refused && text ? text : "");
	free(text);
}

static void put_server(FILE *out, const json_t *snapshot)
{
	fputs("<header>\n<h1>drover <span data-as=\"text\" data-key=\"version\">", out);
	if (!page_cell_write(out, PAGE_CELL_TEXT, page_cell_find(snapshot, "version")))
		fputs("<i>&ndash;</i>", out);
	fputs("</span></h1>\n<nav aria-label=\"Sections\">\n", out);
	page_table_write_links(out, snapshot);
	fputs("</nav>\n</header>\n<p id=\"silence\" class=\"alert\" hidden></p>\n"
	      "<p id=\"spoken\" role=\"status\"></p>\n<main>\n<section aria-label=\"Server\">\n", out);
	put_facts(out, "server", server, sizeof server / sizeof server[0], snapshot);
	put_refusal(out, snapshot);
	put_facts(out, "totals", totals, sizeof totals / sizeof totals[0], snapshot);
	fputs("</section>\n<section id=\"plots\" aria-label=\"The last five minutes\" hidden></section>\n",
	      out);
}

static void put_end(FILE *out, const json_t *snapshot, const char *nonce)
{
	fputs("</main>\n<footer><p>As of <span data-as=\"when\" data-key=\"time.utc\">", out);
	if (!page_cell_write(out, PAGE_CELL_WHEN, page_cell_find(snapshot, "time.utc")))
		fputs("<i>&ndash;</i>", out);
	fputs("</span>. Totals count since the server was started.</p></footer>\n<script nonce=\"", out);
	html_text(out, nonce);
	fprintf(out, "\">\n%s</script>\n</body>\n</html>\n", page_assets_script);
}

char *page_render(const json_t *snapshot, const char *nonce, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);
	bool failed;

	if (!out)
		return NULL;
	put_head(out, nonce);
	fputs("<body>\n", out);
	put_server(out, snapshot);
	page_table_write_all(out, snapshot);
	put_end(out, snapshot, nonce);
	failed = ferror(out);
	if (fclose(out) == EOF || failed) {
		free(text);
		return NULL;
	}
	return text;
}

const char *page_policy(const char *nonce, char *buf)
{
	assert(strlen(nonce) <= PAGE_NONCE_MAX);
	snprintf(buf, PAGE_POLICY_MAX,
	         "default-src 'none'; style-src 'nonce-%s'; script-src 'nonce-%s'; connect-src 'self'; "
	         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'", nonce, nonce);
	return buf;
}

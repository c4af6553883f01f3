/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables of the status page.
 */
#include <config.h>
#include "page_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "html.h"
#include "page_cell.h"

#define COLUMNS_MAX 16

enum trait {
	NUMERIC  = 1,           /* aligned to the right */
	GROWING  = 2,           /* a counter: the script adds how much it grows in a second */
	OPTIONAL = 4,           /* left out if no row has anything there */
};

struct column {
	const char     *title;
	const char     *key;    /* of the value in the item; "": the item itself */
	enum page_cell  kind;
	int             traits; /* bits of enum trait */
};

struct table {
	const char    *list;    /* the key of the list in the snapshot, and the id of the section */
	const char    *title;
	const char    *nothing; /* what is said if the list is empty */
	const char    *ids;     /* the keys that tell items apart */
	bool           reflows; /* on a narrow screen: each row becomes a block */
	struct column  columns[COLUMNS_MAX];
};

static const struct table tables[] = {
	{ "services", "Services", "There is no service.", "name", true, {
		{ "Service", "", PAGE_CELL_NAME, 0 },
		{ "State", "", PAGE_CELL_STATE, 0 },
		{ "Workers", "workers", PAGE_CELL_WORKERS, NUMERIC },
		{ "Busy slots", "slots", PAGE_CELL_SLOTS, NUMERIC },
		{ "Queue", "queue", PAGE_CELL_QUEUE, NUMERIC | OPTIONAL },
		{ "Accepted", "accepted", PAGE_CELL_COUNT, NUMERIC | GROWING },
		{ "Requests", "requests", PAGE_CELL_COUNT, NUMERIC | GROWING },
		{ "In", "bytes_in", PAGE_CELL_BYTES, NUMERIC | GROWING },
		{ "Out", "bytes_out", PAGE_CELL_BYTES, NUMERIC | GROWING },
		{ "Mean times", "times", PAGE_CELL_TIMES, OPTIONAL },
		{ "Programs", "", PAGE_CELL_PROGRAMS, OPTIONAL },
		{ "Refused", "", PAGE_CELL_REFUSED, OPTIONAL },
		{ "Deaths", "", PAGE_CELL_DEATHS, OPTIONAL },
	} },
	{ "workers", "Workers", "There is no worker.", "service generation slot pid", false, {
		{ "Worker", "pid", PAGE_CELL_TEXT, 0 },
		{ "Service", "service", PAGE_CELL_TEXT, 0 },
		{ "Slot", "slot", PAGE_CELL_TEXT, NUMERIC | OPTIONAL },
		{ "Generation", "generation", PAGE_CELL_TEXT, NUMERIC },
		{ "State", "state", PAGE_CELL_BADGE, 0 },
		{ "Age", "age", PAGE_CELL_AGE, NUMERIC },
		{ "Busy slots", "", PAGE_CELL_ROOM, NUMERIC },
		{ "Accepted", "accepted", PAGE_CELL_COUNT, NUMERIC | GROWING },
		{ "Requests", "requests", PAGE_CELL_COUNT, NUMERIC | GROWING },
		{ "In", "bytes_in", PAGE_CELL_BYTES, NUMERIC | GROWING },
		{ "Out", "bytes_out", PAGE_CELL_BYTES, NUMERIC | GROWING },
		{ "Last turn", "last_turn", PAGE_CELL_AGE, NUMERIC | OPTIONAL },
	} },
	{ "longest", "Longest connections", "No connection is open.", "id", false, {
		{ "Connection", "id", PAGE_CELL_TEXT, 0 },
		{ "Service", "service", PAGE_CELL_TEXT, 0 },
		{ "Worker", "worker", PAGE_CELL_TEXT, NUMERIC },
		{ "Phase", "phase", PAGE_CELL_TEXT, 0 },
		{ "Age", "age", PAGE_CELL_AGE, NUMERIC },
		{ "In", "bytes_in", PAGE_CELL_BYTES, NUMERIC | GROWING },
		{ "Out", "bytes_out", PAGE_CELL_BYTES, NUMERIC | GROWING },
		{ "Program", "program", PAGE_CELL_TEXT, NUMERIC | OPTIONAL },
		{ "Peer", "peer", PAGE_CELL_TEXT, OPTIONAL },
		{ "Via", "via", PAGE_CELL_TEXT, OPTIONAL },
	} },
	{ "crashes", "Recent crashes", "No worker has crashed.", "name", false, {
		{ "Crash", "name", PAGE_CELL_TEXT, 0 },
		{ "Time", "time", PAGE_CELL_WHEN, 0 },
		{ "Service", "service", PAGE_CELL_TEXT, 0 },
		{ "Worker", "worker", PAGE_CELL_TEXT, NUMERIC },
		{ "Signal", "", PAGE_CELL_SIGNAL, 0 },
		{ "Age", "age", PAGE_CELL_AGE, NUMERIC },
		{ "Requests", "requests", PAGE_CELL_COUNT, NUMERIC },
		{ "Phase", "connection.phase", PAGE_CELL_TEXT, OPTIONAL },
		{ "Peer", "connection.peer", PAGE_CELL_TEXT, OPTIONAL },
		{ "Captured", "captured", PAGE_CELL_BYTES, NUMERIC },
	} },
	{ "certificates", "Certificates", "No service has a certificate.", "service sha256", false, {
		{ "Names", "names", PAGE_CELL_NAMES, 0 },
		{ "Service", "service", PAGE_CELL_TEXT, 0 },
		{ "Validity", "days", PAGE_CELL_DAYS, 0 },
		{ "Until", "until", PAGE_CELL_WHEN, 0 },
		{ "Key", "type", PAGE_CELL_TEXT, 0 },
		{ "Chain", "chain", PAGE_CELL_TEXT, 0 },
	} },
};

#define each_table(t) \
	for (const struct table *t = tables; t < tables + sizeof tables / sizeof tables[0]; t++)

static size_t n_columns(const struct table *t)
{
	size_t n = 0;

	while (n < COLUMNS_MAX && t->columns[n].title)
		n++;
	return n;
}

static bool write_value(FILE *out, const struct column *c, const json_t *item)
{
	return page_cell_write(out, c->kind, page_cell_find(item, c->key));
}

/* Whether no row has anything in this column. Without memory to try it, the column stays. */
static bool is_empty(const struct column *c, const json_t *list)
{
	char *text = NULL;
	size_t len, i;
	FILE *attempt = c->traits & OPTIONAL ? open_memstream(&text, &len) : NULL;
	const json_t *item;
	bool has_any = !attempt;

	json_array_foreach(list, i, item) {
		if (has_any || i == PAGE_TABLE_ROWS_MAX)
			break;
		has_any = write_value(attempt, c, item);
	}
	if (attempt)
		fclose(attempt);
	free(text);
	return !has_any;
}

static void put_head(FILE *out, const struct table *t, const bool *left_out)
{
	fputs("<thead><tr>", out);
	for (size_t i = 0; i < n_columns(t); i++) {
		const struct column *c = &t->columns[i];

		fprintf(out, "<th scope=\"col\" data-as=\"%s\" data-key=\"%s\"%s%s%s%s>%s</th>",
		        page_cell_name(c->kind), c->key, c->traits & NUMERIC ? " class=\"n\"" : "",
		        c->traits & GROWING ? " data-grows" : "",
		        c->traits & OPTIONAL ? " data-optional" : "", left_out[i] ? " hidden" : "", c->title);
	}
	fputs("</tr></thead>\n", out);
}

static void put_row(FILE *out, const struct table *t, const bool *left_out, const json_t *item)
{
	fputs("<tr>", out);
	for (size_t i = 0; i < n_columns(t); i++) {
		const struct column *c = &t->columns[i];

		fputs(i == 0 ? "<th scope=\"row\"" : "<td", out);
		if (t->reflows && i > 0)
			fprintf(out, " data-label=\"%s\"", c->title);
		fprintf(out, "%s%s>", c->traits & NUMERIC ? " class=\"n\"" : "",
		        left_out[i] ? " hidden" : "");
		if (!write_value(out, c, item))
			fputs("<i>&ndash;</i>", out);
		fputs(i == 0 ? "</th>" : "</td>", out);
	}
	fputs("</tr>\n", out);
}

static void put_table(FILE *out, const struct table *t, const json_t *list)
{
	bool left_out[COLUMNS_MAX];
	const json_t *item;
	size_t i, n = json_array_size(list);

	for (i = 0; i < n_columns(t); i++)
		left_out[i] = is_empty(&t->columns[i], list);
	fprintf(out, "<table%s data-list=\"%s\" data-ids=\"%s\" data-rows=\"%d\" data-nothing=\"%s\">\n"
	        "<caption><h2>%s</h2></caption>\n", t->reflows ? " class=\"reflows\"" : "", t->list, t->ids,
	        PAGE_TABLE_ROWS_MAX, t->nothing, t->title);
	put_head(out, t, left_out);
	fputs("<tbody>", out);
	json_array_foreach(list, i, item) {
		if (i == PAGE_TABLE_ROWS_MAX)
			break;
		put_row(out, t, left_out, item);
	}
	if (n == 0)
		fprintf(out, "<tr><td class=\"nothing\" colspan=\"%zu\">%s</td></tr>", n_columns(t),
		        t->nothing);
	fputs("</tbody>\n</table>\n", out);
}

void page_table_write_all(FILE *out, const json_t *snapshot)
{
	each_table(t) {
		const json_t *list = page_cell_find(snapshot, t->list);
		size_t n = json_array_size(list);

		fprintf(out, "<section id=\"%s\" aria-label=\"%s\"%s>\n"
		        "<div class=\"wide\" tabindex=\"0\">\n", t->list, t->title,
		        json_is_array(list) ? "" : " hidden");
		put_table(out, t, list);
		fprintf(out, "</div>\n<p class=\"more\"%s>%zu more are not shown.</p>\n</section>\n",
		        n > PAGE_TABLE_ROWS_MAX ? "" : " hidden",
		        n > PAGE_TABLE_ROWS_MAX ? n - PAGE_TABLE_ROWS_MAX : 0);
	}
}

void page_table_write_links(FILE *out, const json_t *snapshot)
{
	each_table(t)
		fprintf(out, "<a href=\"#%s\"%s>%s</a>\n", t->list,
		        json_is_array(page_cell_find(snapshot, t->list)) ? "" : " hidden", t->title);
}

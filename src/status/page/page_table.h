/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the tables of the status page: which there are, their columns, and a row for each
 * item of a list. The columns are described in the document itself (data-*), and page.js reads them
 * there: a new column needs no change in the script.
 */
#ifndef DROVER_STATUS_PAGE_TABLE_H
#define DROVER_STATUS_PAGE_TABLE_H

#include <jansson.h>
#include <stdio.h>

#define PAGE_TABLE_ROWS_MAX 1000        /* what a browser can renew each second; more are counted only */

/* All tables, each in a section of its own. A list that the snapshot lacks has a hidden one. */
void page_table_write_all(FILE *out, const json_t *snapshot);

/* Links to the sections. */
void page_table_write_links(FILE *out, const json_t *snapshot);

#endif

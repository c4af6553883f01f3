/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes text into HTML documents. It does not know what the documents say.
 */
#ifndef DROVER_STATUS_HTML_H
#define DROVER_STATUS_HTML_H

#include <stdio.h>

/*
 * Writes text so that it is only text, between tags and in a quoted attribute. The text is UTF-8;
 * control characters other than tab and newline, which HTML forbids, become U+FFFD.
 */
void html_text(FILE *out, const char *text);

#endif

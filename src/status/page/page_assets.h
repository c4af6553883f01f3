/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The style and the script of the status page, page.css and page.js. The build makes page_assets.c of
 * them, without comments and indentation. Both are ASCII.
 */
#ifndef DROVER_STATUS_PAGE_ASSETS_H
#define DROVER_STATUS_PAGE_ASSETS_H

extern const char page_assets_style[];
extern const char page_assets_script[];

#endif

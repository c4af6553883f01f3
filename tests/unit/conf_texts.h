/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts of small configurations, for tests of what they come to.
 */
#ifndef DROVER_TESTS_CONF_TEXTS_H
#define DROVER_TESTS_CONF_TEXTS_H

#define LENGTH(a) (sizeof (a) / sizeof (a)[0])

/* A service with more keys, and one with another handler. */
#define ECHO     "listen = \"*:0\"; handler = { type = \"echo\"; }; "
#define WITH(x)  "services = { s = { " ECHO x " }; };"
#define HANDLER(x) "services = { s = { listen = \"*:0\"; handler = { " x " }; }; };"
#define EXEC(x)  HANDLER("type = \"exec\"; " x)
#define PROGRAM(x, y) "services = { s = { listen = \"*:0\"; handler = { type = \"exec\";" \
                      " argv = \"/bin/cat\"; " x " }; " y " }; };"
#define FILTER(x) HANDLER("type = \"filter\"; argv = \"/bin/cat\"; " x)
#define ON(x)    "services = { s = { listen = " x "; handler = { type = \"echo\"; }; }; };"
#define TOP(x)   x " " WITH("")

#endif

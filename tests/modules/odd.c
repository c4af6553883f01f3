/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shared objects that cannot be used. ODD_... says what is wrong with this one.
 */
#include <drover/module.h>

#include <stdlib.h>

#if defined ODD_no_symbol
int drover_module_v0 = 1;
#else

#if defined ODD_unresolved
int no_such_function_anywhere(void);
#endif

static int odd_open(struct drover_connection *c)
{
	(void)c;
#if defined ODD_unresolved
	return no_such_function_anywhere();
#else
	return 0;
#endif
}

const struct drover_module drover_module_v1 = {
	DROVER_MODULE("odd", "1"),
	.open = odd_open,
};

#if defined ODD_ctor_crash
static __attribute__((constructor)) void begin(void)
{
	abort();
}
#elif defined ODD_ctor_exit
static __attribute__((constructor)) void begin(void)
{
	exit(0);
}
#endif
#endif

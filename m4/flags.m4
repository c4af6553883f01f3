# SPDX-License-Identifier: GPL-3.0-or-later

# DROVER_TRY_CFLAGS(VARIABLE, FLAGS): adds to VARIABLE those of FLAGS that the
# compiler takes without a word. Each is tried together with CFLAGS.
AC_DEFUN([DROVER_TRY_CFLAGS], [
	for drover_flag in $2; do
		AC_MSG_CHECKING([whether $CC takes $drover_flag])
		drover_save=$CFLAGS
		CFLAGS="$CFLAGS -Werror $drover_flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[(void)getchar();]])],
			[AC_MSG_RESULT([yes]); $1="$$1 $drover_flag"],
			[AC_MSG_RESULT([no])])
		CFLAGS=$drover_save
	done
])

# DROVER_TRY_LDFLAGS(VARIABLE, FLAGS, [CFLAGS]): the same for the linker.
AC_DEFUN([DROVER_TRY_LDFLAGS], [
	for drover_flag in $2; do
		AC_MSG_CHECKING([whether the linker takes $drover_flag])
		drover_save=$LDFLAGS
		drover_save_c=$CFLAGS
		LDFLAGS="$LDFLAGS -Werror $drover_flag"
		CFLAGS="$CFLAGS $3"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[(void)getchar();]])],
			[AC_MSG_RESULT([yes]); $1="$$1 $drover_flag"],
			[AC_MSG_RESULT([no])])
		LDFLAGS=$drover_save
		CFLAGS=$drover_save_c
	done
])

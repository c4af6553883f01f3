# SPDX-License-Identifier: GPL-3.0-or-later

# DROVER_SANITIZER: --with-sanitizer=LIST. Fills SANITIZER_CFLAGS (for the
# linker as well) and sets the conditional WITH_SANITIZER.
AC_DEFUN([DROVER_SANITIZER], [
	AC_ARG_WITH([sanitizer],
		[AS_HELP_STRING([--with-sanitizer=LIST],
			[build with sanitizers, e.g. address,undefined @<:@none@:>@])],
		[], [with_sanitizer=no])
	SANITIZER_CFLAGS=
	AS_CASE([$with_sanitizer],
		[no], [],
		[yes|''], [AC_MSG_ERROR([--with-sanitizer wants a list, for example address,undefined])],
		[
			SANITIZER_CFLAGS="-fsanitize=$with_sanitizer -fno-sanitize-recover=all -fno-omit-frame-pointer"
			AC_MSG_CHECKING([whether -fsanitize=$with_sanitizer works])
			drover_save=$CFLAGS
			CFLAGS="$CFLAGS $SANITIZER_CFLAGS"
			AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[(void)getchar();]])],
				[AC_MSG_RESULT([yes])],
				[AC_MSG_RESULT([no])
				 AC_MSG_ERROR([$CC cannot build with -fsanitize=$with_sanitizer])])
			CFLAGS=$drover_save
		])
	AC_SUBST([SANITIZER_CFLAGS])
	AM_CONDITIONAL([WITH_SANITIZER], [test "$with_sanitizer" != no])
])

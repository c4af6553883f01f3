# SPDX-License-Identifier: GPL-3.0-or-later

# DROVER_HARDENING: fills HARDENING_CPPFLAGS, HARDENING_CFLAGS and
# HARDENING_LDFLAGS with what this compiler and linker can do. To be called
# after DROVER_SANITIZER: both want the same places in libc.
AC_DEFUN([DROVER_HARDENING], [
	HARDENING_CPPFLAGS=
	HARDENING_CFLAGS=
	HARDENING_LDFLAGS=
	DROVER_TRY_CFLAGS([HARDENING_CFLAGS],
		[-fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE])
	DROVER_TRY_LDFLAGS([HARDENING_LDFLAGS],
		[-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack], [$HARDENING_CFLAGS])

	# It is of no use without optimisation.
	AS_IF([test -z "$SANITIZER_CFLAGS"], [
		AC_MSG_CHECKING([whether _FORTIFY_SOURCE=2 works here])
		drover_save=$CFLAGS
		CFLAGS="$CFLAGS -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
				#include <stdio.h>
				#ifndef __OPTIMIZE__
				#error no optimisation
				#endif
			]], [[(void)getchar();]])],
			[AC_MSG_RESULT([yes])
			 HARDENING_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"],
			[AC_MSG_RESULT([no])])
		CFLAGS=$drover_save
	])
	AC_SUBST([HARDENING_CPPFLAGS])
	AC_SUBST([HARDENING_CFLAGS])
	AC_SUBST([HARDENING_LDFLAGS])
])

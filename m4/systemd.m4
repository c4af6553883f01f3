# SPDX-License-Identifier: GPL-3.0-or-later

# DROVER_SYSTEMD_DIR(NAME, FOLDER, WHAT): a folder in which systemd looks for
# files, as the option --with-NAME. Under /usr it is what systemd itself says;
# under another prefix it is PREFIX/FOLDER, so that an install there stays there.
AC_DEFUN([DROVER_SYSTEMD_DIR], [
	AC_ARG_WITH([$1],
		[AS_HELP_STRING([--with-$1=DIR], [where $3 go @<:@as systemd says, or PREFIX/$2@:>@])],
		[AS_CASE([$withval], [yes|no|''], [AC_MSG_ERROR([--with-$1 wants a folder])])
		 $1=$withval],
		[AS_IF([test "$prefix" = /usr], [$1=`$PKG_CONFIG --variable=$1 systemd 2>/dev/null`])
		 AS_IF([test -z "$$1"], [$1='${prefix}/$2'])])
	AC_SUBST([$1])
])

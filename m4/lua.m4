# SPDX-License-Identifier: GPL-3.0-or-later

# DROVER_LUA: --without-lua. Finds Lua 5.4 under the names that distributions give it, and sets the
# conditional WITH_LUA, LUA_CFLAGS and LUA_LIBS. Only the module lua.so is linked with it.
AC_DEFUN([DROVER_LUA], [
	AC_ARG_WITH([lua],
		[AS_HELP_STRING([--without-lua], [do not build the module for handlers in Lua])],
		[], [with_lua=yes])
	lua_say="no: built without Lua"
	AS_IF([test "$with_lua" != no], [
		PKG_CHECK_MODULES([LUA], [lua5.4 >= 5.4.4], [],
			[PKG_CHECK_MODULES([LUA], [lua >= 5.4.4 lua < 5.5], [],
				[AC_MSG_ERROR([Lua 5.4 (5.4.4 or newer) is missing; ./bootstrap installs it (Debian: liblua5.4-dev), or use --without-lua])])])
		lua_say=yes
	])
	AM_CONDITIONAL([WITH_LUA], [test "$with_lua" != no])
])

#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make check-debian: tries drover on fresh Debian systems, which debootstrap makes in the build
# folder. SUITES says which, PARTS what is tried on each:
#
#   suite     the two commands of README, in a clone of the repository: all tests
#   package   packages are built there, twice, and checked; they are installed, upgraded and
#             removed in a container
#
# Says TAP; ends with 77 where nothing of it can be done. The unpacked systems are kept for the
# next time.

set -euo pipefail

top_srcdir=${top_srcdir:?run me with make check-debian}
top_builddir=${top_builddir:?run me with make check-debian}
suites=${SUITES:-bookworm trixie}
parts=${PARTS:-suite package}
work=$top_builddir/check-debian

# shellcheck source=tests/systemd/container.sh
. "$top_srcdir/tests/systemd/container.sh"
# shellcheck source=tests/debian/root.sh
. "$top_srcdir/tests/debian/root.sh"
# shellcheck source=tests/debian/suite.sh
. "$top_srcdir/tests/debian/suite.sh"
# shellcheck source=tests/debian/package.sh
. "$top_srcdir/tests/debian/package.sh"

need_container_tools
command -v git >/dev/null || skip 'git is not installed'
for part in $parts; do
	[ "$(type -t "check_$part")" = function ] || { echo "Bail out! PARTS: there is no part $part"; exit 64; }
done

number=0
failed=0
say() { # say ok|"not ok" WHAT
	number=$((number + 1))
	[ "$1" = ok ] || failed=$((failed + 1))
	echo "$1 $number - Debian $suite: $2"
}
# A check is a command; its output is shown only if it fails.
try() { # try WHAT LOG COMMAND...
	local what=$1 log=$2
	shift 2
	if "$@" >"$log" 2>&1; then
		say ok "$what"
	else
		say 'not ok' "$what"
		tail -n 15 "$log" | sed 's/^/#   /'
		echo "# all of it is in $log"
		return 1
	fi
}

# The stories of a container, under our numbers.
retell() { # retell TAP
	local line
	while IFS= read -r line; do
		case $line in
		'ok '*) say ok "${line#* - }" ;;
		'not ok '*) say 'not ok' "${line#* - }" ;;
		1..*) ;;
		*) echo "$line" ;;
		esac
	done <"$1"
}

for suite in $suites; do
	folder=$work/$suite
	mkdir -p "$folder"
	if ! unpack_debian "$suite" "$folder/base" "$base_packages"; then
		say ok "all parts # SKIP $unpack_error"
		continue
	fi
	for part in $parts; do
		"check_$part"
	done
done
echo "1..$number"
[ "$failed" = 0 ]

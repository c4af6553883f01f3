#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make rpm: has rpmbuild make packages for Fedora of the tarball of make dist, and rpmlint look at
# them. Elsewhere it shows whether drover.spec is right: there the packages that it wants have other
# names, and systemd's macros may be missing.
#
# rpm.sh SOURCE_FOLDER TARBALL FOLDER, where FOLDER gets the packages.

set -eu

source=$1 tarball=$2 folder=$3
say() { printf 'make rpm: %s\n' "$*"; }

if ! command -v rpmbuild >/dev/null; then
	say 'skipped: rpmbuild is not installed (Debian: rpm)'
	exit
fi
rm -rf "$folder"
mkdir -p "$folder"

set -- --define "_topdir $folder/work" --define "_rpmdir $folder" --define "_srcrpmdir $folder"
[ -e /etc/fedora-release ] || set -- "$@" --nodeps
[ "$(rpm -E '%{?_unitdir}')" ] || set -- "$@" --define '_unitdir /usr/lib/systemd/system' \
	--define '_sysusersdir /usr/lib/sysusers.d' --define '_tmpfilesdir /usr/lib/tmpfiles.d'
env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL \
	rpmbuild -ta "$@" "$tarball" >"$folder/build.log" 2>&1 || {
	tail -n 30 "$folder/build.log" >&2
	say "rpmbuild failed: $folder/build.log" >&2
	exit 1
}
rm -rf "$folder/work"
find "$folder" -name '*.rpm' | sort
if command -v rpmlint >/dev/null; then
	rpmlint --config "$source/packaging/rpm/rpmlint.toml" "$folder"
else
	say 'rpmlint is not installed'
fi

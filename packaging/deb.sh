#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make deb: makes a source package of the distribution folder and packaging/debian, and binary
# packages of that. make calls it with the folder for the results, which holds the unpacked
# distribution under the name drover-VERSION, and with the version.
#
# deb.sh compare FOLDER FOLDER: whether two such folders hold the same bytes.

set -eu

die() { printf 'make deb: %s\n' "$*" >&2; exit 1; }

# Not compared: .buildinfo and .changes, which say when and where the packages were built.
compare() {
	status=0
	for file in "$1"/*.deb "$1"/*.dsc "$1"/*.tar.xz; do
		name=${file##*/}
		if cmp -- "$file" "$2/$name"; then
			echo "the same: $name"
		else
			status=1
		fi
	done
	exit $status
}

if [ "$1" = compare ]; then
	compare "$2" "$3"
fi
folder=$1 version=$2
source=$folder/drover-$version

for tool in dpkg-buildpackage dh; do
	command -v $tool >/dev/null ||
		die "$tool is missing: ./bootstrap deb installs it (Debian: dpkg-dev, debhelper)"
done
packaged=$(dpkg-parsechangelog -l "$source/packaging/debian/changelog" -S Version)
[ "$packaged" = "$version" ] ||
	die "packaging/debian/changelog is of version $packaged, and configure.ac of $version"

cp -R "$source/packaging/debian" "$source/debian"
# The umask of whoever builds is not part of the source.
chmod -R u=rwX,go=rX "$source"

# What make has in its environment is meant for our Makefile, not for that of the package. make check
# has run the tests; DEB_BUILD_OPTIONS= DEB_BUILD_PROFILES= runs the unit tests once more.
cd "$source"
DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS-nocheck} DEB_BUILD_PROFILES=${DEB_BUILD_PROFILES-nocheck}
export DEB_BUILD_OPTIONS DEB_BUILD_PROFILES
# shellcheck disable=SC2086 # several words, if somebody sets it
env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL -u GNUMAKEFLAGS -u DESTDIR \
	dpkg-buildpackage -us -uc ${DEBFLAGS-} >../build.log 2>&1 || {
	tail -n 30 ../build.log >&2
	die "dpkg-buildpackage failed: $folder/build.log"
}
cd ..
rm -rf "$source"
ls -- *.deb

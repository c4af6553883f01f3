# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The part "package" of check-debian: builds the packages on a Debian as README says, twice, looks at
# them, builds those of a next version, and has stories.sh tell what an administrator does with both.
#
# shellcheck disable=SC2154 # run.sh has suite, folder, and the folders of source and build

# What the stories need beside the package itself.
story_packages='bash-completion dbus git logrotate netcat-openbsd procps systemd systemd-sysv zsh'

check_package() {
	local build=$folder/build root=$folder/packaged status=0
	copy_debian "$folder/base" "$build"
	copy_source "$build"
	make_next_version "$build"

	echo "# Debian $suite: building packages"
	try './bootstrap deb' "$folder/deb.log" in_root "$build" ./bootstrap deb || return 0
	try 'make check-deb-reproducible' "$folder/reproducible.log" \
		in_root "$build" make -C build -s check-deb-reproducible || true
	try 'lintian finds no errors or warnings' "$folder/lintian.log" in_root "$build" sh -ec '
		apt-get install -y -qq --no-install-recommends lintian >/dev/null
		lintian --version
		lintian --allow-root --fail-on error,warning --display-level ">=info" build/deb/*.changes' || true
	# shellcheck disable=SC2016 # a shell there expands it
	try 'a module is compiled with drover-dev' "$folder/dev.log" in_root "$build" sh -ec '
		dpkg -i build/deb/drover-dev_*.deb
		sed -n "/^#include/,/^END$/p" README | sed "/^END$/d" >/tmp/upper.c
		cc -shared -fPIC -Wall -Werror $(pkg-config --cflags drover-module) -o /tmp/upper.so /tmp/upper.c' || true
	try 'it can be installed and removed where no systemd runs' "$folder/chroot.log" \
		in_root "$build" sh -ec '
		apt-get install -y -qq ./build/deb/drover_*.deb ./build/deb/drover-lua_*.deb
		droverd -t
		apt-get purge -y -qq drover drover-lua
		! getent passwd drover' || true
	try 'the packages of a next version' "$folder/next.log" \
		in_root "$build" sh -ec 'cd ../next && ./bootstrap deb' || return 0

	echo "# Debian $suite: installing packages in a container"
	prepare_packaged "$build" "$root" >"$folder/packaged.log" 2>&1 || {
		say 'not ok' 'a container for the packages'
		tail -n 5 "$folder/packaged.log" | sed 's/^/#   /'
		return 0
	}
	add_stories "$root" "$top_srcdir/tests/debian/stories.sh"
	boot_stories "$root" "$folder/console.log"
	show_stories "$root" "$folder/console.log" >"$folder/stories.tap" || status=$?
	if [ $status = 77 ]; then
		say ok "the stories # SKIP the container does not boot: $(tail -n 1 "$folder/console.log")"
		return 0
	fi
	retell "$folder/stories.tap"
	[ $status = 0 ] || failed=$((failed + 1))
}

# The same source with another version, and another drover.conf.
make_next_version() { # make_next_version ROOT
	local next=$1/root/next version
	rm -rf "$next"
	cp -a "$1/root/drover" "$next"
	version=$(dpkg-parsechangelog -l "$next/packaging/debian/changelog" -S Version)
	sed -i "s/^AC_INIT(\[drover\], \[$version\])/AC_INIT([drover], [$version+next])/" "$next/configure.ac"
	sed -i "1s/($version)/($version+next)/" "$next/packaging/debian/changelog"
	echo '# This line is new in the next version.' >>"$next/etc/drover.conf"
}

# Here packages can be loaded from the network; the container that is booted has none.
prepare_packaged() { # prepare_packaged BUILD_ROOT ROOT
	local version
	copy_debian "$folder/base" "$2"
	mkdir -p "$2/packages/1" "$2/packages/2"
	cp "$1"/root/drover/build/deb/*.deb "$2/packages/1/"
	cp "$1"/root/next/build/deb/*.deb "$2/packages/2/"
	rm -f "$2"/packages/?/*-dbgsym_*
	cp -r "$top_srcdir/packaging/debian/tests" "$2/packages/autopkgtest"
	in_root "$2" sh -ec "
		apt-get update -q
		apt-get install -y -q --no-install-recommends $story_packages
		apt-get install -y -q --download-only /packages/1/*.deb"
}

#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make check-systemd: installs drover into a small Debian and boots that in a
# container, where stories.sh runs. Says TAP; ends with 77 where this cannot be
# done. The unpacked Debian is kept in the build folder for the next time.

set -euo pipefail

top_srcdir=${top_srcdir:?run me with make check-systemd}
top_builddir=${top_builddir:?run me with make check-systemd}
make=${MAKE:-make}

work=$top_builddir/check-systemd
base=$work/debian
root=$work/root

# shellcheck source=tests/systemd/container.sh
. "$top_srcdir/tests/systemd/container.sh"
need_container_tools
# shellcheck source=/dev/null
suite=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME-}") || skip 'this is not a Debian'
if ldd "$top_builddir/droverd" | grep -qE 'lib[a-z]+san\.so'; then
	skip 'the daemon is built with a sanitizer, whose library the container lacks'
fi

# The packages whose libraries the programs are linked with; their names are not the same in each Debian.
libraries() {
	local library
	readelf -d "$top_builddir"/droverd "$top_builddir"/droverctl "$top_builddir"/drover-bench |
		sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u |
		while read -r library; do dpkg-query -S "*/$library"; done | cut -d: -f1 | sort -u | paste -sd,
}
packages=curl,dbus,git,logrotate,netcat-openbsd,openssl,procps,systemd,$(libraries)

mkdir -p "$work"
unpack_debian "$suite" "$base" "$packages" || skip "$unpack_error"

echo '# installing drover'
copy_debian "$base" "$root"
: >"$work/install.log"
install() { "$make" -C "$top_builddir" -s install DESTDIR="$root" >>"$work/install.log" 2>&1; }
install
echo '# mine' >>"$root/etc/drover/drover.conf"
install
if ! grep -qx '# mine' "$root/etc/drover/drover.conf"; then
	echo 'Bail out! make install overwrote drover.conf'
	exit 1
fi
add_stories "$root" "$top_srcdir/tests/systemd/stories.sh"
boot_stories "$root" "$work/console.log"
status=0
show_stories "$root" "$work/console.log" || status=$?
[ $status != 77 ] || skip "the container does not boot: $(tail -n 1 "$work/console.log")"
exit $status

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
packages=curl,dbus,git,libconfig9,libjansson4,libmicrohttpd12,libncursesw6,libseccomp2,libssl3,libsystemd0,logrotate,netcat-openbsd,openssl,procps,systemd

skip() {
	echo "1..0 # SKIP $*"
	exit 77
}

[ "$(id -u)" = 0 ] || skip 'only root can boot a container'
for tool in debootstrap systemd-nspawn; do
	command -v "$tool" >/dev/null || skip "$tool is not installed"
done
# shellcheck source=/dev/null
suite=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME-}") || skip 'this is not a Debian'
if ldd "$top_builddir/droverd" | grep -qE 'lib[a-z]+san\.so'; then
	skip 'the daemon is built with a sanitizer, whose library the container lacks'
fi

mkdir -p "$work"
if [ "$(cat "$base/.complete" 2>/dev/null)" != "$packages" ]; then
	echo "# unpacking a Debian into $base"
	rm -rf "$base"
	debootstrap --variant=minbase --include="$packages" "$suite" "$base" >"$work/debootstrap.log" 2>&1 ||
		skip "debootstrap failed: $(tail -n 1 "$work/debootstrap.log")"
	echo "$packages" >"$base/.complete"
fi

echo '# installing drover'
rm -rf "$root"
cp -a --reflink=auto "$base" "$root"
: >"$work/install.log"
install() { "$make" -C "$top_builddir" -s install DESTDIR="$root" >>"$work/install.log" 2>&1; }
install
echo '# mine' >>"$root/etc/drover/drover.conf"
install
if ! grep -qx '# mine' "$root/etc/drover/drover.conf"; then
	echo 'Bail out! make install overwrote drover.conf'
	exit 1
fi
mkdir "$root/stories"
cp "$top_srcdir/tests/systemd/stories.sh" "$root/stories/"
cp "$top_srcdir/tests/systemd/stories.service" "$root/etc/systemd/system/"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../stories.service "$root/etc/systemd/system/multi-user.target.wants/"

echo '# booting'
# The whole of it is a minute or two; what hangs is ended.
timeout --kill-after=20 600 systemd-nspawn --quiet --boot --register=no --keep-unit --private-network \
	--console=pipe --machine=drover-check --directory="$root" </dev/null >"$work/console.log" 2>&1 || true

if [ ! -s "$root/stories/tap" ]; then
	if grep -q 'Reached target' "$work/console.log"; then
		echo 'Bail out! the container booted, and no story was told'
		tail -n 20 "$work/console.log"
		exit 1
	fi
	skip "the container does not boot: $(tail -n 1 "$work/console.log")"
fi
cat "$root/stories/tap"
told=$(grep -cE '^(not )?ok ' "$root/stories/tap")
if grep -q '^not ok' "$root/stories/tap" || ! grep -qx "1\.\.$told" "$root/stories/tap"; then
	echo '# what the journal says:'
	sed 's/^/#   /' "$root/stories/journal" 2>/dev/null || true
	exit 1
fi

# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Commands in an unpacked Debian, as check-debian needs them: with all rights that root has
# here, with the network of this machine, and without a process that outlives them.
#
# shellcheck disable=SC2154 # run.sh has suite, folder, and the folders of source and build

# Nothing but what each Debian has.
# shellcheck disable=SC2034 # for run.sh
base_packages=

# Runs a command there, in /root/drover if that is there. Its standard input is empty.
in_root() { # in_root ROOT COMMAND...
	local root=$1
	shift
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount --pid --ipc --uts --fork --kill-child --propagation private bash -euc '
		root=$1
		shift
		mount --bind "$root" "$root"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		mount --rbind /sys "$root/sys"
		mount -t proc proc "$root/proc"
		mount -t tmpfs -o mode=755 tmpfs "$root/run"
		folder=/
		[ ! -d "$root/root/drover" ] || folder=/root/drover
		# Not chroot, after which the kernel makes no user namespaces.
		cd "$root"
		pivot_root . .
		umount -l .
		cd /
		exec /usr/bin/env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			JOBS="${JOBS-}" CONFIGURE_FLAGS=--enable-werror DEBIAN_FRONTEND=noninteractive \
			sh -c "cd $folder && exec \"\$@\"" sh "$@"
	' bash "$root" "$@" </dev/null
}

# The source as somebody else gets it: a clone of the last commit, or what a tarball holds.
copy_source() { # copy_source ROOT
	mkdir -p "$1/root"
	rm -rf "$1/root/drover"
	if [ -e "$top_srcdir/.git" ]; then
		git clone -q --no-hardlinks "$top_srcdir" "$1/root/drover"
		[ -z "$(git -C "$top_srcdir" status --porcelain --untracked-files=no)" ] ||
			echo '# what is not committed is not in the clone'
	else
		"${MAKE:-make}" -C "$top_builddir" -s dist >/dev/null
		mkdir "$1/root/drover"
		tar -xf "$top_builddir"/drover-*.tar.gz -C "$1/root/drover" --strip-components=1
	fi
}

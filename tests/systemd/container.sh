# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Unpacked Debian systems, and containers that boot them, for make check-systemd and make
# check-debian. To be sourced by a bash with -euo pipefail. It knows nothing of drover.
#
# shellcheck disable=SC2154 # the caller has top_srcdir

skip() {
	echo "1..0 # SKIP $*"
	exit 77
}

need_container_tools() {
	[ "$(id -u)" = 0 ] || skip 'only root can boot a container'
	local tool
	for tool in debootstrap systemd-nspawn; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
}

# Unpacks a Debian, unless it is there with these packages from an earlier call. Returns 1,
# and leaves the reason in unpack_error, if that cannot be done.
unpack_debian() { # unpack_debian SUITE FOLDER PACKAGE,PACKAGE...
	local suite=$1 folder=$2 packages=$3
	[ "$(cat "$folder/.complete" 2>/dev/null)" != "$suite $packages" ] || return 0
	echo "# unpacking Debian $suite into $folder"
	rm -rf "$folder"
	debootstrap --variant=minbase ${packages:+--include="$packages"} "$suite" "$folder" >"$folder.log" 2>&1 || {
		# shellcheck disable=SC2034 # for the caller
		unpack_error="debootstrap failed: $(tail -n 1 "$folder.log")"
		return 1
	}
	echo "$suite $packages" >"$folder/.complete"
}

# The same files in another folder; what was there is gone.
copy_debian() { # copy_debian FROM TO
	rm -rf "$2"
	cp -a --reflink=auto "$1" "$2"
}

# Has stories.service of tests/systemd run when the Debian boots: it executes
# /stories/stories.sh, which reads telling.sh.
add_stories() { # add_stories ROOT STORIES_SH
	mkdir -p "$1/stories" "$1/etc/systemd/system/multi-user.target.wants"
	cp "$2" "$1/stories/stories.sh"
	cp "$top_srcdir/tests/systemd/telling.sh" "$1/stories/"
	cp "$top_srcdir/tests/systemd/stories.service" "$1/etc/systemd/system/"
	ln -s ../stories.service "$1/etc/systemd/system/multi-user.target.wants/"
}

# Boots it, and waits until the stories are told and it has powered off. What hangs is ended. A
# newer systemd than that of the host needs the unified control groups.
boot_stories() { # boot_stories ROOT CONSOLE_LOG
	echo '# booting'
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 \
	timeout --kill-after=20 900 systemd-nspawn --quiet --boot --register=no --keep-unit --private-network \
		--console=pipe --machine=drover-check-$$ --directory="$1" </dev/null >"$2" 2>&1 || true
}

# Prints what the stories said. Returns 77 if the container cannot boot here; the last line of
# the console is the reason then.
show_stories() { # show_stories ROOT CONSOLE_LOG
	local told
	if [ ! -s "$1/stories/tap" ]; then
		grep -q 'Reached target' "$2" || return 77
		echo 'Bail out! the container booted, and no story was told'
		tail -n 20 "$2"
		return 1
	fi
	cat "$1/stories/tap"
	told=$(grep -cE '^(not )?ok ' "$1/stories/tap")
	if grep -q '^not ok' "$1/stories/tap" || ! grep -qx "1\.\.$told" "$1/stories/tap"; then
		echo '# what the journal says:'
		sed 's/^/#   /' "$1/stories/journal" 2>/dev/null || true
		return 1
	fi
}

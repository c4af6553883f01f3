# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Tells stories about drover.service: each is a function, named in the array `stories`, that
# fails where the story goes wrong. stories.sh sources this inside the container, and calls
# `tell "$@"` at its end: without an argument that tells all, each in a bash of its own, and says TAP.

set -euo pipefail
shopt -s inherit_errexit

# --- Helpers

property() { systemctl show --value -p "$1" drover.service; }
is()       { [ "$2" = "$3" ] || { echo "$1 is '$2', not '$3'"; return 1; }; }

# Tries a command for ten seconds.
eventually() {
	local end=$((SECONDS + 10))
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			echo "not within 10 s: $*"
			return 1
		fi
		sleep 0.05
	done
}

echoes() { # echoes PORT
	local said
	said=$(echo "hello $1" | timeout 5 nc -N 127.0.0.1 "$1") || true
	is "the echo on port $1" "$said" "hello $1"
}

is_running()  { [ "$(property ActiveState)/$(property SubState)" = active/running ]; }
is_gone()     { ! kill -0 "$1"; }
restarted()   { [ "$(property NRestarts)" = "$1" ]; }
ended_with()  { [ "$(property ExecMainStatus)" = "$1" ]; }
has_mode()    { [ "$(stat -c %a "$1")" = "$2" ]; }
worker_of()   { pgrep -P "$(property MainPID)" -u "$1" | head -n 1; }
journal_has() { journalctl --sync; journalctl -u drover.service -o cat | grep -E -e "$1" >/dev/null; }

# --- Telling them

# What they are about; for all stories, and before each: a file of stories can have its own.
subject=drover.service
before_all()  { :; }
before_each() { :; }

tell() {
	local number=0 story said
	if [ $# = 1 ]; then
		before_each
		"$1"
		exit
	fi
	trap 'journalctl --sync; journalctl -u drover.service -o short-monotonic >/stories/journal' EXIT
	before_all
	# shellcheck disable=SC2154 # the caller has them
	echo "1..${#stories[@]}"
	for story in "${stories[@]}"; do
		number=$((number + 1))
		if said=$(timeout 90 "$0" "$story" 2>&1); then
			echo "ok $number - $subject ${story//_/ }"
		else
			echo "not ok $number - $subject ${story//_/ }"
			# shellcheck disable=SC2001 # each line of it
			sed 's/^/# /' <<<"$said"
		fi
	done
}

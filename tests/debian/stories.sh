#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What an administrator does with the Debian packages: this runs inside the container that package.sh
# prepares; telling.sh says how. The packages of two versions are in /packages.

stories=(
	is_installed_and_serves
	passes_its_autopkgtest
	completes_words_in_bash_and_zsh
	reloads_what_is_configured
	is_upgraded_under_load
	is_upgraded_without_a_control_socket
	keeps_the_old_program_if_the_configuration_is_wrong
	keeps_the_old_program_if_an_address_is_in_use
	keeps_the_old_program_if_the_daemon_does_not_see_a_file
	is_restarted_if_it_cannot_be_upgraded_in_place
	stays_stopped_if_it_was_disabled
	keeps_a_changed_conffile
	takes_a_new_conffile
	serves_lua_and_loads_the_new_module
	is_removed_and_installed_again
	is_purged_without_a_trace
	leaves_what_the_administrator_made
)

conf_d=/etc/drover/conf.d
export DEBIAN_FRONTEND=noninteractive

# shellcheck source=tests/systemd/telling.sh
. /stories/telling.sh
# shellcheck disable=SC2034 # for telling.sh
subject='the package'

# --- Helpers

apt() { apt-get -y -q -o Dpkg::Use-Pty=0 "$@" </dev/null; }

install_version() { # install_version 1|2 PACKAGE...
	local version=$1 package files=()
	shift
	for package in "$@"; do files+=("/packages/$version/${package}"_*.deb); done
	apt install "${files[@]}"
}
upgrade() { install_version 2 drover "$@"; }

version_of() { dpkg-deb -f /packages/"$1"/drover_*.deb Version; }
runs_version() { is "the version that runs" "$(droverctl version)" "drover $(version_of "$1")"; }
program_is_new() { [ "/proc/$1/exe" -ef /usr/sbin/droverd ]; }

# Everything that a package could leave: files outside of what dpkg and apt keep for themselves, users.
traces() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /stories \
		-o -path /packages -o -path /root -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache \
		-o -path /var/log/apt -o -path /var/log/journal -o -path /var/tmp \) -prune -o -print |
		grep -v -x -e '/var/log/dpkg\.log' -e '/var/log/alternatives\.log' -e '/var/lib/systemd/.*timer.*' \
			-e '/var/lib/systemd/random-seed' -e '/var/log/\(lastlog\|wtmp\|btmp\)' \
			-e '/etc/\(passwd\|group\|shadow\|gshadow\)-' |
		sort
	find /run/drover 2>/dev/null || true
	getent passwd | sort
	getent group | sort
}

# --- Stories

is_installed_and_serves() {
	is ActiveState "$(property ActiveState)" active
	is 'what is enabled' "$(systemctl is-enabled drover.service)" enabled
	echoes 7007
	for user in drover drover-tls drover-status; do getent passwd $user >/dev/null; done
	is 'the owner of /run/drover' "$(stat -c %U /run/drover)" root
	is 'the mode of /var/lib/drover' "$(stat -c %a /var/lib/drover)" 750
	is 'the conffiles' \
		"$(dpkg-query -W -f '${Conffiles}\n' drover | awk 'NF { print $1 }' | sort | paste -sd' ')" \
		'/etc/drover/drover.conf /etc/logrotate.d/drover'
	logrotate -d /etc/logrotate.d/drover
	runs_version 1
	dpkg --verify drover
}

passes_its_autopkgtest() { /packages/autopkgtest/serves-and-clones; }

completes_words_in_bash_and_zsh() {
	bash -c '. /usr/share/bash-completion/bash_completion
		for c in droverctl droverd drover-bench; do _completion_loader $c; complete -p $c; done'
	zsh -fc 'autoload -Uz compinit && compinit -u -D
		for c in droverctl droverd drover-bench; do [[ ${_comps[$c]} = _drover ]] || exit 1; done'
}

reloads_what_is_configured() {
	local pid
	pid=$(property MainPID)
	echo 'services = { two = { listen = "127.0.0.1:7008"; handler = { type = "echo"; }; }; };' \
		>$conf_d/two.conf
	droverd -t
	systemctl reload drover.service
	echoes 7008
	is 'the master' "$(property MainPID)" "$pid"
}

# Clients that connect all the time, clients that stay, and one that was there before.
is_upgraded_under_load() {
	local pid said connecting staying
	pid=$(property MainPID)
	exec 3<>/dev/tcp/127.0.0.1/7007
	echo one >&3
	read -r -t 5 said <&3
	drover-bench -q -m connect -n 4 -d 25s --echo 127.0.0.1:7007 >/stories/connecting 2>&1 3>&- &
	connecting=$!
	drover-bench -q -n 16 -d 25s --echo 127.0.0.1:7007 >/stories/staying 2>&1 3>&- &
	staying=$!
	sleep 2
	upgrade 3>&-
	runs_version 2
	echo two >&3
	read -r -t 5 said <&3
	is 'the answer after' "$said" two
	exec 3>&-
	is 'the master' "$(property MainPID)" "$pid"
	program_is_new "$pid"
	restarted 0
	journal_has 'upgraded to drover'
	# They must have been there all the time.
	kill -0 $connecting
	kill -0 $staying
	wait $connecting || { cat /stories/connecting; return 1; }
	wait $staying || { cat /stories/staying; return 1; }
}

is_upgraded_without_a_control_socket() {
	local pid
	echo 'control = { socket = "none"; };' >>/etc/drover/drover.conf
	systemctl restart drover.service
	pid=$(property MainPID)
	upgrade_keeping_conffiles
	is 'the master' "$(property MainPID)" "$pid"
	program_is_new "$pid"
	echoes 7007
}
upgrade_keeping_conffiles() {
	apt install -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef /packages/2/drover_*.deb
}

# The old program goes on with what it has, says why, and the new one comes when that is mended.
expect_old_program() { # expect_old_program PID WORDS
	cat /stories/said
	grep -F -- "$2" /stories/said
	grep -F 'the old program goes on' /stories/said
	is 'the master' "$(property MainPID)" "$1"
	runs_version 1
	echoes 7007
}

keeps_the_old_program_if_the_configuration_is_wrong() {
	local pid
	pid=$(property MainPID)
	echo 'services = { bad = { listn = "127.0.0.1:7009"; }; };' >$conf_d/bad.conf
	upgrade >/stories/said 2>&1
	cat /stories/said
	expect_old_program "$pid" 'bad.conf:1:'
	if program_is_new "$pid"; then echo 'it executes the new program'; return 1; fi
	is 'the state of the package' "$(dpkg-query -W -f '${db:Status-Status}' drover)" installed
	rm $conf_d/bad.conf
	droverctl upgrade
	runs_version 2
}

keeps_the_old_program_if_an_address_is_in_use() {
	local pid
	pid=$(property MainPID)
	systemd-run --quiet --unit=other systemd-socket-activate --listen=127.0.0.1:7011 /bin/cat
	until grep -q ':1B63 .* 0A ' /proc/net/tcp; do sleep 0.1; done
	echo 'services = { taken = { listen = "127.0.0.1:7011"; handler = { type = "echo"; }; }; };' >$conf_d/taken.conf
	upgrade >/stories/said 2>&1
	expect_old_program "$pid" 'listen on 127.0.0.1:7011'
	systemctl stop other.service
	rm $conf_d/taken.conf
	droverctl upgrade
	runs_version 2
}

# The unit hides /home: droverd -t in a shell finds nothing wrong.
keeps_the_old_program_if_the_daemon_does_not_see_a_file() {
	local pid
	pid=$(property MainPID)
	mkdir -p /home/somebody
	cp /bin/cat /home/somebody/program
	echo 'services = { hidden = { listen = "127.0.0.1:7012"; handler = { type = "exec";' \
		'argv = "/home/somebody/program"; }; }; };' >$conf_d/hidden.conf
	upgrade >/stories/said 2>&1
	expect_old_program "$pid" '/home/somebody/program'
	rm -r $conf_d/hidden.conf /home/somebody
	droverctl upgrade
	runs_version 2
}

# A program in a place of its own, that does not take over but can be started.
is_restarted_if_it_cannot_be_upgraded_in_place() {
	local pid
	mkdir -p /etc/systemd/system/drover.service.d
	printf '%s\n' '[Service]' 'ExecStart=' 'ExecStart=/usr/local/sbin/droverd -c /etc/drover/drover.conf' \
		>/etc/systemd/system/drover.service.d/elsewhere.conf
	cp /usr/sbin/droverd /usr/local/sbin/droverd
	systemctl daemon-reload
	systemctl restart drover.service
	pid=$(property MainPID)
	printf '%s\n' '#!/bin/sh' 'case $* in *-t*) exit 1 ;; esac' 'exec /usr/sbin/droverd "$@"' \
		>/usr/local/sbin/droverd.new
	chmod 755 /usr/local/sbin/droverd.new
	mv /usr/local/sbin/droverd.new /usr/local/sbin/droverd
	upgrade >/stories/said 2>&1
	cat /stories/said
	grep -F 'it is restarted instead' /stories/said
	[ "$(property MainPID)" != "$pid" ]
	runs_version 2
	echoes 7007
}

stays_stopped_if_it_was_disabled() {
	systemctl disable --now drover.service
	upgrade
	is ActiveState "$(property ActiveState)" inactive
	is 'what is enabled' "$(systemctl is-enabled drover.service || true)" disabled
}

keeps_a_changed_conffile() {
	local before
	sed -i 's/7007/7070/' /etc/drover/drover.conf
	systemctl restart drover.service
	echoes 7070
	before=$(cksum </etc/drover/drover.conf)
	upgrade_keeping_conffiles
	is 'drover.conf' "$(cksum </etc/drover/drover.conf)" "$before"
	grep -F 'new in the next version' /etc/drover/drover.conf.dpkg-dist
	runs_version 2
	echoes 7070
	droverd -t | tee /stories/said
	if grep -F dpkg-dist /stories/said; then echo 'it reads the file of dpkg'; return 1; fi
}

takes_a_new_conffile() {
	upgrade
	grep -F 'new in the next version' /etc/drover/drover.conf
	runs_version 2
	if ls /etc/drover/*.dpkg-*; then echo 'dpkg left files'; return 1; fi
}

serves_lua_and_loads_the_new_module() {
	local worker
	printf '%s\n' 'function data(conn, bytes)' 'return bytes:upper()' 'end' >/etc/drover/upper.lua
	echo 'services = { upper = { listen = "127.0.0.1:7112"; handler = { type = "lua";
	      script = "/etc/drover/upper.lua"; }; workers = 1; }; };' >$conf_d/upper.conf
	if droverd -t >/stories/said 2>&1; then echo 'lua.so is there without its package'; return 1; fi
	grep 'lua\.so' /stories/said
	install_version 1 drover-lua
	systemctl reload drover.service
	is 'the answer' "$(echo hello | nc -N 127.0.0.1 7112)" HELLO
	upgrade drover-lua
	runs_version 2
	is 'the answer of the next version' "$(echo hello | nc -N 127.0.0.1 7112)" HELLO
	worker=$(pgrep -n drover:upper)
	if grep 'lua\.so (deleted)' "/proc/$worker/maps"; then echo 'it has the old module'; return 1; fi
}

is_removed_and_installed_again() {
	local log=/var/log/drover/access.log
	sed -i 's/^#access_log/access_log/' /etc/drover/drover.conf
	systemctl reload drover.service
	echoes 7007
	eventually test -s $log
	apt remove drover
	if pgrep -x droverd || pgrep drover:; then echo 'a process is left'; return 1; fi
	[ ! -e /usr/sbin/droverd ]
	[ -s $log ]
	grep -q '^access_log' /etc/drover/drover.conf
	install_version 1 drover
	is ActiveState "$(property ActiveState)" active
	grep -q '^access_log' /etc/drover/drover.conf
	echoes 7007
}

is_purged_without_a_trace() {
	local left
	sed -i 's/^#access_log/access_log/' /etc/drover/drover.conf
	systemctl restart drover.service
	echoes 7007
	apt purge --autoremove drover
	if pgrep -x droverd || pgrep drover:; then echo 'a process is left'; return 1; fi
	traces >/stories/after
	left=$(diff /stories/before /stories/after || true)
	is 'what is left or missing' "$left" ''
}

leaves_what_the_administrator_made() {
	echo '# mine' >$conf_d/mine.conf
	mkdir -p /srv/git
	chown drover:drover /srv/git
	apt purge --autoremove drover
	is 'the file' "$(cat $conf_d/mine.conf)" '# mine'
	is 'the owner' "$(stat -c %U /srv/git)" drover
	if getent passwd drover-tls; then echo 'the user drover-tls is left'; return 1; fi
}

# --- Telling them

# As the machine was before the first package, and then version 1, which serves.
before_each() {
	systemctl stop drover.service 2>/dev/null || true
	dpkg --purge drover-lua drover
	rm -rf /etc/drover /etc/systemd/system/drover.service.d /usr/local/sbin/droverd /srv/git
	for user in drover drover-tls drover-status; do userdel $user 2>/dev/null || true; done
	systemctl daemon-reload
	systemctl reset-failed drover.service 2>/dev/null || true
	[ -s /stories/before ] || traces >/stories/before
	install_version 1 drover
}

tell "$@"

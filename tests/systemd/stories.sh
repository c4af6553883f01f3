#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What an administrator does with drover.service, told in a real systemd: this
# runs inside the container that run.sh boots; telling.sh says how.

stories=(
	starts_and_is_ready
	echoes_as_its_user
	keeps_to_the_security_score
	reloads_a_good_file
	refuses_a_bad_file_and_goes_on
	refuses_what_its_user_cannot_enter
	refuses_what_does_not_start
	answers_a_bad_hangup_with_ready
	is_upgraded_in_place
	does_not_start_with_a_bad_file
	tries_again_until_a_name_is_known
	serves_git_inside_the_sandbox
	serves_tls_with_keys_apart
	tells_how_it_is
	writes_fields_to_the_journal
	does_what_needs_capabilities
	does_chroot_with_the_drop_in
	rotates_its_logs
	feeds_the_watchdog
	is_replaced_when_it_hangs
	is_replaced_when_it_is_killed
	is_started_by_its_socket
	gets_its_socket_on_a_running_system
	drains_longer_than_the_stop_timeout
	stops_with_exit_code_0
)

conf_d=/etc/drover/conf.d
examples=/usr/share/doc/drover/examples
units=/etc/systemd/system

# shellcheck source=tests/systemd/telling.sh
. /stories/telling.sh

# --- Helpers

drop_in() { # drop_in NAME, with its text on standard input
	mkdir -p "$units/drover.service.d"
	cat >"$units/drover.service.d/$1.conf"
	systemctl daemon-reload
}

# How each story finds the machine: as installed, and running.
as_installed() {
	systemctl stop drover.socket 2>/dev/null || true
	rm -rf "${conf_d:?}"/* "$units/drover.service.d" "$units/drover.socket"
	cp /stories/drover.conf.installed /etc/drover/drover.conf
	systemctl daemon-reload
	systemctl reset-failed drover.service 2>/dev/null || true
	systemctl restart drover.service
}

# --- Stories

starts_and_is_ready() {
	is Type "$(property Type)" notify
	is ActiveState "$(property ActiveState)" active
	[ -n "$(property StatusText)" ] || { echo 'STATUS= says nothing'; return 1; }
	is 'the pid file' "$(cat /run/drover/drover.pid)" "$(property MainPID)"
	is 'the owner of /run/drover' "$(stat -c %U /run/drover)" root
	journal_has ready
}

echoes_as_its_user() {
	echoes 7007
	[ -n "$(worker_of drover)" ] || { echo 'no worker belongs to drover'; return 1; }
	is 'the number of workers with rights of root' "$(pgrep -c -P "$(property MainPID)" -u root || true)" 0
}

keeps_to_the_security_score() {
	systemd-analyze security --threshold=30 --no-pager drover.service | tail -n 1
}

reloads_a_good_file() {
	local pid
	pid=$(property MainPID)
	echo 'services = { two = { listen = "127.0.0.1:7008"; handler = { type = "echo"; }; }; };' >$conf_d/two.conf
	systemctl reload drover.service
	echoes 7008
	echoes 7007
	eventually is_running
	is 'the master' "$(property MainPID)" "$pid"
}

refuses_a_bad_file_and_goes_on() {
	local pid
	pid=$(property MainPID)
	echo 'services = { bad = { listn = "127.0.0.1:7009"; }; };' >$conf_d/bad.conf
	if systemctl reload drover.service; then
		echo 'the reload did not fail'
		return 1
	fi
	journal_has 'droverctl.*bad\.conf:1: .*listn'
	eventually is_running
	is 'the master' "$(property MainPID)" "$pid"
	echoes 7007
}

refuses_what_its_user_cannot_enter() {
	install -d -m 700 /srv/private
	echo 'services = { bad = { listen = "127.0.0.1:7009"; handler = { type = "echo"; };
	      directory = "/srv/private"; }; };' >$conf_d/bad.conf
	if systemctl reload drover.service; then
		echo 'the reload did not fail'
		return 1
	fi
	journal_has 'droverctl.*bad: directory: /srv/private: permission denied for user drover'
	eventually is_running
	echoes 7007
}

# A limit beyond fs.nr_open: the check lets it pass, the kernel refuses it to a worker that starts.
refuses_what_does_not_start() {
	echo 'services = { bad = { listen = "127.0.0.1:7009"; handler = { type = "echo"; };
	      rlimits = { nofile = 1000000000000L; }; }; };' >$conf_d/bad.conf
	if systemctl reload drover.service; then
		echo 'the reload did not fail'
		return 1
	fi
	journal_has 'droverctl.*service "bad" could not start'
	eventually is_running
	echoes 7007
}

answers_a_bad_hangup_with_ready() {
	echo 'services = { bad = { listn = "127.0.0.1:7009"; }; };' >$conf_d/hangup.conf
	systemctl kill -s HUP --kill-whom=main drover.service
	eventually journal_has 'hangup\.conf:1: .*listn'
	eventually is_running
	echoes 7007
}

has_program() { [ "$(readlink "/proc/$1/exe")" = "$2" ]; }

# As a package does it: the running program is "(deleted)" then.
is_upgraded_in_place() {
	local pid program said
	pid=$(property MainPID)
	program=$(readlink "/proc/$pid/exe")
	exec 3<>/dev/tcp/127.0.0.1/7007
	echo one >&3
	read -r -t 5 said <&3
	is 'the answer before' "$said" one
	cp "$program" "$program.new"
	mv "$program.new" "$program"
	has_program "$pid" "$program (deleted)"
	droverctl upgrade
	has_program "$pid" "$program"
	cp "$program" "$program.new"
	mv "$program.new" "$program"
	systemctl kill -s USR2 --kill-whom=main drover.service
	eventually has_program "$pid" "$program"
	eventually is_running
	echo two >&3
	read -r -t 5 said <&3
	is 'the answer after' "$said" two
	exec 3>&-
	echoes 7007
	is 'the master' "$(property MainPID)" "$pid"
	restarted 0
	is Result "$(property Result)" success
	is 'the pid file' "$(cat /run/drover/drover.pid)" "$pid"
	journal_has 'upgraded to drover'
	systemctl reload drover.service
}

does_not_start_with_a_bad_file() {
	echo 'services = { bad = { listn = "127.0.0.1:7009"; }; };' >$conf_d/bad.conf
	if systemctl restart drover.service; then
		echo 'it started'
		return 1
	fi
	is ExecMainStatus "$(property ExecMainStatus)" 78
	sleep 3 # longer than RestartSec
	is ActiveState "$(property ActiveState)" failed
	restarted 0
	rm $conf_d/bad.conf
	systemctl start drover.service
	echoes 7007
}

# Without a name server a look-up fails for now; a line in /etc/hosts is as good as its coming.
tries_again_until_a_name_is_known() {
	echo 'nameserver 127.0.0.1' >/etc/resolv.conf
	echo 'services = { late = { listen = "late.test:7009"; handler = { type = "echo"; }; }; };' >$conf_d/late.conf
	systemctl restart --no-block drover.service
	eventually restarted 2
	eventually ended_with 75
	echo '127.0.0.1 late.test' >>/etc/hosts
	eventually is_running
	echoes 7009
	echoes 7007
}

serves_git_inside_the_sandbox() {
	install -d -o drover -g drover /srv/git
	runuser -u drover -- git init -q /srv/git/one
	runuser -u drover -- git -C /srv/git/one -c user.name=x -c user.email=x@localhost \
		commit -q --allow-empty -m first
	cat >$conf_d/git.conf <<-'END'
		services = { git = { listen = "127.0.0.1:9418"; handler = { type = "exec";
		    argv = [ "/usr/bin/git", "daemon", "--inetd", "--export-all", "--base-path=/srv/git" ]; }; }; };
	END
	systemctl restart drover.service
	timeout 20 git clone -q git://127.0.0.1:9418/one /stories/clone
	is 'the clone' "$(git -C /stories/clone log --format=%s)" first
}

# The user of the process with that title.
user_of() { ps -eo user:32,args | sed -n "s/ *droverd: $1\$//p" | head -n 1; }

serves_tls_with_keys_apart() {
	local said
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /etc/drover/s.key \
		-out /etc/drover/s.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 30 2>/dev/null
	chmod 600 /etc/drover/s.key
	echo 'services = { s = { listen = "127.0.0.1:7009"; handler = { type = "echo"; };
	      tls = { chain = "/etc/drover/s.pem"; key = "/etc/drover/s.key"; }; }; };' >$conf_d/s.conf
	systemctl reload drover.service
	said=$( (echo hello; sleep 1) | timeout 10 openssl s_client -quiet -verify_return_error \
		-CAfile /etc/drover/s.pem -servername localhost -connect 127.0.0.1:7009 2>/dev/null) || true
	is 'the echo over TLS' "$said" hello
	is 'the user of the key process' "$(user_of 'tls keys')" drover-tls
}

tells_how_it_is() {
	echo 'metrics = { listen = "127.0.0.1:9550"; };' >>/etc/drover/drover.conf
	systemctl reload drover.service
	is 'what /ready says' "$(curl -sf http://127.0.0.1:9550/ready)" ready
	is 'what /live says' "$(curl -sf http://127.0.0.1:9550/live)" alive
	case $(curl -sf http://127.0.0.1:9550/metrics) in
	*'drover_state{state="serving"} 1'*) ;;
	*) echo 'no metric says that it serves'; return 1 ;;
	esac
	case $(curl -sf http://127.0.0.1:9550/) in
	*'<title>'*) ;;
	*) echo 'there is no page'; return 1 ;;
	esac
	is 'the user of the status process' "$(user_of status)" drover-status
}

# A worker that dies is found by the message id that drover.conf(5) and droverd(8) name, with its fields.
journal_tells_of() {
	journalctl --sync
	journalctl -u drover.service -o json --output-fields=SERVICE,WORKER,EVENT,MESSAGE "MESSAGE_ID=$1" | grep -F "$2"
}

writes_fields_to_the_journal() {
	local pid said
	sed -i '/^log /d' /etc/drover/drover.conf
	echo 'log = { target = "journal"; };' >>/etc/drover/drover.conf
	systemctl reload drover.service
	pid=$(pgrep -n drover:echo)
	kill -KILL "$pid"
	eventually journal_tells_of 4a0de3d2c6024b398d79fa24204883fa "(pid $pid)"
	said=$(journal_tells_of 4a0de3d2c6024b398d79fa24204883fa "(pid $pid)")
	for field in '"SERVICE":"echo"' '"EVENT":"worker-died"' '"WORKER":"'; do
		case $said in
		*"$field"*) ;;
		*) echo "no $field in $said"; return 1 ;;
		esac
	done
	eventually echoes 7007
}

does_what_needs_capabilities() {
	local worker
	cat >$conf_d/rights.conf <<-'END'
		services = { rights = {
		    listen  = ( "127.0.0.1:80", { address = "unix:/run/drover/r.sock"; owner = "nobody"; mode = "0600"; } );
		    handler = { type = "echo"; };
		    user    = "nobody";
		    workers = 1;
		    nice    = -5;
		    rlimits = { nofile = 15000; };
		}; };
	END
	systemctl restart drover.service
	echoes 80
	is 'the socket' "$(stat -c '%U %a' /run/drover/r.sock)" 'nobody 600'
	worker=$(worker_of nobody)
	is nice "$(ps -o ni= -p "$worker" | tr -d ' ')" -5
	is nofile "$(awk '/^Max open files/ { print $5 }' "/proc/$worker/limits")" 15000
	# The mode of a socket that is no longer root's.
	sed -i 's/0600/0660/' $conf_d/rights.conf
	systemctl reload drover.service
	eventually has_mode /run/drover/r.sock 660
}

does_chroot_with_the_drop_in() {
	mkdir -p /srv/jail
	drop_in chroot <$examples/chroot.conf
	cat >$conf_d/jail.conf <<-'END'
		services = { jail = { listen = "127.0.0.1:7010"; handler = { type = "echo"; };
		    user = "nobody"; chroot = "/srv/jail"; }; };
	END
	systemctl restart drover.service
	echoes 7010
	is 'the root of the worker' "$(readlink "/proc/$(worker_of nobody)/root")" /srv/jail
}

rotates_its_logs() {
	local log=/var/log/drover/access.log before
	sed -i 's/^#access_log/access_log/' /etc/drover/drover.conf
	systemctl restart drover.service
	echoes 7007
	eventually test -s $log
	before=$(stat -c '%U:%G %a' $log)
	is 'the first log' "$before" 'root:root 640'
	logrotate -f /etc/logrotate.d/drover
	is 'the new log' "$(stat -c '%U:%G %a' $log)" "$before"
	# The workers have the new file a moment after USR1.
	eventually echoes_into $log
	is 'the old log' "$(wc -l <$log.1)" "$(grep -c . $log.1)"
}
echoes_into() { echoes 7007 && sleep 0.2 && test -s "$1"; }

feeds_the_watchdog() {
	printf '[Service]\nWatchdogSec=1s\n' | drop_in watchdog
	systemctl restart drover.service
	sleep 4
	is_running
	restarted 0
	echoes 7007
}

is_replaced_when_it_hangs() {
	local pid
	printf '[Service]\nWatchdogSec=1s\nTimeoutAbortSec=1s\nRestartSec=100ms\n' | drop_in watchdog
	systemctl restart drover.service
	pid=$(property MainPID)
	kill -STOP "$pid"
	eventually is_gone "$pid"
	eventually restarted 1
	eventually is_running
	eventually echoes 7007
}

is_replaced_when_it_is_killed() {
	printf '[Service]\nRestartSec=100ms\n' | drop_in soon
	kill -KILL "$(property MainPID)"
	eventually restarted 1
	eventually is_running
	eventually echoes 7007
	is 'the pid file' "$(cat /run/drover/drover.pid)" "$(property MainPID)"
}

is_started_by_its_socket() {
	local pid
	sed 's/^ListenStream=.*/ListenStream=127.0.0.1:7080/' $examples/drover.socket >$units/drover.socket
	echo 'services = { web = { listen = "systemd:web"; handler = { type = "echo"; }; }; };' >$conf_d/web.conf
	systemctl stop drover.service
	systemctl daemon-reload
	systemctl start drover.socket
	is ActiveState "$(property ActiveState)" inactive
	echoes 7080
	eventually is_running
	pid=$(property MainPID)
	systemctl restart drover.service
	echoes 7080
	[ "$(property MainPID)" != "$pid" ]
}

# As its header says, line by line.
gets_its_socket_on_a_running_system() {
	local listen
	listen=$(sed -n 's/^#   \(listen = .*;\)$/\1/p' $examples/drover.socket)
	is_running
	echo "services = { web = { $listen handler = { type = \"echo\"; }; }; };" >$conf_d/web.conf
	# Without the steps: the running daemon goes on, and says what is missing.
	if systemctl reload drover.service; then
		echo 'the reload did not fail'
		return 1
	fi
	journal_has 'systemd:web: missing.*stop the service, start the socket, start the service'
	echoes 7007
	sed -n 's/^#   \(\(cp\|droverd\|systemctl\) .*\)$/\1/p' $examples/drover.socket >/stories/steps
	is 'the number of steps' "$(grep -c . /stories/steps)" 6
	bash -e /stories/steps
	eventually is_running
	echoes 80
	echoes 7007
	systemctl restart drover.service
	echoes 80
	systemctl disable drover.socket
}

drains_longer_than_the_stop_timeout() {
	local said stop
	printf '[Service]\nTimeoutStopSec=2s\n' | drop_in impatient
	systemctl restart drover.service
	exec 3<>/dev/tcp/127.0.0.1/7007
	echo one >&3
	read -r -t 5 said <&3
	is 'the first answer' "$said" one
	systemctl stop drover.service 3>&- &
	stop=$!
	sleep 6
	is ActiveState "$(property ActiveState)" deactivating
	echo two >&3
	read -r -t 5 said <&3
	is 'the answer while it drains' "$said" two
	exec 3>&-
	wait $stop
	is Result "$(property Result)" success
	is ExecMainStatus "$(property ExecMainStatus)" 0
}

stops_with_exit_code_0() {
	timeout 10 systemctl stop drover.service
	is ActiveState "$(property ActiveState)" inactive
	is Result "$(property Result)" success
	is ExecMainStatus "$(property ExecMainStatus)" 0
	[ ! -e /run/drover/drover.pid ] || { echo 'the pid file is still there'; return 1; }
	if pgrep -x droverd || pgrep drover:; then
		echo 'a worker is still there'
		return 1
	fi
}

# What a package would do after it is unpacked.
before_all() {
	systemd-sysusers
	systemd-tmpfiles --create || true
	systemctl daemon-reload
	cp /etc/drover/drover.conf /stories/drover.conf.installed
}
before_each() { as_installed; }

tell "$@"

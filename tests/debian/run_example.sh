#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ./bootstrap run, and the three commands that README has for a second terminal. Runs in a
# network of its own, because the ports of the example are fixed.

set -euo pipefail
cd /root/drover

./bootstrap run &
server=$!
ask() { build/droverctl -s build/example/control.sock "$@"; }
end=$((SECONDS + 300))
until ask --json status 2>/dev/null | grep -q '"phase":"serving"'; do
	if [ $SECONDS -ge $end ] || ! kill -0 $server; then
		echo 'it does not serve'
		exit 1
	fi
	sleep 0.1
done

# shellcheck disable=SC2094 # both read
nc -N 127.0.0.1 7007 <README | cmp - README
git clone -q git://127.0.0.1:9418/drover /tmp/drover
cmp README /tmp/drover/README
ask status
kill -INT $server
wait $server

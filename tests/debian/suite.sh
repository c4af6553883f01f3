# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The part "suite" of check-debian: what the first lines of README say, on a Debian that has
# nothing installed.
#
# shellcheck disable=SC2154 # run.sh has suite, folder, and the folders of source and build

check_suite() {
	local root=$folder/suite
	copy_debian "$folder/base" "$root"
	copy_source "$root"
	cp "$top_srcdir/tests/debian/run_example.sh" "$root/root/"

	echo "# Debian $suite: ./bootstrap check; this takes a while"
	try './bootstrap check' "$folder/suite.log" in_root "$root" ./bootstrap check || true
	count_tests "$root"
	if [ -d "$root/root/drover/.git" ]; then
		try './bootstrap run' "$folder/run.log" systemd-nspawn --quiet --register=no --keep-unit \
			--private-network --console=pipe --machine=drover-check-$$ --directory="$root" \
			/root/run_example.sh || true
	else
		say ok './bootstrap run # SKIP it serves the repository, and this is a tarball'
	fi
}

# How many tests there were, and what each failure said.
count_tests() { # count_tests ROOT
	local tests=$1/root/drover/build/tests
	find "$tests" -name '*.trs' -exec grep -h '^:test-result:' {} + 2>/dev/null |
		awk '{ n[$2]++ } END { for (k in n) printf "# %d %s\n", n[k], k }'
	find "$tests" -name '*.log' -exec grep -h -A 3 -E '^(not ok|Bail out|1\.\.0 # SKIP)' {} + 2>/dev/null |
		sed 's,^,#   ,' || true
}

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Resolve *.in below requirements/ into the locks, for every Python and platform, with the newest allowed versions.
#   sh checks/lock.sh PATH_OF_UV
set -eu
uv=$1

# PATH OLDEST_PYTHON
lock() {
    # Dependabot repeats the options that the head of a lock names
    # (dependabot-core, uv/lib/dependabot/uv/file_updater/compile_file_updater.rb).
    "$uv" --quiet pip compile --upgrade --universal --python-version "$2" --generate-hashes --no-annotate \
        --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock (uv pip compile --universal --python-version $2)" \
        --output-file "requirements/$1.txt" "requirements/$1.in" >/dev/null
    echo "requirements/$1.txt: $(grep -c '^[a-z].*==' "requirements/$1.txt") packages"
}

lock uv 3.11
lock dev 3.11
lock rulebook 3.12
lock second-opinion 3.11
lock oldest/boto/oldest-boto 3.11
lock ansible-13 3.12
lock navigator 3.11
lock aws-cli 3.11
lock benchmark 3.11

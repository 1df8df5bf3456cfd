#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Resolve requirements/*.in into the locks, for every Python and platform, with the newest allowed versions.
#   sh checks/lock.sh PATH_OF_UV
set -eu
uv=$1
for name in uv dev; do
    "$uv" --quiet pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
        --output-file "requirements/$name.txt" "requirements/$name.in" >/dev/null
    echo "requirements/$name.txt: $(grep -c '^[a-z].*==' "requirements/$name.txt") packages"
done

#!/bin/sh
# Print what a distribution would change, as Markdown for a comment on a pull or merge request.
# Usage: plan.sh VARIABLES.yml [PLAN.yml]
# PLAN.yml has variables of the plan alone, such as those in the plan.yml beside this script.
# Exits with 0 if the distribution would succeed, as far as check mode can tell, else with 1.
set -u
: "${1:?usage: plan.sh VARIABLES.yml [PLAN.yml]}"
for file do
  shift
  set -- "$@" -e "@$file"
done

output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT

ANSIBLE_NOCOLOR=1 ansible-playbook -i localhost, golden.images.distribute_ami "$@" --check --diff >"$output" 2>&1
code=$?

if [ "$code" -eq 0 ]; then
  echo '### This distribution would succeed'
else
  echo '### This distribution would fail'
fi
echo
# A comment has at most 65,536 characters. The end says what is wrong. Names and tags cannot end the block of code.
echo '```diff'
tail -c 60000 "$output" | tr '`' "'"
echo '```'
[ "$code" -eq 0 ]

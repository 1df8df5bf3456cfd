#!/bin/sh
# Print what a distribution would change, as Markdown for a comment on a pull or merge request: the table at its end,
# and the changes.
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

# The callback of ansible.posix, which is part of the package ansible, writes the results of all tasks as JSON.
ANSIBLE_NOCOLOR=1 ANSIBLE_STDOUT_CALLBACK=ansible.posix.json \
  ansible-playbook -i localhost, golden.images.distribute_ami "$@" --check --diff >"$output"
code=$?

python3 - "$output" "$code" <<'PYTHON'
import json
import re
import sys

# A comment has at most 65,536 characters.
MOST = 60000
# "eu-west-1: + copy of …": the sign, by which a line has its color, stands first in the comment.
CHANGE = re.compile(r"(?P<place>.*?: )(?P<sign>[+~-]) (?P<rest>.*)")


def block(kind, text):
    """Text as a block of code, which names and tags in it cannot end."""
    if len(text) > MOST // 2:
        text = text[: MOST // 2] + "\n… and more, see the output of the job"
    return f"```{kind}\n" + text.strip("\n").replace("`", "'") + "\n```\n" if text.strip() else ""


def colored(diff):
    sign = " "
    for line in diff.splitlines():
        if found := CHANGE.fullmatch(line):
            # A line with an exclamation mark is a change, too.
            sign = found["sign"].replace("~", "!")
            line = found["place"] + found["rest"]
        elif not line.startswith(" "):
            sign = " "
        yield f"{sign} {line}"


path, code = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    written = file.read()
print("### This distribution would " + ("succeed" if code == "0" else "fail") + "\n")
try:
    plays = json.loads(written[written.index("{") :])["plays"]
except ValueError:
    # ansible-playbook has not started, or its configuration writes something else.
    print(block("text", written) or "See the output of the job.")
    sys.exit()
results = [result for play in plays for task in play["tasks"] for result in task["hosts"].values()]
# The last one is about all sources. A distribution that fails before it has messages only.
texts = [result["text"] for result in results if "text" in result][-1:] or [
    result.get("msg", "") for result in results if result.get("failed")
]
diffs = [result["diff"]["prepared"] for result in results if "prepared" in (result.get("diff") or ())]
blocks = [block("text", "\n".join(texts)), block("diff", "\n".join(colored("".join(diffs))))]
print("\n".join(filter(None, blocks)), end="")
PYTHON
[ "$code" -eq 0 ]

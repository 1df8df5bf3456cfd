#!/bin/sh
# Comment on a merge request of GitLab with a plan, in place of the comment of an earlier plan.
# Usage: comment.sh PLAN.md
# PLAN_TOKEN is a project access token with the role Reporter and the scope api, a masked variable of the project. Without
# it, nothing is done: the token of a job cannot comment.
# Exits with 0, or with 1 if GitLab has refused the comment.
set -u
plan=${1:?usage: comment.sh PLAN.md}

if [ -z "${PLAN_TOKEN:-}" ]; then
  echo 'comment.sh: no comment, since PLAN_TOKEN is not set' >&2
  exit 0
fi

# https://docs.gitlab.com/api/notes/#merge-requests
python3 - "$plan" <<'PYTHON'
import json
import os
import sys
import urllib.error
import urllib.request

# By this line, the comment is found among others.
MARK = "<!-- golden.images plan -->"
notes = "{CI_API_V4_URL}/projects/{CI_PROJECT_ID}/merge_requests/{CI_MERGE_REQUEST_IID}/notes".format(**os.environ)


def call(method, url, body=None):
    """The answer of GitLab, and the number of the next page."""
    headers = {"PRIVATE-TOKEN": os.environ["PLAN_TOKEN"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps({"body": body}).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer), answer.headers.get("X-Next-Page")


with open(sys.argv[1], encoding="utf-8") as file:
    text = f"{MARK}\n{file.read()}"
try:
    page, mine = "1", []
    while page and not mine:
        found, page = call("GET", f"{notes}?per_page=100&page={page}")
        mine = [note["id"] for note in found if note["body"].startswith(MARK)]
    call(*(("PUT", f"{notes}/{mine[0]}") if mine else ("POST", notes)), text)
except urllib.error.URLError as error:
    sys.exit(f"comment.sh: {notes}: {error}")
PYTHON

#!/bin/sh
# Audit who can use the images, and tell findings from failures.
# Usage: audit.sh VARIABLES.yml REPORT_DIRECTORY [low|medium|high]
# Exits with 0 if nothing is wrong, with 1 if something could not be read or written, and with 3 if there are findings
# of this severity (low by default) or a higher one.
set -u
variables=${1:?usage: audit.sh VARIABLES.yml REPORT_DIRECTORY [SEVERITY]}
directory=$(realpath -m "${2:?usage: audit.sh VARIABLES.yml REPORT_DIRECTORY [SEVERITY]}")
severity=${3:-low}

case $severity in
  low | medium | high) ;;
  *)
    echo "audit.sh: the severity is low, medium or high (got $severity)" >&2
    exit 1
    ;;
esac

# No finding fails the playbook, so that each failure is one. JSON, since Ansible splits name=value at spaces.
settings=$(python3 -c 'import json, sys; print(json.dumps({"audit_report_dir": sys.argv[1], "audit_fail_on": "none"}))' "$directory") ||
  exit 1
ansible-playbook -i localhost, golden.images.audit_ami_sharing -e "@$variables" -e "$settings" || exit 1

python3 - "$directory/report.json" "$severity" <<'PYTHON'
import json
import sys
from collections import Counter

SEVERITIES = ["low", "medium", "high"]
path, severity = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    report = json.load(file)
if report["status"] not in ("clean", "empty", "findings"):
    sys.exit(1)
if report["status"] == "empty":
    print("no images: check the account of the credentials, and audit_regions")
counted = Counter(finding["severity"] for finding in report["findings"])
print("findings: " + (", ".join(f"{counted[name]} {name}" for name in reversed(SEVERITIES) if counted[name]) or "none"))
sys.exit(3 if any(counted[name] for name in SEVERITIES[SEVERITIES.index(severity) :]) else 0)
PYTHON

#!/bin/sh
# Distribute an image, with a report that is written on failure, too.
# Usage: distribute.sh VARIABLES.yml REPORT.json
# Exits with the code of ansible-playbook. Run it again after any failure: it does what is left.
set -eu
variables=${1:?usage: distribute.sh VARIABLES.yml REPORT.json}
report=${2:?usage: distribute.sh VARIABLES.yml REPORT.json}

# JSON, since Ansible splits name=value at spaces.
settings=$(python3 -c 'import json, sys; print(json.dumps({"distribute_report_path": sys.argv[1]}))' "$report")
exec ansible-playbook -i localhost, golden.images.distribute_ami -e "@$variables" -e "$settings" --diff

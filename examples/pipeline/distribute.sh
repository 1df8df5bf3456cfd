#!/bin/sh
# Distribute an image, with a report that is written on failure, too.
# Usage: distribute.sh VARIABLES.yml REPORT.json
# Exits with the code of ansible-playbook. Run it again after any failure: it does what is left.
set -eu
variables=${1:?usage: distribute.sh VARIABLES.yml REPORT.json}
report=${2:?usage: distribute.sh VARIABLES.yml REPORT.json}

exec ansible-playbook -i localhost, golden.images.distribute_ami -e "@$variables" -e "distribute_report_path=$report" --diff

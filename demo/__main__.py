# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m demo`, run from the root of the checkout; exit code 1 if a check fails."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from simulated_aws import client
from simulated_aws.client import SimulatedAws

from .access import LAUNCH, LAUNCH_AND_COPY, NOTHING, access
from .playbook import CHECKOUT, FOLDER, PLAYBOOK, VARS, distribute
from .scenario import (
    CONSUMERS,
    COPY_SECONDS,
    LATENCY,
    OTHER_COPY_SECONDS,
    OWNER,
    UNIT,
    UNIT_ACCOUNTS,
    Ending,
    given,
)
from .screen import heading, say, table, verdict

_FIXTURE = Path(client.__file__).parent / "fixtures" / "encrypted_ami.yml"
_REPORT = CHECKOUT / FOLDER / "distribution.json"
# Short, so that the table of access fits into 80 columns.
_SHORT = {LAUNCH_AND_COPY: "copy", LAUNCH: "launch", NOTHING: "-"}
_STYLES = {"copy": "bold green", "launch": "cyan", "-": "dim"}


def main() -> int:
    """Distribute the image twice and show what each account can do; return 0 if all checks pass."""
    wanted = yaml.safe_load((CHECKOUT / VARS).read_text(encoding="utf-8"))
    _REPORT.unlink(missing_ok=True)
    with SimulatedAws.start(_FIXTURE) as aws:
        aws.set_latency(LATENCY)
        aws.update_settings(copy_seconds=OTHER_COPY_SECONDS, copy_seconds_by_region=COPY_SECONDS)
        _introduce(wanted)
        ending = _distribute_twice(aws, wanted)
        if ending is None:
            return 1
        _show_calls(ending)
        heading("Checks")
        checks = ending.checks()
        for statement, holds in checks.items():
            verdict(statement, holds)
        _show_access(ending)
        _next_steps(aws)
    return 0 if all(checks.values()) else 1


def _introduce(wanted: Mapping[str, Any]) -> None:
    heading(f"A golden AMI with two encrypted volumes goes to {len(wanted['distribute_regions'])} regions")
    say(f"  A simulated AWS responds to each call after {LATENCY * 1000:.0f} ms and copies in up to")
    say(f"  {max(COPY_SECONDS.values()):.0f} seconds, where AWS takes minutes. {VARS} lists the accounts")
    say(f"  web-prod and data-prod; {' and '.join(UNIT_ACCOUNTS)} are in an organizational unit")
    say("  that the image is shared with; partner gets no access.\n")


def _distribute_twice(aws: SimulatedAws, wanted: Mapping[str, Any]) -> Ending | None:
    """Both runs and the access that each account has then; None if the first run failed."""
    units = aws.description()["organization"]["units"]
    variables = {"distribute_org_unit_arns": [units[UNIT]["arn"]], "distribute_report_path": str(_REPORT)}
    first = distribute(aws, OWNER, variables)
    if first.exit_code:
        verdict(f"The playbook distributed the image (exit code {first.exit_code}).", False)
        return None
    report = json.loads(_REPORT.read_text(encoding="utf-8"))
    heading("Second run, with nothing left to change")
    second = distribute(aws, OWNER, variables)
    # The checks of access are not timed.
    aws.set_latency(0)
    return Ending(
        wanted,
        report,
        first,
        second,
        access={
            (entry["region"], account): access(
                aws, account, entry["region"], entry["image_id"], entry["snapshot_ids"]
            )
            for entry in report["regions"]
            for account in CONSUMERS
        },
        given={account: given(aws, account, wanted) for account in CONSUMERS},
    )


def _show_calls(ending: Ending) -> None:
    heading("API calls (reads/writes) of both runs")
    table(
        ["region", "volumes", "1st run", "2nd run"],
        [
            [
                region,
                len(entry["snapshot_ids"]),
                "/".join(map(str, ending.first.counts(region))),
                "/".join(map(str, ending.second.counts(region))),
            ]
            for region, entry in ending.regions.items()
        ],
    )
    for name, run in ("First", ending.first), ("Second", ending.second):
        say(f"  {name} run: {run.seconds:.1f} s, {len(run.calls)} calls, {len(run.writes)} of them writes.")
    say(f"  The report, with the snapshots' IDs: {_REPORT.relative_to(CHECKOUT)}")


def _show_access(ending: Ending) -> None:
    heading("What each account can do, tested with its own credentials")
    table(
        ["region", *CONSUMERS],
        [
            [region, *(_SHORT.get(able, able) for able in (ending.access[region, one] for one in CONSUMERS))]
            for region in ending.regions
        ],
        _STYLES,
    )
    say("  copy: launch the image and copy it; launch: launch it only; -: nothing")


def _next_steps(aws: SimulatedAws) -> None:
    environment = aws.environment(OWNER)
    heading("Next: run `make simulated-aws` in another terminal, and here:")
    say("  unset AWS_PROFILE AWS_SESSION_TOKEN")
    say("  export AWS_ENDPOINT_URL=http://127.0.0.1:4510")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        say(f"  export {name}={environment[name]}")
    say(f"  export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    say(f"  ansible-playbook -i localhost, {PLAYBOOK} -e @{VARS} --check --diff\n")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m demo`, run from the root of the checkout; exit code 1 if a check fails."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from simulated_aws import client
from simulated_aws.client import SimulatedAws

from .access import access
from .playbook import CHECKOUT, FOLDER, SHORT, VARS, Run, command, play
from .scenario import (
    CONSUMERS,
    COPY_SECONDS,
    FAILING_REGION,
    LATENCY,
    OWNER,
    STRANGER,
    STRANGER_REGION,
    Ending,
    share_by_hand,
    start_failing,
)
from .screen import heading, say, verdict

_FIXTURE = Path(client.__file__).parent / "fixtures" / "encrypted_ami.yml"
_REPORT = CHECKOUT / FOLDER / "distribution.json"


def main() -> int:
    """Tell the story and show what of it is true; return 0 if all of it is."""
    started = time.monotonic()
    wanted = yaml.safe_load((CHECKOUT / VARS).read_text(encoding="utf-8"))
    shutil.rmtree(CHECKOUT / FOLDER, ignore_errors=True)
    _introduce(len(wanted["distribute_regions"]))
    with SimulatedAws.start(_FIXTURE) as aws:
        aws.set_latency(LATENCY)
        aws.update_settings(copy_seconds_by_region=COPY_SECONDS)
        first, second = _distribute(aws)
        if second.exit_code:
            verdict(f"The rerun completed the distribution (exit code {second.exit_code}).", False)
            return 1
        report = json.loads(_REPORT.read_text(encoding="utf-8"))
        diagnosis = _diagnose(aws, report)
        audit, remedy = _audit(aws)
        heading("What was true, in the calls that the simulated AWS recorded")
        ending = Ending(
            regions=wanted["distribute_regions"],
            source_region=wanted["distribute_source_region"],
            first=first,
            second=second,
            diagnosis=diagnosis,
            audit=audit,
            remedy=remedy,
            report=report,
            access=_try_access(aws, report),
        )
        checks = ending.checks()
        for statement, holds in checks.items():
            verdict(statement, holds)
        _next_steps(aws, time.monotonic() - started)
    return 0 if all(checks.values()) else 1


def _introduce(regions: int) -> None:
    heading(f"An encrypted golden AMI goes to {regions} regions and {len(CONSUMERS)} accounts")
    say("  A simulated AWS on this machine stands for AWS. Its copies take up to")
    say(f"  {max(COPY_SECONDS.values()):.0f} seconds; those of AWS take minutes. {VARS} has the variables.")
    say("  Two of Ansible's settings leave out the tasks that change nothing:")
    for name, value in SHORT.items():
        say(f"    export {name}={value}")


def _distribute(aws: SimulatedAws) -> tuple[Run, Run]:
    """Run the distribution, in which a region fails, and run it again."""
    heading(f"1 of 4: distribute it. {FAILING_REGION} has too many copies running")
    start_failing(aws)
    first = play(aws, OWNER, "distribute_ami")
    heading("2 of 4: the same command again completes it")
    return first, play(aws, OWNER, "distribute_ami")


def _diagnose(aws: SimulatedAws, report: Mapping[str, Any]) -> Run:
    """Share the image with another account by hand, and ask why that account cannot launch it."""
    account = aws.account_id(STRANGER)
    heading(f"3 of 4: somebody shares it with {account} in the console.\nIts instances end at once: why?")
    (image,) = [entry for entry in report["regions"] if entry["region"] == STRANGER_REGION]
    share_by_hand(aws, image)
    images = json.dumps({"diagnose_images": {STRANGER_REGION: image["image_id"]}})
    return play(aws, OWNER, "diagnose_ami", "-e", f"diagnose_account_ids={account}", "-e", images)


def _audit(aws: SimulatedAws) -> tuple[Run, Run]:
    """Audit who can use the images, and remove what is not allowed."""
    heading("4 of 4: the audit finds that account, and its remedy removes it")
    audit = play(aws, OWNER, "audit_ami_sharing")
    say()
    codes = "remediate_finding_codes=unknown_account"
    return audit, play(aws, OWNER, "remediate_ami_sharing", "-e", codes)


def _try_access(aws: SimulatedAws, report: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Try what each account can do, with its own credentials."""
    # These calls are not part of the story's time.
    aws.set_latency(0)
    return {
        (entry["region"], account): access(
            aws, account, entry["region"], entry["image_id"], entry["snapshot_ids"]
        )
        for entry in report["regions"]
        for account in (*CONSUMERS, STRANGER)
    }


def _next_steps(aws: SimulatedAws, seconds: float) -> None:
    environment = aws.environment(OWNER)
    say(f"\n  {seconds:.0f} s. The audit's page: {FOLDER}/audit/report.html")
    heading("Next: run `make simulated-aws` in another terminal, and here:")
    say("  unset AWS_PROFILE AWS_SESSION_TOKEN")
    say("  export AWS_ENDPOINT_URL=http://127.0.0.1:4510")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        say(f"  export {name}={environment[name]}")
    say(f"  export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    say(f"  {shlex.join(command('distribute_ami'))} --check --diff\n")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

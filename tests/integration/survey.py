# SPDX-License-Identifier: GPL-3.0-or-later

"""What the jobs of all roles share: a job as a value, and the report that four of the roles write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from simulated_aws.client import SimulatedAws

from .fixture import HOME, OWNER, STRANGER, Fixture
from .playbook import Run

AWAY = "eu-west-1"
BUCKET = "golden-reports"
DISK = {"device_name": "/dev/xvda", "size": 8}


@dataclass
class Job:
    """A role's playbook, what its variables mean, and what is so once it has run.

    ``artifacts`` are the keys that the role passes on in this job only.
    """

    playbook: str
    values: dict[str, Any]
    check: Callable[[Run], None]
    fixture: Fixture
    secrets: tuple[str, ...] = ()
    artifacts: frozenset[str] = frozenset()


# The AWS to prepare, and a folder for files.
Builder: TypeAlias = Callable[[SimulatedAws, Path], Job]
# A role's jobs by name. The main one, which has the most variables, is the first.
Builders: TypeAlias = Mapping[str, Builder]


def reporting(aws: SimulatedAws, folder: Path, role: str) -> dict[str, Any]:
    """The variables for a role's report, in a bucket of another account too."""
    s3 = aws.client("s3", STRANGER, HOME)
    s3.create_bucket(Bucket=BUCKET)
    anyone = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [anyone]}))
    values = {
        "report_dir": str(folder / role),
        "report_s3_uri": f"s3://{BUCKET}/runs/0123",
        "report_s3_bucket_owner": aws.account_id(STRANGER),
        "account_names": {aws.account_id(name): f"Team {name}" for name in (OWNER, "web-prod")},
    }
    return {f"{role}_{name}": value for name, value in values.items()}


def assert_reported(aws: SimulatedAws, folder: Path, role: str) -> dict[str, Any]:
    """The report is on disk and in the bucket, and its page names accounts; what it says."""
    objects = aws.client("s3", STRANGER, HOME).list_objects_v2(Bucket=BUCKET, Prefix="runs/0123/")
    stored = {one["Key"].removeprefix("runs/0123/") for one in objects["Contents"]}
    written = {path.name for path in (folder / role).iterdir()}
    # Those of distributions have dates, and copies that are the latest.
    stem, number = ("latest", 8) if role == "distribute" else ("report", 4)
    assert len(written) == number
    assert written <= stored
    assert "Team " in (folder / role / f"{stem}.html").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads((folder / role / f"{stem}.json").read_text(encoding="utf-8"))
    return content

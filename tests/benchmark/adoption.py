# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on which accounts use which release: 100,000 instances of 500 accounts in 20 regions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulated_aws.client import SimulatedAws

from . import playbook, releases
from .fixtures import OWNER, ROLE
from .measuring import GOLDEN, LATENCY, Scale, repeated, sample
from .results import Sample, Series

LARGE = "100,000 instances of 500 accounts in 20 regions"
_CURRENT, _BEHIND = 7, 3
"""Instances of each account in each region, by the release that they were launched from."""
_CALL = "DescribeInstanceImageMetadata"


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """The playbook at the depth ``instances``, with all forms of the report and findings about old uses."""
    built = releases.build(aws, scale.size(500, 20), scale.size(20, 2))
    with TemporaryDirectory() as folder:
        _record(aws, built, Path(folder))
        aws.set_latency(LATENCY)
        yield Series(LARGE, GOLDEN, repeated(scale, lambda: _report(aws, built, Path(folder))))


def _record(aws: SimulatedAws, built: releases.Releases, folder: Path) -> None:
    """Launch the instances of one account in all regions, and write AWS's answers about them to files."""
    aws.set_throttling(False)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Owner", "Value": "payments"}]}]
    for region in built.new:
        ec2 = aws.client("ec2", built.account_ids[0], region)
        for count, image_id in ((_CURRENT, built.new[region]), (_BEHIND, built.old[region])):
            ec2.run_instances(ImageId=image_id, MinCount=count, MaxCount=count, TagSpecifications=tags)
        answers: list[bytes] = []
        ec2.meta.events.register(
            f"before-parse.ec2.{_CALL}",
            lambda response_dict, answers=answers, **_rest: answers.append(response_dict["body"]),
        )
        ec2.describe_instance_image_metadata()
        Path(folder, f"{region}.xml").write_bytes(answers[0])
    aws.set_throttling(True)
    Path(folder, "settings.json").write_text(json.dumps({"latency": LATENCY}), encoding="utf-8")


def _report(aws: SimulatedAws, built: releases.Releases, answers: Path) -> Sample:
    count = answers / "count"
    count.unlink(missing_ok=True)
    aws.clear_calls()
    with TemporaryDirectory() as folder:
        given = {
            "family_tag": releases.FAMILY,
            "account_ids": built.account_ids,
            "consumer_role_name": ROLE,
            "regions": list(built.new),
            "owner_tags": ["Owner"],
            "max_releases_behind": 0,
            "report_dir": folder,
        }
        done = playbook.run(
            aws,
            OWNER,
            "golden.images.report_adoption",
            {f"adoption_{name}": value for name, value in given.items()},
            callbacks=["replayed_instances"],
            environment={"BENCHMARK_ANSWERS": str(answers)},
        )
        report = json.loads(Path(folder, "report.json").read_text(encoding="utf-8"))
    one = sample(done.used, aws.calls(), processes=done.used.processes, **_judged(built, report))
    return replace(one, calls={f"ec2:{_CALL}": count.stat().st_size, **one.calls})


def _judged(built: releases.Releases, report: dict[str, Any]) -> dict[str, float]:
    """The instances in the report, and those that it lacks or takes for another release than they are of."""
    targets = len(built.account_ids) * len(built.new)
    found, planned = report["totals"], {"current": _CURRENT * targets, "behind": _BEHIND * targets}
    return {
        "instances": sum(planned.values()),
        "misjudged_instances": sum(abs(planned.get(name, 0) - number) for name, number in found.items()),
        "findings": len(report["findings"]),
        "failures": len(report["failures"]),
    }

# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports on which accounts use which release: what runs, and what is launched next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
TEN = {"current": 7, "behind": 3}
"""Instances of each account in each region, by the release that they were launched from."""
_TEMPLATES = {"current": 1, "behind": 1}
"""Launch templates of each account in each region, by the release that they launch."""
_CALL = "DescribeInstanceImageMetadata"
_TAGS = [{"ResourceType": "instance", "Tags": [{"Key": "Owner", "Value": "payments"}]}]


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """The playbook at the depth ``instances``, with all forms of the report and findings about old uses."""
    built = releases.build(aws, scale.size(500, 20), scale.size(20, 2))
    yield Series(LARGE, GOLDEN, report_instances(aws, scale, built, TEN))


def report_instances(
    aws: SimulatedAws, scale: Scale, built: releases.Releases, instances: Mapping[str, int]
) -> tuple[Sample, ...]:
    """Report on so many instances in each region of each account, with answers that are replayed."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        _record(aws, built, folder, instances)
        aws.set_latency(LATENCY)
        return repeated(scale, lambda: _replay(aws, built, folder, instances))


def report_launches(aws: SimulatedAws, scale: Scale, built: releases.Releases) -> tuple[Sample, ...]:
    """Report on ten instances in each region of each account, and on what its launch templates launch next.

    The simulated AWS answers all calls, as it does in a verification.
    """
    use(aws, built)
    planned = {release: TEN[release] + _TEMPLATES[release] for release in TEN}
    return repeated(scale, lambda: _read_launches(aws, built, planned))


def use(aws: SimulatedAws, built: releases.Releases) -> None:
    """Launch ten instances in each region of each account, and make a launch template of each release."""
    aws.set_throttling(False)
    for account_id in built.account_ids:
        for region, images in _images(built).items():
            ec2 = aws.client("ec2", account_id, region)
            _launch(ec2, images, TEN)
            for release, image_id in images.items():
                data = {"ImageId": image_id, "InstanceType": "t3.micro"}
                ec2.create_launch_template(LaunchTemplateName=release, LaunchTemplateData=data)
    aws.set_throttling(True)
    aws.set_latency(LATENCY)


def _images(built: releases.Releases) -> dict[str, dict[str, str]]:
    """The images in each region, by the release that they are of."""
    return {region: {"current": built.new[region], "behind": built.old[region]} for region in built.new}


def _launch(ec2: Any, images: Mapping[str, str], instances: Mapping[str, int]) -> None:
    for release, count in instances.items():
        ec2.run_instances(ImageId=images[release], MinCount=count, MaxCount=count, TagSpecifications=_TAGS)


def _record(aws: SimulatedAws, built: releases.Releases, folder: Path, instances: Mapping[str, int]) -> None:
    """Launch the instances of one account in all regions, and write AWS's answers about them to files."""
    aws.set_throttling(False)
    for region, images in _images(built).items():
        ec2 = aws.client("ec2", built.account_ids[0], region)
        _launch(ec2, images, instances)
        answers: list[bytes] = []
        ec2.meta.events.register(
            f"before-parse.ec2.{_CALL}",
            lambda response_dict, answers=answers, **_rest: answers.append(response_dict["body"]),
        )
        ec2.describe_instance_image_metadata()
        Path(folder, f"{region}.xml").write_bytes(answers[0])
    aws.set_throttling(True)
    Path(folder, "settings.json").write_text(json.dumps({"latency": LATENCY}), encoding="utf-8")


def _replay(
    aws: SimulatedAws, built: releases.Releases, answers: Path, instances: Mapping[str, int]
) -> Sample:
    count = answers / "count"
    count.unlink(missing_ok=True)
    done, report = _report(
        aws,
        built,
        {},
        callbacks=["replayed_instances"],
        environment={"BENCHMARK_ANSWERS": str(answers)},
    )
    found = judged(report, instances, "instances", len(built.account_ids) * len(built.new))
    one = sample(done.used, aws.calls(), processes=done.used.processes, **found)
    return replace(one, calls={f"ec2:{_CALL}": count.stat().st_size, **one.calls})


def _read_launches(aws: SimulatedAws, built: releases.Releases, planned: Mapping[str, int]) -> Sample:
    done, report = _report(aws, built, {"depth": "launches"})
    calls, targets = aws.calls(), len(built.account_ids) * len(built.new)
    found = judged(report, planned, "uses", targets)
    return sample(
        done.used, calls, calls_a_target=len(calls) / targets, processes=done.used.processes, **found
    )


def _report(
    aws: SimulatedAws, built: releases.Releases, options: Mapping[str, Any], **run: Any
) -> tuple[playbook.Run, dict[str, Any]]:
    """Run the playbook, and return its run with the content of ``report.json``."""
    aws.clear_calls()
    with TemporaryDirectory() as folder:
        given = variables(built, {"report_dir": folder, **options})
        done = playbook.run(aws, OWNER, "golden.images.report_adoption", given, **run)
        return done, json.loads(Path(folder, "report.json").read_text(encoding="utf-8"))


def variables(built: releases.Releases, options: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of the playbook, with findings about old uses."""
    given = {
        "family_tag": releases.FAMILY,
        "account_ids": built.account_ids,
        "consumer_role_name": ROLE,
        "regions": list(built.new),
        "owner_tags": ["Owner"],
        "max_releases_behind": 0,
        **options,
    }
    return {f"adoption_{name}": value for name, value in given.items()}


def judged(
    report: Mapping[str, Any], in_each: Mapping[str, int], what: str, targets: int
) -> dict[str, float]:
    """The uses in the report, and those that it lacks or takes for another release than they are of.

    ``in_each`` are those of one of the ``targets``, by release, and ``what`` is what they are called.
    """
    planned = {release: number * targets for release, number in in_each.items()}
    return {
        what: sum(planned.values()),
        f"misjudged_{what}": sum(
            abs(planned.get(name, 0) - number) for name, number in report["totals"].items()
        ),
        "findings": len(report["findings"]),
        "failures": len(report["failures"]),
    }

# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be done as asked is refused as a whole, before anything is changed, and says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import CONSUMERS, HOME, OWNER, STRANGER, Fixture
from .in_process import Modules
from .playbook import MODULES, Ansible, Task

DISK = {"device_name": "/dev/xvda", "size": 8}
IMAGES: dict[str, dict[str, Any]] = {
    "unfinished": {"account": OWNER, "region": HOME, "devices": [DISK], "state": "pending"},
    "readable": {
        "account": STRANGER,
        "region": HOME,
        "devices": [DISK, {"device_name": "/dev/sdb", "size": 20}],
        "sharing": {"accounts": [OWNER]},
    },
}


@dataclass(frozen=True)
class Row:
    """Arguments that are refused; ``failed`` is the option or call, region and code of each failure.

    ``says`` is part of the message, ``other`` are arguments that replace those of a request that would do.
    """

    title: str
    other: Mapping[str, Any]
    failed: tuple[tuple[str, str | None, str], ...]
    says: tuple[str, ...]


def option(*names: str) -> tuple[tuple[str, None, str], ...]:
    """The failures of options that will not do."""
    return tuple((name, None, "invalid_option") for name in names)


def _copies(aws: SimulatedAws, ids: Mapping[str, str], snapshots: list[str]) -> list[Row]:
    return [
        Row("no region of that name", {"regions": ["eu-wset-1"]}, option("regions"), ("'eu-wset-1'",)),
        Row("a region twice", {"regions": ["eu-west-1", "eu-west-1"]}, option("regions"), ("listed twice",)),
        Row(
            "a region of another partition",
            {"regions": ["eu-west-1", "cn-north-1"]},
            option("regions"),
            ("'cn-north-1' is in partition aws-cn",),
        ),
        Row("not opted in", {"regions": ["ap-east-1"]}, option("regions"), ("not opted in to 'ap-east-1'",)),
        Row(
            "everything at once",
            {"regions": ["eu-wset-1", "ap-east-1", "cn-north-1"], "source_image_id": ids["unfinished"]},
            option("regions", "regions", "regions", "source_image_id"),
            ("4 problems", "eu-wset-1", "ap-east-1", "cn-north-1", "is pending"),
        ),
        Row("no region", {"regions": []}, option("regions"), ("at least one region",)),
        Row(
            "a best-effort region that is none of the regions",
            {"best_effort_regions": ["eu-west-2"]},
            option("best_effort_regions"),
            ("eu-west-2 is not listed in the option regions",),
        ),
        Row(
            "no such source",
            {"source_image_id": "ami-00000000000000000"},
            option("source_image_id"),
            (f"account {aws.account_id(OWNER)} cannot see image ami-00000000000000000 in {HOME}",),
        ),
        Row(
            "not an AMI ID",
            {"source_image_id": "golden"},
            option("source_image_id"),
            ("is not a valid AMI ID",),
        ),
        Row(
            "filters that match nothing",
            {"source_image_id": None, "source_filters": {"name": "nothing-*"}},
            option("source_filters"),
            ("matches",),
        ),
        Row(
            "a pending source",
            {"source_image_id": ids["unfinished"]},
            option("source_image_id"),
            (f"{ids['unfinished']} in {HOME} is pending",),
        ),
        Row(
            "a foreign source without its volumes",
            {"source_image_id": ids["readable"]},
            (("source_image_id", HOME, "missing_volume_permission"),),
            ("createVolumePermission", *snapshots, aws.account_id(STRANGER)),
        ),
        Row(
            "an illegal name",
            {"name": "web: {region}"},
            (("name", "eu-west-1", "invalid_option"), ("name", "us-west-2", "invalid_option")),
            ("'web: eu-west-1'", "The same in us-west-2"),
        ),
        Row(
            "a name that is too long",
            {"name": "x" * 129, "regions": ["eu-west-1"]},
            (("name", "eu-west-1", "invalid_option"),),
            ("129 characters",),
        ),
        Row(
            "a description that is too long",
            {"description": "x" * 256, "regions": ["eu-west-1"]},
            (("description", "eu-west-1", "invalid_option"),),
            ("256 characters",),
        ),
        Row("AWS's own tags", {"tags": {"aws:role": "web"}}, option("tags"), ("begins with 'aws:'",)),
        Row(
            "a duration between the steps",
            {"completion_duration_minutes": 20},
            option("completion_duration_minutes"),
            ("multiple of 15",),
        ),
    ]


def _shares(aws: SimulatedAws, fixture: Fixture, ids: Mapping[str, str]) -> list[Row]:
    owner, stranger = aws.account_id(OWNER), aws.account_id(STRANGER)
    return [
        Row(
            "account IDs whose leading zero YAML lost",
            {"account_ids": [1402434204]},
            option("account_ids"),
            ("1402434204 is a number without 12 digits", "012345671234", "in double quotes"),
        ),
        Row(
            "account IDs of the wrong length",
            {"account_ids": ["12345678901", CONSUMERS[0]]},
            option("account_ids", "account_ids"),
            ("'12345678901' is not a valid account ID", f"'{CONSUMERS[0]}' is not a valid account ID"),
        ),
        Row(
            "ARNs of other things",
            {"org_arns": ["o-a1b2c3d4e5"], "org_unit_arns": [fixture.org_arn]},
            option("org_arns", "org_unit_arns"),
            ("'o-a1b2c3d4e5' is not a full ARN", f"'{fixture.org_arn}' is not a full ARN"),
        ),
        Row(
            "a purge without a consumer",
            {"account_ids": [], "purge_launch_permissions": True},
            option("purge_launch_permissions"),
            ("allow_empty_purge",),
        ),
        Row(
            "absent without a consumer",
            {"account_ids": [], "state": "absent"},
            option("account_ids"),
            ("at least one consumer",),
        ),
        Row("public unless it is meant", {"group": "all"}, option("group"), ("allow_public: true",)),
        Row(
            "public where that is blocked",
            {"group": "all", "allow_public": True},
            (("ModifyImageAttribute", HOME, "block_public_access"),),
            ("DisableImageBlockPublicAccess",),
        ),
        Row("a copy that is only planned", {"images": {HOME: None}}, option("images"), ("is null",)),
        Row(
            "a pending image",
            {"images": {HOME: ids["unfinished"]}},
            (("ModifyImageAttribute", HOME, "image_not_available"),),
            ("is pending",),
        ),
        Row(
            "an image of another region",
            {"images": {HOME: fixture.image_id, "eu-west-1": fixture.image_id}},
            (("DescribeImages", "eu-west-1", "image_not_found"),),
            (f"{fixture.image_id} does not exist or is not visible to account {owner}",),
        ),
        Row(
            "an image of another account",
            {"images": {HOME: ids["readable"]}},
            (("ModifyImageAttribute", HOME, "not_owner"),),
            (f"belongs to account {stranger}",),
        ),
    ]


@dataclass(frozen=True)
class Bench:
    """A simulated AWS with what the rows need, and a request to each module that would do."""

    aws: SimulatedAws
    ansible: Ansible
    copy_rows: list[Row]
    share_rows: list[Row]
    base: dict[str, dict[str, Any]]

    def refuse(self, module: str, rows: list[Row], *options: str) -> None:
        """Try every row and see that it is refused for its reasons, and that nothing is changed."""
        tasks = [
            {
                "name": row.title,
                MODULES + module: {
                    name: value
                    for name, value in {**self.base[module], **row.other}.items()
                    if value is not None
                },
                "ignore_errors": True,
            }
            for row in rows
        ]
        run = self.ansible.tasks(tasks, *options)
        assert run.code == 0, run.text
        for row in rows:
            _assert_refused(run.task(row.title), row)
        assert observed.changes(self.aws, refused=True) == []


@pytest.fixture
def bench(aws: SimulatedAws, fixture: Fixture, modules: Modules) -> Bench:
    """The rows, and what they need."""
    ids = fixture.add_images(IMAGES)
    snapshots = observed.snapshot_ids(observed.image(aws, STRANGER, HOME, ids["readable"]))
    copy = {
        "source_image_id": fixture.image_id,
        "source_region": HOME,
        "regions": ["eu-west-1", "us-west-2"],
    }
    share = {"images": {HOME: fixture.image_id}, "account_ids": fixture.account_ids(CONSUMERS[0])}
    return Bench(
        aws,
        modules,
        _copies(aws, ids, snapshots),
        _shares(aws, fixture, ids),
        {"ami_copy_regions": copy, "ami_share": share},
    )


def _assert_refused(task: Task, row: Row) -> None:
    failures = task.result["failures"]
    failed = [(one["action"], one["region"], one["error_code"]) for one in failures]
    assert (row.title, task.status, sorted(failed, key=str)) == (
        row.title,
        "failed",
        sorted(row.failed, key=str),
    )
    assert [text for text in row.says if text not in task.result["msg"]] == [], row.title
    assert task.result["msg"].endswith("This task changed nothing.")
    assert all(one["message"] and one["remedy"] for one in failures), row.title
    assert not task.changed


def test_copies_are_refused_as_a_whole(bench: Bench) -> None:
    bench.refuse("ami_copy_regions", bench.copy_rows)


@pytest.mark.nightly
def test_shares_are_refused_as_a_whole(bench: Bench) -> None:
    bench.refuse("ami_share", bench.share_rows)


@pytest.mark.parametrize("region", ["eu-wset-1", pytest.param("ap-east-1", marks=pytest.mark.nightly)])
def test_a_region_that_is_missing_is_refused_before_it_is_called(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, region: str
) -> None:
    image = {HOME: fixture.image_id, region: fixture.image_id}
    consumer = {"account_ids": fixture.account_ids(CONSUMERS[0])}
    role = {**consumer, "consumer_role_name": "golden-consumer"}
    launch = {**role, "images": image, "subnet_ids": dict.fromkeys(image, "subnet-0123456789abcdef0")}
    copied = {"images": {HOME: None}, "source_image_id": fixture.image_id, "source_region": region}
    tasks: list[tuple[str, str, dict[str, Any]]] = [
        ("ami_copy_regions", "source_region", {**copied, "images": None, "regions": [HOME]}),
        ("ami_share", "images", {**consumer, "images": image}),
        ("ami_share", "region", {**consumer, "image_id": fixture.image_id, "region": region}),
        ("ami_kms_grant", "kms_key_ids", {**consumer, "kms_key_ids": {HOME: "alias/a", region: "alias/a"}}),
        ("ami_publish", "images", {**role, "parameter": "/golden/web", "images": image}),
        ("ami_publish", "source_region", {**copied, "parameter": "/golden/web"}),
        (
            "ami_publish",
            "regions",
            {"parameter": "/golden/web", "source_image_id": fixture.image_id, "regions": [region, HOME]},
        ),
        ("ami_share_diagnose", "images", {**role, "images": image}),
        ("ami_launch_probe", "images", launch),
        ("ami_verify", "images", {**launch, "level": "launched"}),
        ("ami_restore", "images", {"images": image, "restore_permissions": False}),
    ]
    run = modules.tasks(
        [
            {
                "name": f"{module} {option_name}",
                MODULES + module: {name: value for name, value in arguments.items() if value is not None},
                "ignore_errors": True,
                "check_mode": option_name == "source_region" and module == "ami_publish",
            }
            for module, option_name, arguments in tasks
        ]
    )
    reason = "there is no region" if region == "eu-wset-1" else "the account has not opted in to"
    for module, option_name, _arguments in tasks:
        task = run.task(f"{module} {option_name}")
        assert task.codes == [(None, "invalid_option")], task
        assert task.result["msg"].startswith(f"{option_name}: {reason} '{region}'."), task
        assert task.result["msg"].endswith("This task changed nothing.")
    # The option region is also that of the calls that show which regions there are.
    questions = {"GetCallerIdentity", "DescribeRegions"}
    assert {call.action for call in aws.calls() if call.region == region} <= questions


@pytest.mark.nightly
def test_check_mode_refuses_for_what_aws_says_as_well(bench: Bench) -> None:
    titles = {"public where that is blocked", "a pending image", "an image of another region"}
    bench.refuse("ami_share", [row for row in bench.share_rows if row.title in titles], "--check")
    bench.refuse(
        "ami_copy_regions", [row for row in bench.copy_rows if row.title == "everything at once"], "--check"
    )


@pytest.mark.quick
def test_a_distribution_is_refused_before_its_first_copy_for_what_only_the_sharing_would_notice(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    run = ansible.run(
        "golden.images.distribute_ami",
        {
            "distribute_source_image_id": fixture.image_id,
            "distribute_source_region": HOME,
            "distribute_regions": ["eu-west-1"],
            "distribute_account_ids": [12345678901],
        },
    )
    assert run.code != 0
    assert "distribute_account_ids" in run.task("Read the variables").result["msg"]
    assert observed.changes(aws, refused=True) == []

# SPDX-License-Identifier: GPL-3.0-or-later

"""For generated options and states: check mode changes nothing and is right, and a second run has no work.

The options are as users write them: with the owner's own ID, duplicates, IDs as numbers, and every form in
which a key can be named. Each test runs the real module against the simulated AWS.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from ansible_collections.golden.images.plugins.module_utils._kms_grant import wait as kms_wait
from ansible_collections.golden.images.plugins.module_utils._remediation.flow import FLOW as PLAN
from ansible_collections.golden.images.plugins.module_utils._remediation.plan import REPAIRABLE
from ansible_collections.golden.images.plugins.module_utils._runner import run_here
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from simulated_aws.client import SimulatedAws

from . import in_process, observed, probing, publishing
from .convergence import changing_calls, converged, performed
from .encrypted import ALIAS, EXTERNAL_ID, ROLE, USE, EncryptedFixture, root
from .fixture import HOME, OWNER

pytestmark = pytest.mark.nightly

AWAY, THIRD = "eu-west-1", "us-west-2"
REGIONS = (HOME, AWAY, THIRD)
# The first has an ID with a leading zero.
CONSUMERS = ("web-prod", "web-staging", "data-prod")
THEIRS = "alias/theirs"

# The same examples in each run, so that failures can be reproduced.
generated = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    # To shrink an example takes minutes.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """All sessions share botocore's models, and policies are read again at once."""
    monkeypatch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
    monkeypatch.setattr(kms_wait, "_POLICY_INTERVAL", 0.01)


class ConvergenceFixture(EncryptedFixture):
    """An encrypted image in one region, a plain one in another, and accounts with keys of their own."""

    def __init__(self, aws: SimulatedAws, *with_keys: str) -> None:
        aws.reset()
        super().__init__(aws)
        keys = {f"of {one}": {"account": one, "regions": list(REGIONS), "alias": THEIRS} for one in with_keys}
        self.add(kms_keys=keys)
        disk = {"device_name": "/dev/xvda", "size": 8}
        plain = {"account": OWNER, "region": THIRD, "devices": [disk]}
        self.images = {HOME: self.image_id, **self.add_images({THIRD: plain})}


# Some twice, and the owner's own.
ACCOUNTS = st.lists(st.sampled_from([OWNER, *CONSUMERS]), max_size=4)


def key_named(fixture: EncryptedFixture, region: str, form: str) -> str:
    """The owner's key of a region, in one of the forms that KMS takes."""
    arn = fixture.key(region)
    return {
        "alias": ALIAS,
        "arn": arn,
        "id": arn.rpartition("/")[2],
        "alias arn": f"{arn.rpartition(':')[0]}:{ALIAS}",
    }[form]


FORMS = st.sampled_from(["alias", "arn", "id", "alias arn"])


CONSUMER_LISTS = st.fixed_dictionaries(
    {"accounts": ACCOUNTS, "organization": st.booleans(), "unit": st.booleans()}
)


def consumer_options(there: ConvergenceFixture, drawn: dict[str, Any]) -> dict[str, Any]:
    """The options that name consumers."""
    return {
        "account_ids": there.account_ids(*drawn["accounts"]),
        "org_arns": [there.org_arn] * 2 if drawn["organization"] else [],
        "org_unit_arns": [there.unit_arn()] if drawn["unit"] else [],
    }


SHARE = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["present", "present", "absent"]),
        "purge_launch_permissions": st.booleans(),
        "allow_empty_purge": st.just(True),
        "share_snapshots": st.booleans(),
        "shared_tags": st.none() | st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"), min_size=1),
    }
).filter(lambda drawn: drawn["state"] == "present" or not drawn["purge_launch_permissions"])


@generated
@given(runs=st.lists(st.tuples(CONSUMER_LISTS, SHARE), min_size=1, max_size=3))
def test_ami_share(aws: SimulatedAws, runs: list[Any]) -> None:
    there = ConvergenceFixture(aws)
    for named, options in runs:
        converged(
            aws,
            "ami_share",
            {"images": there.images, **consumer_options(there, named), **options},
        )


GRANT = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["present", "present", "absent"]),
        "purge_grants": st.booleans(),
        "access_method": st.sampled_from(["auto", "grant", "key_policy"]),
        "auto_scaling": st.booleans(),
        "operations": st.sampled_from([[], ["Decrypt", "DescribeKey", "CreateGrant"]]),
        "revoke_in_use": st.booleans(),
    }
).filter(lambda drawn: drawn["state"] == "present" or not drawn["purge_grants"])


@generated
@given(
    runs=st.lists(
        st.tuples(CONSUMER_LISTS, GRANT, st.fixed_dictionaries({HOME: FORMS, AWAY: FORMS}), st.booleans()),
        min_size=1,
        max_size=3,
    ),
    foreign=st.sets(st.sampled_from(CONSUMERS)),
)
def test_ami_kms_grant(aws: SimulatedAws, runs: list[Any], foreign: set[str]) -> None:
    there = ConvergenceFixture(aws)
    for name in foreign:
        aws.client("kms", OWNER, HOME).create_grant(
            KeyId=there.key(HOME), GranteePrincipal=root(aws.account_id(name)), Operations=USE
        )
    for named, drawn, forms, by_image in runs:
        grantable = not (named["organization"] or named["unit"])
        options = {
            **drawn,
            "auto_scaling": drawn["auto_scaling"] and bool(named["accounts"]),
            "access_method": drawn["access_method"] if grantable else "auto",
        }
        keys = {region: key_named(there, region, form) for region, form in forms.items()}
        converged(
            aws,
            "ami_kms_grant",
            {
                **({"images": there.images} if by_image else {"kms_key_ids": keys}),
                "consumer_role_name": ROLE,
                "external_id": EXTERNAL_ID,
                **consumer_options(there, named),
                **options,
            },
        )


TAGS = st.none() | st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"))
COPY = st.fixed_dictionaries(
    {
        # With the source's own region, and sometimes with a region twice, which is refused.
        "regions": st.lists(st.sampled_from(REGIONS), min_size=1, max_size=3, unique=True)
        | st.permutations(REGIONS)
        | st.just([AWAY, AWAY]),
        "tags": TAGS,
        "snapshot_tags": TAGS,
        "copy_tags": st.booleans(),
        "purge_tags": st.booleans(),
        "reencrypt_source": st.booleans(),
        "require_shareable": st.booleans(),
    }
)


@generated
@given(runs=st.lists(st.tuples(COPY, FORMS, st.booleans(), st.booleans()), min_size=1, max_size=3))
def test_ami_copy_regions(aws: SimulatedAws, runs: list[Any]) -> None:
    there = ConvergenceFixture(aws)
    for options, form, one_key, best_effort in runs:
        regions = options["regions"]
        named = (
            {"kms_key_id": ALIAS}
            if one_key
            else {"kms_key_ids": {one: key_named(there, one, form) for one in regions}}
        )
        named["best_effort_regions"] = regions[:1] if best_effort else []
        converged(
            aws,
            "ami_copy_regions",
            {"source_image_id": there.image_id, "source_region": HOME, **named, **options},
        )


@generated
@given(
    accounts=ACCOUNTS.filter(bool),
    options=st.fixed_dictionaries(
        {
            "regions": st.sampled_from([[HOME], [THIRD, HOME], [THIRD]]),
            "tags": TAGS,
            "kms_key_id": st.sampled_from([THEIRS, THEIRS, None]),
        }
    ),
    again=TAGS,
)
def test_ami_copy_regions_into_accounts(
    aws: SimulatedAws, accounts: Any, options: dict[str, Any], again: Any
) -> None:
    there = ConvergenceFixture(aws, OWNER, *CONSUMERS)
    ids = there.account_ids(*accounts)
    converged(aws, "ami_share", {"images": there.images, "account_ids": ids})
    converged(aws, "ami_kms_grant", {"images": there.images, "account_ids": ids})
    arguments = {
        "source_images": {region: there.images[region] for region in options["regions"]},
        "account_ids": ids,
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
        **options,
    }
    converged(aws, "ami_copy_regions", arguments)
    converged(aws, "ami_copy_regions", {**arguments, "tags": again})


@generated
@given(
    runs=st.lists(
        st.fixed_dictionaries(
            {
                "release": st.sampled_from(["2026.10", "2026.11"]),
                "accounts": st.lists(st.sampled_from([OWNER, publishing.CONSUMER]), max_size=3),
                "tier": st.sampled_from([None, "Advanced"]),
                "parameter_tags": TAGS,
                "launch_templates": st.sampled_from([[], [publishing.TEMPLATE], [publishing.TEMPLATE] * 2]),
            }
        ),
        min_size=1,
        max_size=3,
    )
)
def test_ami_publish(aws: SimulatedAws, runs: list[dict[str, Any]]) -> None:
    there = ConvergenceFixture(aws)
    old = publishing.golden_images(there, "2026.10")
    releases = {"2026.10": old, "2026.11": publishing.golden_images(there, "2026.11")}
    publishing.add_templates(aws, old)
    for drawn in runs:
        options = dict(drawn)
        images = releases[options.pop("release")]
        converged(
            aws,
            "ami_publish",
            {
                "images": images,
                "parameter": publishing.PARAMETER,
                "account_ids": there.account_ids(*options.pop("accounts")),
                "source_image_id": images[HOME],
                "source_region": HOME,
                "consumer_role_name": ROLE,
                "external_id": EXTERNAL_ID,
                **options,
            },
        )


DAYS = st.sampled_from([None, 0, 30])
CLOCKS = st.fixed_dictionaries(
    {"deprecate_after_days": DAYS, "disable_after_days": DAYS, "deregister_after_days": DAYS}
).filter(lambda drawn: any(one is not None for one in drawn.values()))
POLICY = st.fixed_dictionaries(
    {
        "keep_latest": st.integers(1, 2),
        "max_age_days": st.sampled_from([None, 60]),
        "include_shared": st.booleans(),
        "orphan_snapshots": st.booleans(),
        "revoke_grants": st.booleans(),
    }
)
KINDS = st.sampled_from(["plain", "encrypted", "shared", "in use", "kept"])


class Retired(ConvergenceFixture):
    """Images of one family in two regions, each of a kind and older than the one before."""

    def __init__(self, aws: SimulatedAws, kinds: list[str]) -> None:
        super().__init__(aws)
        disks = [{"device_name": "/dev/xvda", "size": 8}]
        under_key = [{**disks[0], "encrypted": True, "kms_key": "retired"}]
        added = self.add(
            kms_keys={"retired": {"account": OWNER, "regions": [HOME], "alias": "alias/retired"}},
            images={
                f"{number}-{region}": {
                    "account": OWNER,
                    "region": region,
                    "devices": under_key if kind == "encrypted" and region == HOME else disks,
                    "tags": {"family": "web", **({"keep": "yes"} if kind == "kept" else {})},
                    "sharing": {"accounts": ["web-prod"]} if kind == "shared" else {},
                    "age_days": 50 * number + 1,
                }
                for number, kind in enumerate(kinds)
                for region in (HOME, AWAY)
            },
        )
        self.retired = {label: found["image_id"] for label, found in added["images"].items()}
        for number, kind in enumerate(kinds):
            if kind == "in use":
                observed.launch(aws, OWNER, HOME, self.retired[f"{number}-{HOME}"])
        aws.update_settings(new_grant_age_seconds=24 * 3600)
        aws.client("kms", OWNER, HOME).create_grant(
            KeyId=added["kms_keys"]["retired"][HOME],
            GranteePrincipal=root(aws.account_id("web-prod")),
            Operations=USE,
        )

    def policy(self, path: Path, **options: Any) -> dict[str, Any]:
        """To clean up the family. Shared images are retired once their accounts show that none uses them."""
        role = {"consumer_role_name": ROLE, "external_id": EXTERNAL_ID}
        return {
            "regions": [HOME, AWAY],
            "family_tag": "family",
            "max_deletions": "100%",
            "protect_tags": ["keep=yes"],
            **(role if options.get("include_shared") or options.get("revoke_grants") else {}),
            "tombstone_path": str(path / "tombstones.jsonl"),
            **options,
        }


_NO_CLOCK: dict[str, Any] = {
    "deprecate_after_days": None,
    "disable_after_days": None,
    "deregister_after_days": None,
}
_EVERYTHING = {
    "keep_latest": 1,
    "max_age_days": None,
    "include_shared": True,
    "orphan_snapshots": True,
    "revoke_grants": True,
}


# Four generated examples need not reach what deletes.
@example(
    kinds=["plain", "encrypted", "shared", "in use"],
    runs=[({**_NO_CLOCK, "deregister_after_days": 0}, _EVERYTHING)],
)
@example(
    kinds=["plain", "encrypted"],
    runs=[
        ({**_NO_CLOCK, "disable_after_days": 0}, _EVERYTHING),
        ({**_NO_CLOCK, "deregister_after_days": 0}, _EVERYTHING),
    ],
)
@generated
@given(
    kinds=st.lists(KINDS, min_size=2, max_size=4),
    runs=st.lists(st.tuples(CLOCKS, POLICY), min_size=1, max_size=2),
)
def test_ami_cleanup(aws: SimulatedAws, tmp_path: Path, kinds: list[str], runs: list[Any]) -> None:
    there = Retired(aws, kinds)
    for clocks, policy in runs:
        converged(aws, "ami_cleanup", there.policy(tmp_path, **clocks, **policy))


@example(kinds=["plain", "shared"], stages=["deregister"], permissions=True, retained=True)
@example(kinds=["plain", "shared"], stages=["deprecate", "disable"], permissions=True, retained=False)
@generated
@given(
    kinds=st.lists(KINDS, min_size=2, max_size=3),
    stages=st.lists(st.sampled_from(["deprecate", "disable", "deregister"]), min_size=1, max_size=2),
    permissions=st.booleans(),
    retained=st.booleans(),
)
def test_ami_restore(
    aws: SimulatedAws, tmp_path: Path, kinds: list[str], stages: list[str], permissions: bool, retained: bool
) -> None:
    there = Retired(aws, kinds)
    for region in (HOME, AWAY):
        for kind in ("EC2_IMAGE", "EBS_SNAPSHOT") if retained else ():
            period = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
            aws.client("rbin", OWNER, region).create_rule(ResourceType=kind, RetentionPeriod=period)
    for stage in stages:
        policy = there.policy(tmp_path, keep_latest=1, include_shared=True, **{f"{stage}_after_days": 0})
        performed(aws, "ami_cleanup", policy)
    oldest = {region: there.retired[f"{len(kinds) - 1}-{region}"] for region in (HOME, AWAY)}
    options = {"tombstone_path": str(tmp_path / "tombstones.jsonl"), "restore_permissions": permissions}
    converged(aws, "ami_restore", {"images": oldest, **options})


@example(accounts=[OWNER, *CONSUMERS[:2]], visible={*CONSUMERS[:2]}, left=True)
@generated
@given(
    accounts=st.lists(st.sampled_from([OWNER, *CONSUMERS]), min_size=1, max_size=4),
    visible=st.sets(st.sampled_from(CONSUMERS)),
    left=st.booleans(),
)
def test_ami_launch_probe(aws: SimulatedAws, accounts: list[str], visible: set[str], left: bool) -> None:
    """It launches in every run, and leaves nothing."""
    there = ConvergenceFixture(aws)
    images = {region: there.images[region] for region in (HOME, THIRD)}
    ids = there.account_ids(*visible)
    performed(aws, "ami_share", {"images": images, "account_ids": ids})
    performed(aws, "ami_kms_grant", {"images": images, "account_ids": ids})
    shown = [one for one in dict.fromkeys(accounts) if one == OWNER or one in visible]
    if left:
        tag = [{"Key": "golden.images:probe", "Value": "2020-01-01T00:00:00Z"}]
        aws.client("ec2", OWNER, HOME).run_instances(
            ImageId=images[HOME],
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tag}],
        )
    if not shown:
        return
    options = {
        "images": images,
        "account_ids": there.account_ids(*(one for one in accounts if one in shown)),
        "subnet_ids": probing.subnet_ids(aws, shown, *images),
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
        "wait_timeout": 4,
    }
    for _run in range(2):
        performed(aws, "ami_launch_probe", options)
    for account in shown:
        for region in images:
            assert probing.instances(aws, account, region, *probing.LIVING) == [] or (
                account == OWNER and OWNER not in accounts
            )


@generated
@given(
    allowed=ACCOUNTS,
    shared=CONSUMER_LISTS,
    granted=CONSUMER_LISTS,
    allows_organization=st.booleans(),
)
def test_remediation(
    aws: SimulatedAws, allowed: list[str], shared: Any, granted: Any, allows_organization: bool
) -> None:
    """The planned tasks remove what an audit has found, and leave nothing to plan."""
    there = ConvergenceFixture(aws)
    performed(aws, "ami_share", {"images": there.images, **consumer_options(there, shared)})
    performed(aws, "ami_kms_grant", {"images": there.images, **consumer_options(there, granted)})
    audit = {
        "regions": sorted(there.images),
        "allowed_account_ids": there.account_ids(*allowed),
        "allowed_org_arns": [there.org_arn] if allows_organization else [],
    }

    def plan() -> dict[str, Any]:
        aws.clear_calls()
        audited = in_process.run(aws, OWNER, "ami_share_audit", audit)
        options = {"audit_result": audited, "finding_codes": [*REPAIRABLE], "max_removals": 100}
        planned = run_here(PLAN, options)
        assert not planned.get("failed"), planned["msg"]
        assert changing_calls(aws) == []
        return planned

    first = plan()
    for module, tasks in (("ami_share", first["unshare_tasks"]), ("ami_kms_grant", first["revoke_tasks"])):
        for task in tasks:
            options = {name: value for name, value in task.items() if value and name != "per_region"}
            performed(aws, module, {**options, "state": "absent"})
    again = plan()
    assert (again["removals"], again["unshare_tasks"], again["revoke_tasks"]) == ([], [], [])

# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys ``ami_copy_regions`` reads before it copies, and how it checks the keys of finished copies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Image, Key, Snapshot

from tests.unit.copy.account import OTHER_REGION, Run, World, aws_with, copied_to
from tests.unit.copy.examples import REGION
from tests.unit.examples import OWNER, SOURCE_ID, SOURCE_REGION
from tests.unit.keys.examples import DEFAULT, ENCRYPTED, OTHER, PLAIN, WANTED, found, key_arn

Found = tuple[Image, Iterable[Snapshot]]
UNDER_KEY = {"kms_key_id": "alias/golden"}
ALLOWED = {"allow_default_key": True}
OWN = "DescribeImages tag:golden.images:source"
BY_FIELD = "DescribeImages source-image-id source-image-region"
BY_DEFAULT, DEFAULT_KEY = "GetEbsEncryptionByDefault", "GetEbsDefaultKmsKeyId"
COPY = "CopyImage"


def keys_read(world: World, region: str = REGION) -> list[str]:
    """The keys that were read in a region."""
    return [one["KeyId"] for one in world.kms_of(OWNER, region).asked("DescribeKey")]


def refusals(done: Run) -> list[tuple[str, str, str | None]]:
    """The code, action and region of each refusal of the reads."""
    with pytest.raises(ValidationError) as caught:
        _ = done.seen
    assert all(one.remedy for one in caught.value.failures)
    return [(one.error_code, one.action, one.region) for one in caught.value.failures]


@pytest.mark.parametrize(
    ("existing", "read", "codes"),
    [
        pytest.param([found("ami-1", DEFAULT)], [DEFAULT.arn], ["default_key"], id="AWS managed"),
        pytest.param([found("ami-1", WANTED)], [WANTED.arn], [], id="customer managed"),
        pytest.param(
            [found("ami-1", WANTED, DEFAULT)], [DEFAULT.arn, WANTED.arn], ["default_key"], id="both"
        ),
        pytest.param([found("ami-1", None)], [], [], id="not encrypted"),
    ],
)
def test_the_keys_of_an_image_that_will_be_shared(
    existing: list[Found], read: list[str], codes: list[str]
) -> None:
    source = ENCRYPTED if read else PLAIN
    world = aws_with(source, *existing)
    done = Run(copied_to(require_shareable=True), world)
    assert [one.error_code for one in done.plan.refusals] == codes
    assert keys_read(world) == read
    assert (("kms", REGION) in world.opened) is bool(read)
    world = aws_with(source, *existing)
    assert Run(copied_to(), world).plan.refusals == ()
    assert keys_read(world) == []


def test_a_key_that_cannot_be_described_does_not_prevent_sharing() -> None:
    world = aws_with(ENCRYPTED, found("ami-1", DEFAULT))
    world.kms_of().refuse["DescribeKey"] = "AccessDeniedException"
    assert Run(copied_to(require_shareable=True), world).plan.refusals == ()


def test_the_requested_key_is_read_once() -> None:
    world = aws_with(ENCRYPTED, found("ami-1", WANTED))
    assert Run(copied_to(require_shareable=True, **UNDER_KEY), world).plan.refusals == ()
    assert keys_read(world) == ["alias/golden"]


@pytest.mark.parametrize(
    ("options", "world", "reads", "keys", "planned"),
    [
        pytest.param({}, aws_with(), [OWN, BY_FIELD, BY_DEFAULT], [], None, id="a plain copy"),
        pytest.param(
            {},
            aws_with(by_default=True),
            [OWN, BY_FIELD, BY_DEFAULT],
            [],
            "default_key",
            id="encryption by default",
        ),
        pytest.param({}, aws_with(PLAIN, found("ami-1", None)), [OWN], [], "", id="nothing to copy"),
        pytest.param({}, aws_with(ENCRYPTED), [OWN, BY_FIELD], [], "default_key", id="no key: refused"),
        pytest.param(UNDER_KEY, aws_with(), [OWN, BY_FIELD], ["alias/golden"], WANTED.arn, id="kms_key_id"),
        pytest.param(
            {"kms_key_ids": {REGION: "alias/golden"}},
            aws_with(),
            [OWN, BY_FIELD],
            ["alias/golden"],
            WANTED.arn,
            id="kms_key_ids",
        ),
        pytest.param(
            UNDER_KEY,
            aws_with(PLAIN, found("ami-1", OTHER), found("ami-2", None)),
            [OWN, "DescribeSnapshots ami-1-0", BY_FIELD],
            ["alias/golden"],
            WANTED.arn,
            id="encrypted copies, none under the requested key",
        ),
        pytest.param(
            UNDER_KEY,
            aws_with(PLAIN, found("ami-1", WANTED), found("ami-2", WANTED, made="adopted")),
            [OWN, "DescribeSnapshots ami-1-0"],
            ["alias/golden"],
            "",
            id="an own copy under the key: others are not read",
        ),
        pytest.param(
            UNDER_KEY,
            aws_with(PLAIN, found("ami-1", OTHER), found("ami-2", WANTED, made="adopted")),
            [OWN, "DescribeSnapshots ami-1-0", BY_FIELD, "DescribeSnapshots ami-2-0"],
            ["alias/golden"],
            "",
            id="another's copy under the key is adopted",
        ),
        pytest.param(
            UNDER_KEY,
            aws_with(PLAIN, found("ami-1", OTHER), found("ami-2", OTHER, made="adopted")),
            [OWN, "DescribeSnapshots ami-1-0", BY_FIELD, "DescribeSnapshots ami-2-0"],
            ["alias/golden"],
            WANTED.arn,
            id="another's copy under another key is not",
        ),
        pytest.param(
            ALLOWED,
            aws_with(ENCRYPTED),
            [OWN, BY_FIELD, DEFAULT_KEY],
            ["alias/aws/ebs"],
            DEFAULT.arn,
            id="the default, allowed",
        ),
        pytest.param(
            ALLOWED,
            aws_with(by_default=True),
            [OWN, BY_FIELD, BY_DEFAULT, DEFAULT_KEY],
            ["alias/aws/ebs"],
            DEFAULT.arn,
            id="encryption by default, default key allowed",
        ),
        pytest.param(ALLOWED, aws_with(), [OWN, BY_FIELD, BY_DEFAULT], [], None, id="allowed, not needed"),
        pytest.param(
            ALLOWED,
            aws_with(ENCRYPTED, found("ami-1", OTHER)),
            [OWN, "DescribeSnapshots ami-1-0"],
            [],
            "",
            id="allowed, and a copy exists under another key",
        ),
    ],
)
def test_reads_of_keys(
    options: dict[str, Any], world: World, reads: list[str], keys: list[str], planned: str | None
) -> None:
    """``planned`` is the key of the copy that is planned, None for no key, "" for no copy; or the refusal."""
    done = Run(copied_to(**options), world)
    plan = done.plan
    assert world.ec2_of().calls == reads
    assert keys_read(world) == keys
    refused = [one.error_code for one in plan.refusals]
    assert (refused or [one.parameters.get("KmsKeyId") for one in plan.actions]) == (
        [] if planned == "" else [planned]
    )


@pytest.mark.parametrize(("options", "opened"), [({}, False), (UNDER_KEY, True), (ALLOWED, True)])
def test_kms_clients_are_made_only_if_keys_are_read(options: dict[str, Any], opened: bool) -> None:
    world = aws_with()
    assert Run(copied_to(**options), world).plan.actions
    assert (("kms", REGION) in world.opened) is opened


def test_a_missing_key_in_a_region_is_refused_before_any_copy() -> None:
    world = aws_with()
    del world.kms_of().keys["alias/golden"]
    done = Run(copied_to(**UNDER_KEY), world)
    with pytest.raises(ValidationError) as caught:
        _ = done.seen
    (failure,) = caught.value.failures
    assert (failure.error_code, failure.action, failure.region) == (
        "NotFoundException",
        "DescribeKey",
        REGION,
    )
    assert "alias in this region" in failure.remedy


def test_a_key_that_only_ec2_may_use_is_requested_by_its_arn() -> None:
    """(KMS Developer Guide, AWS KMS condition keys: kms:ViaService.)"""
    world = aws_with()
    world.kms_of().refuse["DescribeKey"] = "AccessDeniedException"
    plan = Run(copied_to(kms_key_id=WANTED.arn), world).plan
    assert [action.parameters["KmsKeyId"] for action in plan.actions] == [WANTED.arn]
    (warning,) = plan.warnings
    assert WANTED.arn in warning
    assert "kms:ViaService" in warning


@pytest.mark.parametrize(
    ("key", "code"), [("alias/golden", "AccessDeniedException"), (WANTED.arn, "KMSInternalException")]
)
def test_another_key_that_cannot_be_described_is_refused(key: str, code: str) -> None:
    world = aws_with()
    world.kms_of().refuse["DescribeKey"] = code
    assert refusals(Run(copied_to(kms_key_id=key), world)) == [(code, "DescribeKey", REGION)]


@pytest.mark.parametrize(
    ("options", "call", "error"),
    [
        pytest.param({}, "DescribeImages", "UnauthorizedOperation", id="copies"),
        pytest.param({}, BY_DEFAULT, "UnauthorizedOperation", id="encryption by default"),
        pytest.param(ALLOWED, DEFAULT_KEY, "UnauthorizedOperation", id="the default key"),
        pytest.param(UNDER_KEY, BY_FIELD, "UnauthorizedOperation", id="others' copies"),
    ],
)
def test_a_region_that_cannot_be_read_is_refused_unless_it_is_best_effort(
    options: dict[str, Any], call: str, error: str
) -> None:
    both = copied_to(REGION, OTHER_REGION, **options)
    existing = [found("ami-1", OTHER)] if call == BY_FIELD else []
    source = ENCRYPTED if call == DEFAULT_KEY else PLAIN
    world = aws_with(source, *existing, region=OTHER_REGION, refuse={call: error})
    operation = call.split(maxsplit=1)[0]
    assert refusals(Run(both, world)) == [(error, operation, OTHER_REGION)]
    plan = Run({**both, "best_effort_regions": [OTHER_REGION]}, world).plan
    assert [action.target.region for action in plan.actions] == [REGION]
    assert [(one.error_code, one.action, one.region) for one in plan.tolerated] == [
        (error, operation, OTHER_REGION)
    ]


def test_decrypting_is_refused() -> None:
    done = Run(copied_to(encrypted=False), aws_with(ENCRYPTED))
    assert [action for _code, action, _region in refusals(done)] == ["encrypted"]


@pytest.mark.parametrize("reencrypt", [False, True], ids=["source used unchanged", "source copied"])
def test_copies_in_the_sources_region_are_read_only_to_reencrypt(reencrypt: bool) -> None:
    key = Key(key_arn("wanted", SOURCE_REGION))
    world = aws_with(ENCRYPTED, found("ami-1", key), region=SOURCE_REGION)
    done = Run(copied_to(SOURCE_REGION, reencrypt_source=reencrypt, **UNDER_KEY), world)
    assert done.plan.actions == ()
    (image,) = done.results
    assert (image["image_id"], image["origin"]) == (
        ("ami-1", "found") if reencrypt else (SOURCE_ID, "source")
    )
    own = ec2_calls(world, SOURCE_REGION)
    assert own == (
        [OWN, "DescribeSnapshots snap-source ami-1-0"] if reencrypt else ["DescribeSnapshots snap-source"]
    )


def ec2_calls(world: World, region: str) -> list[str]:
    """The calls in a region after those that find the source."""
    calls = world.ec2_of(OWNER, region).calls
    return calls[calls.index(f"DescribeImages {SOURCE_ID}") + 1 :]


# The keys of finished copies.


@pytest.mark.parametrize(
    ("got", "said"),
    [
        pytest.param(None, None, id="the requested key"),
        pytest.param(OTHER.arn, f"encrypted under {OTHER.arn}", id="another key"),
        pytest.param("", "not encrypted", id="no key"),
    ],
)
def test_the_key_of_a_finished_copy_is_checked(got: str | None, said: str | None) -> None:
    done = Run(copied_to(**UNDER_KEY), aws_with(key_of_copies=got))
    failures = done.outcome.failures
    assert [failure.error_code for failure in failures] == (["wrong_key"] if said else [])
    assert all(one.message == f"ami-new-0 is {said}, which was not requested." for one in failures)
    assert done.result["kms_key_arns"] == {REGION: WANTED.arn if got is None else got or None}
    assert done.result["images"] == {REGION: "ami-new-0"}


def test_without_wait_the_requested_key_is_returned() -> None:
    done = Run(copied_to(wait=False, **UNDER_KEY), aws_with())
    assert done.outcome.failures == ()
    assert done.result["kms_key_arns"] == {REGION: WANTED.arn}
    assert done.results[0]["kms_key_arn"] == WANTED.arn


def test_the_key_of_an_existing_copy_is_returned() -> None:
    done = Run(copied_to(**UNDER_KEY), aws_with(PLAIN, found("ami-1", WANTED)))
    assert (done.outcome.performed, done.outcome.failures) == ((), ())
    assert done.result["kms_key_arns"] == {REGION: WANTED.arn}


def test_in_check_mode_the_key_of_a_planned_copy_is_returned() -> None:
    done = Run(copied_to(**UNDER_KEY), aws_with(), check_mode=True)
    assert done.result["images"] == {REGION: None}
    assert done.result["kms_key_arns"] == {REGION: WANTED.arn}
    assert done.world.writes() == []


def test_an_unencrypted_copy_has_no_key() -> None:
    done = Run(copied_to(), aws_with(PLAIN, found("ami-1", None)), check_mode=True)
    assert done.result["kms_key_arns"] == {REGION: None}
    assert done.result["source_image_id"] == SOURCE_ID

# SPDX-License-Identifier: GPL-3.0-or-later

"""Which key encrypts a copy, and which options and keys are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._keys import encryption as keys
from ansible_collections.golden.images.plugins.module_utils._keys.encryption import Encryption
from ansible_collections.golden.images.plugins.module_utils._model import Image, Key, Snapshot

from tests.unit.copy.examples import REGION, planned, wanted
from tests.unit.examples import (
    OWNER,
    SOURCE_ID,
    adopted_image,
    copied_image,
    source_image,
    target_in,
    volumes,
)
from tests.unit.keys.examples import (
    ANY_KEY,
    BY_DEFAULT,
    DEFAULT,
    ENCRYPTED,
    OTHER,
    PLAIN,
    UNDER_KEY,
    WANTED,
    found,
    key_arn,
    saw,
)

ELSEWHERE = key_arn(region="us-west-2")
BOTH = (REGION, "us-west-2")


def described(failures: tuple[Failure, ...]) -> list[tuple[str, str, str | None]]:
    """Code, option or call, and region of every refusal, each of which has a remedy."""
    assert all(failure.message and failure.remedy for failure in failures)
    return [(failure.error_code, failure.action, failure.region) for failure in failures]


@pytest.mark.parametrize(
    ("encryption", "expected"),
    [
        pytest.param(Encryption(), None, id="none"),
        pytest.param(Encryption(key="alias/golden"), "alias/golden", id="one for all"),
        pytest.param(Encryption(keys={REGION: "k-1"}), "k-1", id="this region's"),
        pytest.param(Encryption(keys={"us-west-2": "k-2"}), None, id="another region's"),
        pytest.param(
            Encryption(key="k", keys={REGION: "k-1"}), "k-1", id="the region's before the one for all"
        ),
        pytest.param(
            Encryption(key="k", keys={"us-west-2": "k-2"}), "k", id="the one for all, where none else"
        ),
    ],
)
def test_key_for(encryption: Encryption, expected: str | None) -> None:
    assert encryption.key_for(REGION) == expected


@pytest.mark.parametrize(
    ("encryption", "source", "expected"),
    [
        pytest.param(Encryption(), PLAIN, False, id="unset, plain source"),
        pytest.param(Encryption(), ENCRYPTED, True, id="unset, encrypted source"),
        pytest.param(UNDER_KEY, PLAIN, True, id="unset, a key is set"),
        pytest.param(Encryption(keys={"us-west-2": "k"}), PLAIN, False, id="unset, a key for elsewhere"),
        pytest.param(Encryption(encrypted=True), PLAIN, True, id="true"),
        pytest.param(Encryption(encrypted=False), PLAIN, False, id="false"),
    ],
)
def test_encrypts(encryption: Encryption, source: Image, expected: bool) -> None:
    assert encryption.encrypts(REGION, source) is expected


@pytest.mark.parametrize(
    ("encryption", "expected"),
    [
        pytest.param(Encryption(), [], id="defaults"),
        pytest.param(UNDER_KEY, [], id="an alias"),
        pytest.param(Encryption(key="1234abcd-12ab"), [], id="an id"),
        pytest.param(Encryption(keys={REGION: key_arn(), "us-west-2": ELSEWHERE}), [], id="each its own ARN"),
        pytest.param(Encryption(encrypted=True), [], id="encrypted, no key"),
        pytest.param(Encryption(encrypted=False), [], id="not encrypted"),
        pytest.param(Encryption(key="alias/aws/ebs", allow_default=True), [], id="AWS's key, if allowed"),
        pytest.param(
            Encryption(key="alias/aws/ebs"), [("default_key", "kms_key_id", None)], id="AWS's key, once"
        ),
        pytest.param(
            Encryption(key="golden key"), [("invalid_option", "kms_key_id", None)], id="no key identifier"
        ),
        pytest.param(
            Encryption(keys={"eu-west-9": "k", "ap-south-1": "k"}),
            [("invalid_option", "kms_key_ids", None)] * 2,
            id="keys for other regions",
        ),
        pytest.param(
            Encryption(key=key_arn()),
            [("invalid_option", "kms_key_id", "us-west-2")],
            id="one region's key ARN for all regions",
        ),
        pytest.param(
            Encryption(key=f"arn:aws:kms:{REGION}:{OWNER}:alias/golden"),
            [("invalid_option", "kms_key_id", "us-west-2")],
            id="one region's alias ARN for all regions",
        ),
        pytest.param(
            Encryption(key=key_arn(), keys={"us-west-2": ELSEWHERE}),
            [],
            id="a key ARN for the remaining region",
        ),
        pytest.param(
            Encryption(keys={REGION: ELSEWHERE, "us-west-2": key_arn()}),
            [("invalid_option", "kms_key_ids", REGION), ("invalid_option", "kms_key_ids", "us-west-2")],
            id="interchanged ARNs",
        ),
        pytest.param(
            Encryption(keys={REGION: "arn:aws:kms"}),
            [("invalid_option", "kms_key_ids", REGION)],
            id="the beginning of an ARN",
        ),
        pytest.param(
            Encryption(encrypted=False, key="k"),
            [("invalid_option", "encrypted", None)],
            id="false with a key",
        ),
        pytest.param(
            Encryption(encrypted=False, keys={REGION: "k"}),
            [("invalid_option", "encrypted", None)],
            id="false with one region's key",
        ),
    ],
)
def test_check_options(encryption: Encryption, expected: list[tuple[str, str, str | None]]) -> None:
    assert described(keys.check_options(encryption, BOTH)) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("alias/aws/sns", True),
        ("arn:aws:kms:eu-west-1:111122223333:alias/aws/sns", True),
        ("alias/golden", False),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", False),
        (key_arn(), False),
    ],
)
def test_aliases_of_aws_managed_keys(key: str, expected: bool) -> None:
    assert keys.names_aws_managed_key(key) == expected


def test_refusal_of_another_regions_key_names_its_region() -> None:
    (failure,) = keys.check_options(Encryption(key=key_arn()), ["us-west-2"])
    assert key_arn() in failure.message
    assert REGION in failure.message


@pytest.mark.parametrize(
    ("encrypted", "source", "refused"),
    [
        pytest.param(False, ENCRYPTED, True, id="decrypting"),
        pytest.param(False, PLAIN, False, id="leaving it plain"),
        pytest.param(True, ENCRYPTED, False, id="reencrypting"),
        pytest.param(None, ENCRYPTED, False, id="following the source"),
    ],
)
def test_check_source(encrypted: bool | None, source: Image, refused: bool) -> None:
    failures = keys.check_source(Encryption(encrypted=encrypted), source)
    assert described(failures) == ([("invalid_option", "encrypted", None)] if refused else [])
    assert all(SOURCE_ID in failure.message for failure in failures)


@pytest.mark.parametrize(
    ("encryption", "source", "key", "by_default", "code"),
    [
        pytest.param(ANY_KEY, PLAIN, None, False, None, id="a plain copy"),
        pytest.param(ANY_KEY, ENCRYPTED, None, False, "default_key", id="encrypted source, no key"),
        pytest.param(
            Encryption(encrypted=True), PLAIN, None, False, "default_key", id="encrypted: true, no key"
        ),
        pytest.param(ANY_KEY, PLAIN, None, True, "default_key", id="encryption by default"),
        pytest.param(
            Encryption(encrypted=False),
            PLAIN,
            None,
            True,
            "default_key",
            id="encryption by default, unwanted",
        ),
        pytest.param(UNDER_KEY, PLAIN, WANTED, False, None, id="a good key"),
        pytest.param(UNDER_KEY, PLAIN, DEFAULT, False, "default_key", id="aws/ebs by name"),
        pytest.param(BY_DEFAULT, ENCRYPTED, DEFAULT, False, None, id="aws/ebs where that is allowed"),
        pytest.param(BY_DEFAULT, PLAIN, DEFAULT, True, None, id="aws/ebs by default where that is allowed"),
        pytest.param(BY_DEFAULT, ENCRYPTED, WANTED, False, None, id="a customer managed default key"),
        pytest.param(
            UNDER_KEY,
            PLAIN,
            replace(WANTED, state="Disabled"),
            False,
            "key_not_enabled",
            id="disabled",
        ),
        pytest.param(
            UNDER_KEY,
            PLAIN,
            replace(WANTED, state="PendingDeletion"),
            False,
            "key_not_enabled",
            id="pending deletion",
        ),
        pytest.param(
            UNDER_KEY,
            PLAIN,
            replace(WANTED, state="PendingImport"),
            False,
            "key_not_enabled",
            id="without key material",
        ),
        pytest.param(
            BY_DEFAULT,
            ENCRYPTED,
            replace(WANTED, state="Disabled"),
            False,
            "key_not_enabled",
            id="a disabled default key",
        ),
        pytest.param(
            UNDER_KEY,
            PLAIN,
            replace(WANTED, spec="RSA_2048"),
            False,
            "unsupported_key_type",
            id="asymmetric",
        ),
        pytest.param(
            UNDER_KEY,
            PLAIN,
            replace(WANTED, spec="HMAC_256", usage="GENERATE_VERIFY_MAC"),
            False,
            "unsupported_key_type",
            id="HMAC",
        ),
    ],
)
def test_check_key(
    encryption: Encryption, source: Image, key: Key | None, by_default: bool, code: str | None
) -> None:
    failures = keys.check_key(encryption, target_in(), source, key, by_default)
    assert described(failures) == ([(code, "CopyImage", REGION)] if code else [])
    assert all(failure.account_id == OWNER for failure in failures)
    if key is not None:
        assert all(key.arn in failure.message for failure in failures)


@pytest.mark.parametrize(
    ("by_default", "why"),
    [
        pytest.param(True, "Encryption by default is on", id="by default"),
        pytest.param(False, "The copy will be encrypted", id="asked for"),
    ],
)
def test_refusal_without_a_key_says_why_the_copy_is_encrypted(by_default: bool, why: str) -> None:
    encryption = Encryption(encrypted=None if by_default else True)
    (failure,) = keys.check_key(encryption, target_in(), PLAIN, None, by_default)
    assert failure.message.startswith(why)
    assert "allow_default_key: true" in failure.remedy


def test_an_image_under_an_aws_managed_key_is_not_shared() -> None:
    failure = keys.default_key_failure(target_in(), "CopyImage", "ami-1", "arn:of:key", "Copy it.")
    assert failure == Failure.at(
        target_in(),
        "CopyImage",
        "default_key",
        "ami-1 is encrypted under the AWS managed key arn:of:key: it cannot be shared.",
        "Copy it.",
    )


def test_refused_key_is_a_refusal_of_the_plan() -> None:
    plan = planned(wanted(encryption=UNDER_KEY), saw(key=replace(WANTED, state="Disabled")))
    assert [failure.error_code for failure in plan.refusals] == ["key_not_enabled"]


def test_encryption_by_default_is_a_refusal_of_the_plan() -> None:
    plan = planned(wanted(), saw(by_default=True))
    assert [failure.error_code for failure in plan.refusals] == ["default_key"]


@pytest.mark.parametrize(
    "encryption",
    [
        pytest.param(UNDER_KEY, id="its key, since disabled"),
        pytest.param(ANY_KEY, id="no key"),
    ],
)
def test_nothing_is_refused_without_a_copy(encryption: Encryption) -> None:
    # A completed distribution has no refusals when its key is disabled later.
    key = replace(WANTED, state="Disabled") if encryption.key else None
    plan = planned(wanted(encryption=encryption), saw(found("ami-1", WANTED), key=key, source=ENCRYPTED))
    assert (plan.actions, plan.refusals) == ((), ())


@pytest.mark.parametrize(
    ("copy", "key", "encrypted", "expected"),
    [
        pytest.param(found("ami-1", WANTED), WANTED, True, True, id="the wanted key"),
        pytest.param(found("ami-1", OTHER), WANTED, True, False, id="another key"),
        pytest.param(found("ami-1", WANTED, OTHER), WANTED, True, False, id="two keys"),
        pytest.param(found("ami-1", OTHER), None, True, True, id="any key"),
        pytest.param(found("ami-1", OTHER, None), None, True, False, id="one volume unencrypted"),
        pytest.param(found("ami-1", None), None, False, True, id="unencrypted as wanted"),
        pytest.param(found("ami-1", WANTED), None, False, False, id="encrypted, unwanted"),
    ],
)
def test_is_under(
    copy: tuple[Image, list[Snapshot]], key: Key | None, encrypted: bool, expected: bool
) -> None:
    image, snapshots = copy
    assert keys.is_under(image, snapshots, key, encrypted) is expected


def test_is_under_without_known_keys() -> None:
    image = adopted_image("ami-1", state="pending")
    assert keys.is_under(image, [], WANTED, True) is True
    assert keys.is_under(image, [], None, False) is True


def test_a_volume_that_is_created_empty_has_no_key() -> None:
    """botocore shape EbsBlockDevice, Encrypted: true is possible for a new (empty) volume."""
    with_empty = volumes("snap-1") + volumes(None, encrypted=True)
    source = source_image(devices=with_empty)
    assert not Encryption().encrypts(REGION, source)
    assert keys.check_source(Encryption(encrypted=False), source) == ()
    copy = copied_image("ami-1", devices=with_empty)
    assert keys.is_under(copy, [], None, False)
    assert not keys.is_under(copy, [], WANTED, True)


def test_a_key_that_could_not_be_described_has_a_warning() -> None:
    (warning,) = keys.key_warnings(replace(WANTED, described=False))
    assert WANTED.arn in warning
    assert keys.key_warnings(WANTED) == ()
    assert keys.key_warnings(None) == ()

# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy's key is part of what it is: one copy under each key, also in the source's own region."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .encrypted import ALIAS, DISTRIBUTE, EncryptedFixture, steps
from .fixture import HOME, OWNER
from .in_process import Modules
from .playbook import Ansible, Run

AWAY = "eu-west-1"
OTHER = "alias/other"


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image, and a second key of its owner's."""
    built = EncryptedFixture(aws)
    built.add(kms_keys={"other": {"account": OWNER, "regions": [HOME, AWAY], "alias": OTHER}})
    return built


@pytest.fixture
def copy(fixture: EncryptedFixture) -> dict[str, Any]:
    """A copy to another region, without its key."""
    return {"source_image_id": fixture.image_id, "source_region": HOME, "regions": [AWAY]}


def _images(run: Run, name: str, region: str) -> str:
    return str(run.task(name).result["images"][region])


def test_another_key_makes_another_copy_and_the_same_key_none(
    aws: SimulatedAws, fixture: EncryptedFixture, modules: Modules, copy: dict[str, Any]
) -> None:
    arn = aws.client("kms", OWNER, AWAY).describe_key(KeyId=OTHER)["KeyMetadata"]["Arn"]
    run = steps(
        modules,
        {
            "first": ("ami_copy_regions", {**copy, "kms_key_id": ALIAS}),
            "second": ("ami_copy_regions", {**copy, "kms_key_id": OTHER}),
            "second by its ARN": ("ami_copy_regions", {**copy, "kms_key_ids": {AWAY: arn}}),
            "first again": ("ami_copy_regions", {**copy, "kms_key_id": ALIAS, "encrypted": True}),
        },
    )
    assert run.code == 0, run.text
    assert run.changed == ["first", "second"]
    first, second = (_images(run, name, AWAY) for name in ("first", "second"))
    assert [image["ImageId"] for image in observed.own_images(aws, OWNER, AWAY)] == [first, second]
    assert encrypted.keys_of(aws, OWNER, AWAY, first) == {fixture.key(AWAY)}
    assert encrypted.keys_of(aws, OWNER, AWAY, second) == {arn}
    assert _images(run, "second by its ARN", AWAY) == second
    assert _images(run, "first again", AWAY) == first


@pytest.mark.nightly
def test_the_sources_region_is_reencrypted_only_on_request(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, copy: dict[str, Any]
) -> None:
    arn = aws.client("kms", OWNER, HOME).describe_key(KeyId=OTHER)["KeyMetadata"]["Arn"]
    here = {**copy, "regions": [HOME]}
    reencrypt = {**here, "kms_key_id": OTHER, "reencrypt_source": True}
    run = steps(
        ansible,
        {
            "as it is": ("ami_copy_regions", {**here, "kms_key_id": OTHER}),
            "under its own key": (
                "ami_copy_regions",
                {**here, "kms_key_id": ALIAS, "reencrypt_source": True},
            ),
            "reencrypted": ("ami_copy_regions", reencrypt),
            "reencrypted again": ("ami_copy_regions", reencrypt),
        },
    )
    assert run.code == 0, run.text
    assert run.changed == ["reencrypted"]
    said = encrypted.warnings(run, "as it is")
    assert f"{fixture.image_id} is not encrypted under {arn}" in said
    assert "reencrypt_source: true" in said
    for name in ("as it is", "under its own key"):
        assert _images(run, name, HOME) == fixture.image_id
    assert encrypted.warnings(run, "under its own key") == ""
    made = _images(run, "reencrypted", HOME)
    assert _images(run, "reencrypted again", HOME) == made
    assert encrypted.keys_of(aws, OWNER, HOME, made) == {arn}
    assert [image["ImageId"] for image in observed.own_images(aws, OWNER, HOME)] == [fixture.image_id, made]
    assert encrypted.warnings(run, "reencrypted") == ""


@pytest.mark.nightly
def test_a_copy_in_the_sources_region_that_matches_the_filters_is_not_the_next_source(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    disk = {"device_name": "/dev/xvda", "size": 8}
    plain = {"account": OWNER, "region": HOME, "devices": [disk]}
    source = fixture.add_images({"golden-plain-1": plain})["golden-plain-1"]
    variables = {
        "distribute_source_filters": {"name": "golden-plain-*"},
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_kms_key_id": ALIAS,
        "distribute_reencrypt_source": True,
    }
    first = ansible.run(DISTRIBUTE, variables)
    assert first.code == 0, first.text
    images = first.facts["distribute_images"]
    name = observed.image(aws, OWNER, HOME, images[HOME])["Name"]
    assert (name, images[HOME] != source) == (f"golden-plain-1-{source}", True)

    aws.clear_calls()
    again = ansible.run(DISTRIBUTE, variables)
    assert (again.code, again.changed) == (0, []), again.text
    assert encrypted.changes(aws, refused=True) == []
    assert again.facts["distribute_images"] == images

# SPDX-License-Identifier: GPL-3.0-or-later

"""Families, versions, and the order in which people count."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.naming import (
    image_order,
    natural_key,
    parse_family,
    parse_version,
    version_order,
)
from hypothesis import given
from hypothesis import strategies as st

# Who made a copy, and where, belongs to neither.
COPIES = [
    ("golden-web-2026.11.1-ami-0123456789abcdef0", "golden-web", "2026.11.1"),
    ("golden-web-2026.11.1-ami-0123456789abcdef0-ami-0fedcba9876543210", "golden-web", "2026.11.1"),
    ("golden-web-2026.11.1-ami-0a1b2c3d", "golden-web", "2026.11.1"),
    ("golden-web-ami-0123456789abcdef0", "golden-web", ""),
    ("golden-web-2026.11.1-eu-west-1", "golden-web", "2026.11.1"),
    ("golden-web-2026.11.1 (eu-west-1)", "golden-web", "2026.11.1"),
    ("golden-web-2026.11.1-us-gov-west-1-ami-0123456789abcdef0", "golden-web", "2026.11.1"),
    ("golden-web-ap-southeast-2-2026.11.1", "golden-web", "2026.11.1"),
    ("eu-west-1/golden-web-2026.11.1", "golden-web", "2026.11.1"),
    # Neither an ID nor a region.
    ("golden-ami-20261101", "golden-ami", "20261101"),
    ("golden-ami-20261101120000123", "golden-ami", "20261101120000123"),
    ("golden-ami-1793534400", "golden-ami", "1793534400"),
    ("us-east-1.2.0", "us-east", "1.2.0"),
    ("us-web-2", "us-web", "2"),
]
FORMS = [
    ("golden-web-2026.11.1", "golden-web", "2026.11.1"),
    ("golden-web-2026-11-01", "golden-web", "2026-11-01"),
    ("golden web 2026-11-01T12-30-00.123Z", "golden web", "2026-11-01T12-30-00.123Z"),
    ("web-20261101T1200", "web", "20261101T1200"),
    ("web-1793534400", "web", "1793534400"),
    ("web_1.2.3", "web", "1.2.3"),
    ("web-v12", "web", "12"),
    ("Web-V12", "Web", "12"),
    ("golden_web_v3", "golden_web", "3"),
    ("golden web 7", "golden web", "7"),
    ("web2-4", "web2", "4"),
    ("app2-2026.8", "app2", "2026.8"),
    ("al2023-2026.11.1", "al2023", "2026.11.1"),
    ("app-3-dev-2026.11.1", "app-3-dev", "2026.11.1"),
    ("eks-node-1.30-v20261101", "eks-node-1.30", "20261101"),
    # What follows the version is part of it.
    ("golden-web-2026.3.2-test", "golden-web", "2026.3.2-test"),
    ("golden-web-2026.3.2-test-2", "golden-web", "2026.3.2-test-2"),
    ("golden-web-2026.3.2 (encrypted)", "golden-web", "2026.3.2 (encrypted)"),
    ("golden-web-1.2.3-4-g1a2b3c4", "golden-web", "1.2.3-4-g1a2b3c4"),
    ("golden-web-1.2.0-rc1", "golden-web", "1.2.0-rc1"),
    ("golden-web-1.2.0-rc.1", "golden-web", "1.2.0-rc.1"),
    ("golden-web-1.2.0-beta-2", "golden-web", "1.2.0-beta-2"),
    ("golden-web-1.2.0-dev.20261101", "golden-web", "1.2.0-dev.20261101"),
    ("golden-web-2026.11.1-build-7", "golden-web", "2026.11.1-build-7"),
    # So is any number after a dotted one or a date.
    ("golden-web-1.2.0-build-4711", "golden-web", "1.2.0-build-4711"),
    ("golden-2026.11.1-ubuntu-22.04", "golden", "2026.11.1-ubuntu-22.04"),
    ("golden-web-20261101-rhel-9-x86_64", "golden-web-x86_64", "20261101-rhel-9"),
    ("golden-web-2026.11.1-cis-level-1", "golden-web", "2026.11.1-cis-level-1"),
    ("golden-base-2026.11.1-sha-1a2b3c4", "golden-base", "2026.11.1-sha-1a2b3c4"),
    ("golden-web-1.2.3-amd64-1", "golden-web-amd64", "1.2.3-1"),
    # Only an architecture is not.
    ("golden-web-2026.11.1-arm64", "golden-web-arm64", "2026.11.1"),
    ("golden-web-2026.11.1_x86_64-rc1", "golden-web_x86_64", "2026.11.1-rc1"),
    ("golden-arm64-web-2026.11.1", "golden-arm64-web", "2026.11.1"),
    # Without a version, or without a family.
    ("golden-web", "golden-web", ""),
    ("2026-11", "2026-11", ""),
    ("v12", "v12", ""),
    ("ami-0123456789abcdef0", "ami-0123456789abcdef0", ""),
    ("", "", ""),
]
# The release of an operating system is what an image is, unless there is no other version.
RELEASES = [
    ("ubuntu-22.04-web-2026.11.1", "ubuntu-22.04-web", "2026.11.1"),
    ("ubuntu-22.04-db-2026.11.1", "ubuntu-22.04-db", "2026.11.1"),
    ("ubuntu-22.04-2026.11.1", "ubuntu-22.04", "2026.11.1"),
    ("ubuntu-2204-20261101", "ubuntu-2204", "20261101"),
    ("ubuntu-22.04-web", "ubuntu-22.04-web", ""),
    ("ubuntu-22.04", "ubuntu", "22.04"),
    ("ubuntu-22.04-amd64", "ubuntu-amd64", "22.04"),
    ("ubuntu-2026.11.1-2", "ubuntu", "2026.11.1-2"),
    ("rhel-9-base-20261101", "rhel-9-base", "20261101"),
    ("rhel-9-20261101", "rhel-9", "20261101"),
    ("RHEL9.4-20261101", "RHEL9.4", "20261101"),
    ("golden-rhel-9", "golden-rhel", "9"),
    ("golden-rhel-9-rc1", "golden-rhel", "9-rc1"),
    ("windows-2022-2026.11.1", "windows-2022", "2026.11.1"),
    ("Windows_Server-2022-Base-1.4.2", "Windows_Server-2022-Base", "1.4.2"),
    ("windows-2025-11-01", "windows", "2025-11-01"),
    ("amazon-linux-2-2026.11.1", "amazon-linux-2", "2026.11.1"),
    (
        "al2023-ami-2023.5.20240903.0-kernel-6.1-x86_64",
        "al2023-ami-x86_64",
        "2023.5.20240903.0-kernel-6.1",
    ),
    (
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20240927",
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server",
        "20240927",
    ),
]


@pytest.mark.parametrize(("name", "family", "version"), [*COPIES, *FORMS, *RELEASES])
def test_families_and_versions(name: str, family: str, version: str) -> None:
    assert (parse_family(name), parse_version(name)) == (family, version)


@given(st.text(st.sampled_from("aAv019-_. /()rctxami"), max_size=128))
def test_every_name_has_a_family(name: str) -> None:
    assert bool(parse_family(name)) is bool(name)
    assert len(parse_family(name)) + len(parse_version(name)) <= len(name)


def test_versions_are_ordered_by_their_parts() -> None:
    ordered = [
        "1.2.0-nightly",
        "1.2.0-SNAPSHOT",
        "1.2.0-dev.3",
        "1.2.0-alpha",
        "1.2.0-beta2",
        "1.2.0-beta10",
        "1.2.0-preview1",
        "1.2.0-pre",
        "1.2.0-RC1",
        "1.2.0rc2",
        "1.2.0",
        "1.2.0-test",
        "1.2.0.1",
        "1.9",
        "1.10-rc1",
        "1.10",
        "2026.8",
        "2026.10",
        "20261101",
        "20261101T1200",
    ]
    backwards = ordered[::-1]
    assert sorted(backwards, key=version_order) == ordered
    assert version_order("2026-11-01") == version_order("2026.11.1")


def test_numbers_are_compared_as_numbers() -> None:
    names = ["web-2026.10", "web-2026.8", "web", "web-2026.8.1", "8", "web-\u00b2"]
    assert sorted(names, key=natural_key) == [
        "8",
        "web",
        "web-2026.8",
        "web-2026.8.1",
        "web-2026.10",
        "web-\u00b2",
    ]


def test_images_are_ordered_by_region_and_name() -> None:
    places = [("us-east-1", "web-1"), ("eu-west-1", "web-10"), ("eu-west-1", "web-9"), ("eu-west-1", None)]
    images = [{"region": region, "name": name, "image_id": "ami-1"} for region, name in places]
    found = [(image["region"], image["name"]) for image in sorted(images, key=image_order)]
    assert found == [("eu-west-1", None), ("eu-west-1", "web-9"), ("eu-west-1", "web-10"), places[0]]


@given(st.lists(st.text()))
def test_all_texts_can_be_ordered(texts: list[str]) -> None:
    assert [natural_key(text) for text in sorted(texts, key=natural_key)] == sorted(map(natural_key, texts))

# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs by chance between two runs of a commit is the same in their records; nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.record.normalise import Names, normalised

AMI, COPY, SNAPSHOT = "ami-0123456789abcdef0", "ami-0fedcba9876543210", "snap-0123456789abcdef0"
KEY_ID = "6d8b06a5-24ad-4d2a-a94e-75309c5cb92b"
KEY = f"arn:aws:kms:us-east-1:111111111111:key/{KEY_ID}"
WHERE = {"account_id": "111111111111", "region": "us-east-1"}
WORLD = [
    {"kind": "image", "name": AMI, "image_name": "golden", "snapshots": {"/dev/xvda": SNAPSHOT}, **WHERE},
    {"kind": "image", "name": COPY, "image_name": f"copy of {AMI}", "snapshots": {}, **WHERE},
    {"kind": "snapshot", "name": SNAPSHOT, **WHERE},
    {"kind": "key", "name": KEY, **WHERE},
]


def shown(value: Any, world: list[dict[str, Any]] = WORLD, **places: str) -> Any:
    """The value as it is in a record."""
    names = Names()
    names.learn(world, {"organization": {"units": {"prod": {"id": "ou-8v5w-wbbvf1c0"}}}})
    return normalised(value, names, places)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"share {AMI}", "share <ami 111111111111/us-east-1 golden>"),
        (COPY, "<ami 111111111111/us-east-1 copy of *>"),
        (SNAPSHOT, "<snap /dev/xvda of <ami 111111111111/us-east-1 golden>>"),
        (KEY, "<key 111111111111/us-east-1>"),
        (KEY_ID, "<id of <key 111111111111/us-east-1>>"),
        ("…/o-114k18lwkn/ou-8v5w-wbbvf1c0", "…/o-*/<ou prod>"),
        ("ou-8v5w-11111111", "ou-*"),
        ("subnet-0f7e01eee2c693e6a", "subnet-*"),
        ("request 7c9a2f0e-2d5b-4d7e-9f55-0a1b2c3d4e5f", "request ID"),
        ("at 2026-11-30T14:02:31.123Z, 20261130T140231Z", "at TIME, TIME"),
        ("from 2026-11-30", "from TIME"),
        ("AIDARTXV5AHD6JXVJ732N", "AIDA*"),
        ("at 1796053089.448408", "at TIME"),
        ("GET /rules/1234567890a", "GET /rules/*"),
        ("rule 070e72a267b", "rule HEX11"),
        ("http://127.0.0.1:45999/", "http://127.0.0.1:PORT/"),
        ("/tmp/x/report.json", "TMP/report.json"),
        # These are data.
        (
            "golden-web-2026.11.1 of 111111111111 in us-east-1",
            "golden-web-2026.11.1 of 111111111111 in us-east-1",
        ),
        ("100 images, 90 days, r-x, i-beam", "100 images, 90 days, r-x, i-beam"),
    ],
)
def test_a_text_names_what_ids_stand_for_and_has_no_times(text: str, expected: str) -> None:
    assert shown(text, **{"/tmp/x": "TMP"}) == expected


def test_two_images_of_one_name_stay_two() -> None:
    twin = {**WORLD[0], "name": COPY, "snapshots": {}}
    assert shown(f"{AMI} {COPY}", [WORLD[0], twin]) == (
        "<ami 111111111111/us-east-1 golden> <ami 111111111111/us-east-1 golden #2>"
    )


def test_what_is_learned_later_keeps_the_first_names() -> None:
    names = Names()
    names.learn(WORLD[:1], {})
    names.learn([{**WORLD[0], "name": COPY}, WORLD[0]], {"organization": None})
    assert names.of(AMI) == "<ami 111111111111/us-east-1 golden>"


def test_lists_of_resources_are_sorted_and_no_others() -> None:
    assert shown([COPY, AMI]) == shown([AMI, COPY])
    assert shown(f"of {SNAPSHOT}, {AMI}") == shown(f"of {AMI}, {SNAPSHOT}")
    assert shown(["b", "a", AMI])[:2] == ["b", "a"]


def test_a_number_is_a_time_only_if_it_is_one_of_these_years() -> None:
    assert shown([1796053034973, 1796053034.5, 1796053034, 111111111111, 1, True]) == [
        *["TIME"] * 3,
        111111111111,
        1,
        True,
    ]


def test_keys_of_mappings_are_normalised_and_sorted() -> None:
    assert [*shown({"b": [1, None], AMI: True})] == ["<ami 111111111111/us-east-1 golden>", "b"]

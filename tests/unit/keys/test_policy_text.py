# SPDX-License-Identifier: GPL-3.0-or-later

"""The rest of a key policy stays byte for byte when own statements change."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys import policy_statements as key_policy
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.keys.policies import ACCESSES, ORG_ID, UNIT, A, access, consumers, opened_to

# Numbers written in ways that json.dumps would not choose.
NUMBERS = ["0", "-0", "1.50", "1E+3", "12345678901234567890"]
CONFUSING = [
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"}]',
    "Statement",
    "\u2028",
    "é",
    "😀",
    "\x00",
    "\n",
    "/",
]
TEXTS = st.lists(st.sampled_from(CONFUSING) | st.characters(exclude_categories=["Cs"]), max_size=4).map(
    "".join
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, len(NUMBERS) - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


class Writer:
    """Writes JSON in random styles: spaces anywhere, characters escaped or not."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def space(self) -> str:
        """Random JSON whitespace, or none."""
        return "".join(self._random.choices(" \t\r\n", k=self._random.choice([0, 0, 0, 1, 3])))

    def text(self, meaning: str) -> str:
        """A string."""
        return '"' + "".join(map(self._character, meaning)) + '"'

    def value(self, meaning: Any) -> str:
        """Any value; an integer stands for one of ``NUMBERS``."""
        if isinstance(meaning, dict):
            return self.object({key: self.value(item) for key, item in meaning.items()})
        if isinstance(meaning, list):
            return "[" + self.several(map(self.value, meaning)) + "]"
        if isinstance(meaning, str):
            return self.text(meaning)
        return json.dumps(meaning) if meaning is None or isinstance(meaning, bool) else NUMBERS[meaning]

    def object(self, members: Mapping[str, str]) -> str:
        """An object whose values are already JSON text."""
        parts = (f"{self.text(key)}{self.space()}:{self.space()}{text}" for key, text in members.items())
        return "{" + self.several(parts) + "}"

    def several(self, parts: Iterable[str]) -> str:
        """Parts separated by commas."""
        return ",".join(f"{self.space()}{part}{self.space()}" for part in parts) or self.space()

    def _character(self, character: str) -> str:
        units = character.encode("utf-16-be").hex(" ", 2).split()
        ways = [
            "".join(f"\\u{unit}" for unit in units),
            "".join(f"\\u{unit.upper()}" for unit in units),
            json.dumps(character)[1:-1],
        ]
        if character >= " " and character not in '"\\':
            ways += [character] * 3
        return self._random.choice(ways)


@dataclass(frozen=True)
class Policy:
    """A policy as text, the text around its statements, and the statements of others among them."""

    before: str
    after: str
    others: tuple[str, ...]
    text: str


OWN = {"Effect": "Allow", "Principal": {"AWS": A}, "Action": "kms:Decrypt"}
# Only the Sid makes a statement an own one; the rest of other statements can be anything.
STATEMENTS = st.builds(
    lambda sid, rest: {**OWN, **rest, "Sid": sid},
    st.sampled_from(["GoldenImagesAccounts", "GoldenImagesUnitsGrants"]),
    st.dictionaries(st.just("Resource"), TEXTS),
) | st.builds(
    dict.__or__,
    st.dictionaries(st.sampled_from(["Effect", "Principal", "Condition", "Statement", "😀"]), VALUES),
    st.dictionaries(st.just("Sid"), TEXTS | st.just("goldenimagesAccounts")),
)


def is_own(statement: Mapping[str, Any]) -> bool:
    return statement.get("Sid") in ("GoldenImagesAccounts", "GoldenImagesUnitsGrants")


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Policies of own and other statements, mixed, in random styles."""
    writer = Writer(draw(st.integers(0, 2**32)))
    statements = draw(st.lists(STATEMENTS, max_size=3))
    texts = [writer.value(statement) for statement in statements]
    single = len(texts) == 1 and draw(st.booleans())
    inner = texts[0] if single else "[" + writer.several(texts) + "]"
    place = "\x00"  # It is never unescaped in JSON.
    members = {
        key: writer.value(value) for key, value in draw(st.dictionaries(TEXTS, VALUES, max_size=2)).items()
    }
    order = draw(st.permutations([*members, "Version", "Statement"]).map(dict.fromkeys))
    members |= {"Version": '"2012-10-17"', "Statement": place}
    whole = writer.space() + writer.object({key: members[key] for key in order}) + writer.space()
    before, after = whole.split(place)
    others = tuple(text for text, item in zip(texts, statements, strict=True) if not is_own(item))
    return Policy(before, after, others, before + inner + after)


MINE = key_policy.statements_for(access(consumers(A, org_ids=(ORG_ID,), units=(UNIT,))))


@given(policies(), ACCESSES)
def test_other_statements_stay_byte_for_byte(policy: Policy, wanted: key_policy.PolicyAccess) -> None:
    mine = key_policy.statements_for(wanted)
    text = key_policy.with_own_statements(policy.text, mine)
    assert text.startswith(f"{policy.before}[{', '.join(policy.others)}")
    assert text.endswith(f"]{policy.after}")
    whole = json.loads(text)
    assert whole["Statement"] == [*map(json.loads, policy.others), *mine]
    old = json.loads(policy.text)
    assert {**whole, "Statement": None} == {**old, "Statement": None}
    assert list(whole) == list(old)


@given(policies())
def test_written_statements_are_recognized(policy: Policy) -> None:
    text = key_policy.with_own_statements(policy.text, MINE)
    assert key_policy.own_statements(text) == MINE
    assert key_policy.has_own_statements(text, MINE)
    assert key_policy.with_own_statements(text, MINE) == text


@given(policies())
def test_removing_own_statements_keeps_the_other_text(policy: Policy) -> None:
    removed = key_policy.with_own_statements(key_policy.with_own_statements(policy.text, MINE), [])
    assert removed == f"{policy.before}[{', '.join(policy.others)}]{policy.after}"


@given(policies())
@example(Policy("", "", (), '{"Id": "\\"Statement\\": [{", "Statement": []}'))
def test_own_statements_are_recognized_by_their_sid(policy: Policy) -> None:
    found = key_policy.own_statements(policy.text)
    statements: Any = json.loads(policy.text)["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    assert len(found) == len(listed) - len(policy.others)
    assert all(item in listed for item in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            '{"Statement":{"Sid":"Theirs","Effect":"Allow"}}',
            '{"Statement":[{"Sid":"Theirs","Effect":"Allow"}, OURS]}',
            id="a single statement becomes the first of a list",
        ),
        pytest.param(
            '{"Statement": {"Sid": "GoldenImagesAccounts"}, "Version": "2012-10-17"}',
            '{"Statement": [OURS], "Version": "2012-10-17"}',
            id="a single own statement is replaced",
        ),
        pytest.param('{"Statement":[]}', '{"Statement":[OURS]}', id="no statement"),
        pytest.param(
            '{"Id":"}],{\\"Statement\\":[","Statement":[ {"Sid":"\\u0041","x":"]}"}\n]}',
            '{"Id":"}],{\\"Statement\\":[","Statement":[{"Sid":"\\u0041","x":"]}"}, OURS]}',
            id="brackets and escapes in texts",
        ),
        pytest.param(
            '{"Id":{"Statement":[{"Sid":"GoldenImagesX"}]},"Statement":[{"Sid":"\\u0047oldenImagesUnits"},{"a":1}]}',
            '{"Id":{"Statement":[{"Sid":"GoldenImagesX"}]},"Statement":[{"a":1}, OURS]}',
            id="nested statements do not count, escaped Sids do",
        ),
        pytest.param(
            '{"\\u0053tatement":[{"b":1,"a":2}]}',
            '{"\\u0053tatement":[{"b":1,"a":2}, OURS]}',
            id="an escaped key",
        ),
    ],
)
def test_with_own_statements(text: str, expected: str) -> None:
    ours = {"Sid": "GoldenImagesAccounts", "Effect": "Allow"}
    assert key_policy.with_own_statements(text, [ours]) == expected.replace(
        "OURS", json.dumps(ours, sort_keys=True)
    )


def test_formatting_makes_no_difference() -> None:
    text = opened_to(consumers(A))
    spaced = json.dumps(json.loads(text), indent=4)
    assert key_policy.has_own_statements(spaced, key_policy.statements_for(access(consumers(A))))

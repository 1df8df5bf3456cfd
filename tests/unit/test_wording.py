# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of options in messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.golden.images.plugins.module_utils._wording import (
    escape_invisible,
    file_reason,
    render_value,
    shorten,
    shorten_quoted,
    validation_message,
    with_full_stop,
)

SPEC: dict[str, Any] = {
    "account_ids": {"type": "list", "elements": "raw"},
    "regions": {"type": "list", "elements": "str"},
    "tags": {"type": "dict"},
    "level": {"type": "str", "choices": ["visible", "launched"]},
    "rules": {"type": "list", "elements": "dict", "options": {"account_ids": {"type": "list"}}},
    "states": {"type": "list", "elements": "str", "choices": ["available", "failed"]},
    "timeout": {"type": "int"},
    "purge": {"type": "bool"},
    "needed": {"required": True},
}


def test_the_reason_of_a_file_is_without_python_s_words(tmp_path: Path) -> None:
    (tmp_path / "not-text").write_bytes(b"\xff")
    found = []
    for path in (tmp_path / "missing", tmp_path / "not-text", Path("\0")):
        try:
            path.read_text(encoding="utf-8")
        except (OSError, ValueError) as exception:
            found.append(file_reason(exception))
    assert found == ["No such file or directory", "it is not text in UTF-8", "its path is not valid"]
    assert file_reason(OSError()) == "the operating system reports no reason"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("No", "No."), ("No. ", "No."), ("No!", "No!"), ("Why?", "Why?"), ("These:", "These:"), ("", "")],
)
def test_a_sentence_is_ended_once(text: str, expected: str) -> None:
    assert with_full_stop(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("golden", "golden"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\rb", "a\u27e8U+000D\u27e9b"),
        ("\u0635\u0648\u0631\u0629", "\u0635\u0648\u0631\u0629"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        ("golden-\u202egnp.exe", "golden-\u27e8U+202E\u27e9gnp.exe"),
        ("a\u2066b\u2069", "a\u27e8U+2066\u27e9b\u27e8U+2069\u27e9"),
        ("a\x00b\x1b[31m", "a\u27e8U+0000\u27e9b\u27e8U+001B\u27e9[31m"),
        ("a\ud800b", "a\u27e8U+D800\u27e9b"),
        ("a\u200bb\ufeff", "a\u27e8U+200B\u27e9b\u27e8U+FEFF\u27e9"),
        ("a\x9b2Jb", "a\u27e8U+009B\u27e92Jb"),
        ("a\u2028b", "a\u27e8U+2028\u27e9b"),
    ],
)
def test_invisible_characters_are_shown_as_code_points(text: str, expected: str) -> None:
    assert escape_invisible(text) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [("web", "'web'"), ({"a": [1]}, '{"a": [1]}'), (None, "null"), (True, "true"), (7, "7"), ("", "''")],
)
def test_a_value_is_shown_as_in_yaml(value: Any, text: str) -> None:
    assert render_value(value) == text


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"tags": ["a"]}, 'tags: must be a mapping (got ["a"]).'),
        ({"regions": {"eu": 1}}, 'regions: must be a list (got {"eu": 1}).'),
        ({"timeout": "soon"}, "timeout: must be a whole number (got 'soon')."),
        ({"purge": "perhaps"}, "purge: must be true or false (got 'perhaps')."),
        ({"level": "fast"}, "level: must be one of visible, launched (got 'fast')."),
        ({"states": ["gone"]}, 'states: must be one of available, failed (got ["gone"]).'),
        ({"rules": ["web"]}, 'rules: must be a list of mappings (got ["web"]).'),
        (
            {"rules": [{"account_ids": {"a": 1}}]},
            'rules: account_ids must be a list (got [{"account_ids": {"a": 1}}]).',
        ),
    ],
)
def test_ansible_s_message_gets_the_value(params: dict[str, Any], expected: str) -> None:
    given = {"needed": "x", **params}
    result = ArgumentSpecValidator(SPEC).validate(given)
    assert validation_message(result.errors.msg, result.error_messages, given, SPEC) == expected


def test_all_errors_are_in_the_message() -> None:
    given = {"needed": "x", "tags": [1], "timeout": "soon"}
    result = ArgumentSpecValidator(SPEC).validate(given)
    message = validation_message(result.errors.msg, result.error_messages, given, SPEC)
    expected = ["tags: must be a mapping (got [1]).", "timeout: must be a whole number (got 'soon')."]
    assert sorted(message.splitlines()) == expected


def test_an_unknown_key_within_an_option_is_told_with_the_known_ones() -> None:
    message = (
        "Unsupported parameters for (golden.images.ami_share_audit) module: rules.accounts, rules.x. "
        "Supported parameters include: account_ids, public."
    )
    assert validation_message(message, ["rules.accounts, rules.x"], {}, SPEC) == (
        "rules: 'accounts' is not one of account_ids, public. Correct it to account_ids.\n"
        "rules: 'x' is not one of account_ids, public. Remove it."
    )


@pytest.mark.parametrize(
    ("message", "errors"),
    [
        ("missing required arguments: regions", []),
        ("Unsupported parameters for (m) module: x. Supported parameters include: rules.", ["x"]),
    ],
)
def test_other_messages_of_ansible_stay(message: str, errors: list[str]) -> None:
    assert validation_message(message, errors, {}, SPEC) == message


def test_the_value_of_a_secret_is_not_shown() -> None:
    secret = {"token": {"type": "dict", "no_log": True}}
    given = {"token": ['hunter"2']}
    result = ArgumentSpecValidator(secret).validate(given)
    message = validation_message(result.errors.msg, result.error_messages, given, secret)
    assert message == "token: must be a mapping."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("short", "short"),
        ("x" * 200, "x" * 200),
        ("x" * 12_345, f"{'x' * 200}\u2026 (12,345 characters)"),
        # A word is whole or not there: a part of a secret could not be masked.
        (f"token: {'s' * 300}", "token:\u2026 (307 characters)"),
        ("", ""),
    ],
)
def test_a_long_value_is_cut_at_its_end(text: str, expected: str) -> None:
    assert shorten(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'golden' is too long.", "'golden' is too long."),
        (f"name: '{'x' * 300}' is bad.", f"name: '{'x' * 200}'\u2026 (300 characters) is bad."),
        (f"key ['{'x' * 300}']", f"key ['{'x' * 200}'\u2026 (300 characters)]"),
        # What is between two values is no value.
        (f"'a' {'is not ' * 40}'b'", f"'a' {'is not ' * 40}'b'"),
    ],
)
def test_only_long_values_in_quotes_are_cut(text: str, expected: str) -> None:
    assert shorten_quoted(text) == expected


def test_an_item_in_place_of_a_mapping_is_not_repeated_as_a_whole() -> None:
    given = {"needed": "x", "rules": ["x" * 1_437]}
    result = ArgumentSpecValidator(SPEC).validate(given)
    message = validation_message(result.errors.msg, result.error_messages, given, SPEC)
    assert message == f'rules: must be a list of mappings (got ["{"x" * 198}\u2026 (1,441 characters)).'

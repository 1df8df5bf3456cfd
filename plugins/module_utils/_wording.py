# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How messages show values, and what they say of options that fail Ansible's validation."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

# Line breaks and tabs affect the layout. Other control and format characters are invisible, and can make a
# text look like another one: reverse it (U+202E), end it (U+0000), or clear a terminal (U+009B, U+000D).
# Joiners are parts of emoji.
_LAID_OUT = frozenset("\t\n\u200c\u200d")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_TYPES = {
    "bool": "true or false",
    "dict": "a mapping",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "str": "text",
}
# Characters of a value of the user's in a message: enough for any ARN.
_LONGEST_VALUE = 200
LONGEST_PATH = 500
"""Characters of a path in a message. A longer one is a mistake: a name has 255 at most."""
# The first quote is none that ends another value.
_LONG_QUOTED = re.compile(rf"(?<![^\s(\[])'([^']{{{_LONGEST_VALUE + 1},}})'")
# How much of two names is the same if one may be meant by the other: output_paths and output_files are 0.67.
_SIMILAR = 0.6
# ansible.module_utils.common.parameters, _validate_argument_types and _validate_elements.
_TYPE_ERROR = re.compile(
    r"(?:Elements value for option|argument) '(?P<option>\w+)'(?:.* found in '(?P<of>\w+)[^']*')?"
    r".* unable to convert to (?P<type>\w+): .*",
    re.DOTALL,
)
# The same file, _validate_argument_values.
_CHOICE_ERROR = re.compile(
    r"value of (?P<option>\w+) must be one (?:or more )?of: (?P<choices>.*)(?:, got|\. Got no match for): .*",
    re.DOTALL,
)
# ansible.module_utils.errors, UnsupportedError, and basic.py, for the keys of a mapping in an option.
_UNKNOWN_KEYS = re.compile(
    r"(?:Unsupported parameters for \(.*\) module: )?(?P<names>\w+(?:\.\w+)+(?:, \w+(?:\.\w+)+)*)\. "
    r"Supported parameters include: (?P<known>.*)\."
)


def render_value(value: Any) -> str:
    """A value as it is written in YAML: text in quotes, lists and mappings in JSON, which YAML includes.

    A long one is cut at its end.
    """
    if isinstance(value, str):
        return _quote(value)
    return shorten(json.dumps(value, default=str, ensure_ascii=False))


def shorten(text: str, longest: int = _LONGEST_VALUE) -> str:
    """Return the text, or its beginning and its length if it has more characters than ``longest``."""
    if len(text) <= longest:
        return text
    words, _space, last_word = text[:longest].rpartition(" ")
    # Words stay whole, so that no part of a secret is left that is masked later.
    return f"{words or last_word}\u2026 ({len(text):,} characters)"


def shorten_quoted(text: str) -> str:
    """Return the text with long values in single quotes cut at their end."""
    return _LONG_QUOTED.sub(lambda match: _quote(match[1]), text) if len(text) > _LONGEST_VALUE else text


def _quote(value: str) -> str:
    short = shorten(value)
    beginning, ellipsis, length = short.rpartition("\u2026") if short != value else (value, "", "")
    return f"'{beginning}'{ellipsis}{length}"


def file_reason(exception: OSError | ValueError) -> str:
    """Why a file could not be read or written, without the number and the quotes of Python's message."""
    if isinstance(exception, OSError):
        return exception.strerror or "the operating system reports no reason"
    return "it is not text in UTF-8" if isinstance(exception, UnicodeError) else "its path is not valid"


def with_full_stop(text: str) -> str:
    """The text with a full stop, if no other sign ends it: another sentence may follow."""
    stripped = text.rstrip()
    return stripped if not stripped or stripped[-1] in ".!?:" else f"{stripped}."


def escape_invisible(text: str) -> str:
    """The text with invisible characters, which could deceive a reader, as their code points."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\u27e8U+{ord(one):04X}\u27e9"
        if one not in _LAID_OUT and unicodedata.category(one) in _UNSEEN
        else one
        for one in text
    )


def find_similar(text: str, names: Iterable[str]) -> str:
    """Return the one of these names that the text may be a slip of; empty if it is similar to none."""
    found = get_close_matches(text, [*names], n=1, cutoff=_SIMILAR)
    return found[0] if found else ""


def validation_message(
    message: str,
    errors: Sequence[str],
    params: Mapping[str, Any],
    argument_spec: Mapping[str, Mapping[str, Any]],
) -> str:
    """Ansible's message about options that fail the argument spec, with the values as they are written.

    Ansible's ``message`` is about the first of ``errors``, and names types of Python instead of the value.
    ``params`` are the values before the validation.
    """
    if unknown := [*_list_unknown_keys(message)]:
        return "\n".join(unknown)
    # Only the whole message says that options are unknown.
    problems = [message] if message.startswith("Unsupported") or not errors else errors
    lines = (_validation_line(problem, params, argument_spec) for problem in problems)
    return "\n".join(dict.fromkeys(lines))


def _list_unknown_keys(message: str) -> Iterator[str]:
    """Yield a line for each key that a mapping in an option does not have; none for another message."""
    found = _UNKNOWN_KEYS.fullmatch(message)
    for name in found["names"].split(", ") if found else ():
        option, _dot, key = name.rpartition(".")
        known = str(found["known"]) if found else ""
        similar = find_similar(key, known.split(", "))
        remedy = f"Correct it to {similar}." if similar else "Remove it."
        yield f"{option}: '{key}' is not one of {known}. {remedy}"


def _validation_line(
    message: str, params: Mapping[str, Any], argument_spec: Mapping[str, Mapping[str, Any]]
) -> str:
    for option, problem in _problems(message, params, argument_spec):
        # Ansible hides a secret only as it is written, and JSON may write it in another way.
        got = (
            ""
            if argument_spec.get(option, {}).get("no_log")
            else f" (got {render_value(params.get(option))})"
        )
        return f"{option}: {problem}{got}."
    return message


def _problems(
    message: str, params: Mapping[str, Any], argument_spec: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Option and problem."""
    for option, spec in argument_spec.items():
        # For a list of mappings, Ansible's message does not name the option.
        items = params.get(option)
        if spec.get("elements") == "dict" and items and not _are_mappings(items):
            yield option, "must be a list of mappings"
    if (found := _TYPE_ERROR.fullmatch(message)) and found["type"] in _TYPES:
        kind = _TYPES[found["type"]]
        if found["of"]:
            yield found["of"], f"{found['option']} must be {kind}"
        yield found["option"], f"must be {kind}"
    elif found := _CHOICE_ERROR.fullmatch(message):
        yield found["option"], f"must be one of {found['choices']}"


def _are_mappings(items: Any) -> bool:
    return isinstance(items, list) and all(isinstance(item, Mapping) for item in items)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of policies (IAM User Guide, IAM JSON policy elements: Condition operators; set operators)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..exceptions import NotSimulated
from .condition_keys import RequestContext

Operator = Callable[[str, str], bool]

OPERATORS: dict[str, Operator] = {
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": lambda value, wanted: like(wanted, value),
}
"""Value of the request, value of the policy. AWS has more operators; they raise NotSimulated."""

_SET_OPERATORS: dict[str, Callable[[Any], bool]] = {"ForAnyValue": any, "ForAllValues": all}


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key: `values` are alternatives. `quantifier` is its set operator, or empty."""

    quantifier: str
    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, context: RequestContext) -> bool:
        """Whether the request meets it; NotSimulated for a key that the context don't know.

        A key the request doesn't have meets `ForAllValues` and nothing else. A multivalued key without a set
        operator meets nothing here: AWS calls that combination unsupported.
        """
        if self.key not in context:
            raise NotSimulated(f"condition key {self.key}")
        value = context[self.key]()
        meets = OPERATORS[self.operator]
        if not self.quantifier:
            return isinstance(value, str) and any(meets(value, wanted) for wanted in self.values)
        values = (value,) if isinstance(value, str) else value or ()
        return _SET_OPERATORS[self.quantifier](
            any(meets(one, wanted) for wanted in self.values) for one in values
        )


def read(block: Any) -> tuple[Condition, ...]:
    """The conditions of a statement; ValueError for what isn't a condition block.

    NotSimulated for an operator or a policy variable that isn't.
    """
    if not isinstance(block, dict):
        raise ValueError("a Condition is an object")
    return tuple(
        _condition(operator, key, values) for operator, keys in block.items() for key, values in _items(keys)
    )


def like(pattern: str, text: str) -> bool:
    """Whether the text fits a pattern with `*` and `?`."""
    return _regex(pattern).fullmatch(text) is not None


def _condition(operator: str, key: str, values: Any) -> Condition:
    quantifier, _, name = operator.rpartition(":")
    if name not in OPERATORS or (quantifier and (quantifier not in _SET_OPERATORS or name == "Bool")):
        raise NotSimulated(f"condition operator {operator}")
    wanted = values if isinstance(values, list) else [values]
    if not all(isinstance(one, (str, bool)) for one in wanted):
        raise ValueError(f"the values of {key} are strings")
    texts = tuple(one if isinstance(one, str) else str(one).lower() for one in wanted)
    if any("${" in one for one in texts):
        raise NotSimulated(f"policy variables, in the values of {key}")
    return Condition(quantifier, name, key.lower(), texts)


def _items(keys: Any) -> Any:
    if not isinstance(keys, dict):
        raise ValueError("a condition operator has an object of keys")
    return keys.items()


@lru_cache(maxsize=4096)
def _regex(pattern: str) -> re.Pattern[str]:
    parts = ({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in pattern)
    return re.compile("".join(parts), re.DOTALL)

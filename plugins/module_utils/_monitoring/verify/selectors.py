# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the event selectors of a trail log the calls that change something in a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

# The fields of such a call that are known beforehand (CloudTrail API Reference, AdvancedFieldSelector).
_CHANGE = {"eventCategory": "Management", "eventType": "AwsApiCall", "readOnly": "false"}
# The operators that select, of which one has to match, and those that deselect, of which none may match
# (CloudTrail User Guide, "How CloudTrail evaluates multiple conditions for a field").
_SELECTING: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}
_DESELECTING = {f"Not{name}": matches for name, matches in _SELECTING.items()}


def logs_changes(selectors: Mapping[str, Any], source: str) -> bool | None:
    """Whether calls that change something in a service are logged.

    ``selectors`` is the answer to GetEventSelectors, ``source`` the service, such as ``kms.amazonaws.com``.
    It is None if it depends on the call, or if the answer has no selectors, as the answer of a proxy.
    """
    answers = {
        *(_is_selected(selector, source) for selector in selectors.get("EventSelectors") or ()),
        *(
            _is_selected_by_fields(selector, source)
            for selector in selectors.get("AdvancedEventSelectors") or ()
        ),
    }
    if True in answers or not answers:
        return True if answers else None
    return None if None in answers else False


def _is_selected(selector: Mapping[str, Any], source: str) -> bool:
    """Whether a basic selector logs changes; the defaults are those of botocore's shape EventSelector."""
    return (
        selector.get("IncludeManagementEvents", True)
        and selector.get("ReadWriteType", "All") != "ReadOnly"
        and source not in selector.get("ExcludeManagementEventSources", ())
    )


def _is_selected_by_fields(selector: Mapping[str, Any], source: str) -> bool | None:
    """Whether an advanced selector logs changes, because all its fields match; None if it depends."""
    event = {**_CHANGE, "eventSource": source}
    answers = [
        _matches(field, event.get(field.get("Field", ""))) for field in selector.get("FieldSelectors", ())
    ]
    if False in answers:
        return False
    return None if None in answers or not answers else True


def _matches(field: Mapping[str, Sequence[str]], value: str | None) -> bool | None:
    if value is None:
        return None
    if _has_match(field, _DESELECTING, value):
        return False
    is_selecting = any(field.get(name) for name in _SELECTING)
    return not is_selecting or _has_match(field, _SELECTING, value)


def _has_match(
    field: Mapping[str, Sequence[str]], operators: Mapping[str, Callable[[str, str], bool]], value: str
) -> bool:
    return any(
        matches(value, operand) for name, matches in operators.items() for operand in field.get(name) or ()
    )

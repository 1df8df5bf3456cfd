# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Members of AWS's responses that botocore's models do not require.

Botocore omits each member that the answer lacks, lists included (botocore.parsers, ``_handle_structure`` of
``BaseXMLResponseParser`` and ``BaseJSONParser``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from .errors import ClientError, IncompleteAnswer, code_of

Answer = TypeVar("Answer")


def require_member(answer: Mapping[str, Any], member: str, operation: str) -> Any:
    """Return a member of an answer or of an item in it. Without it, the answer says nothing.

    Raises:
        IncompleteAnswer: the answer lacks it.
    """
    if member not in answer:
        raise IncompleteAnswer(operation, member)
    return answer[member]


def unless_gone(request: Callable[[], Answer], gone: Collection[str]) -> Answer | None:
    """Return the answer of a request about something that was listed; None for a code of ``gone``.

    The codes say that it does not exist: it was deleted since it was listed. Other errors are botocore's.
    """
    try:
        return request()
    except ClientError as exception:
        if code_of(exception) not in gone:
            raise
    return None

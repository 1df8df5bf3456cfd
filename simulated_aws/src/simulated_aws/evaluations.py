# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of authorization requests: which actions on which resources policies were evaluated for.

It imports nothing of moto at runtime, so that clients can import it quickly.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .settings import SETTINGS

if TYPE_CHECKING:
    from .iam.condition_keys import Value
    from .iam.policies import PolicyDecision, Request


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One authorization request, and whether the principal's identity-based policies allow it.

    `principal` is the ARN of the user, or of the role of a session. `context` has the condition keys that
    have a value, in lower case.
    """

    principal: str
    action: str
    resource: str
    context: dict[str, Value]
    allowed: bool

    @classmethod
    def read(cls, view: dict[str, Any]) -> Evaluation:
        """The evaluation of a JSON object, in which the values of a multivalued key are a list."""
        context = {key: tuple(one) if isinstance(one, list) else one for key, one in view["context"].items()}
        return cls(**{**view, "context": context})


class Evaluations:
    """The evaluations since the last reset, made while the setting `record_authorizations` was on."""

    def __init__(self) -> None:
        self._entries: list[Evaluation] = []

    def add(self, request: Request, decision: PolicyDecision) -> None:
        """Record an evaluation if the setting is on."""
        if SETTINGS.record_authorizations:
            allowed = decision.allows and not decision.denies
            principal, action, resource, _ = request
            self._entries.append(Evaluation(principal.arn, action, resource, _values(request), allowed))

    def view(self) -> list[dict[str, Any]]:
        """All evaluations as JSON objects, in their order."""
        return [asdict(one) for one in self._entries]

    def clear(self) -> None:
        """Delete all."""
        self._entries.clear()


def _values(request: Request) -> dict[str, Value]:
    # A prefix such as `aws:resourcetag/` stands for keys without a value.
    values = {key: read() for key, read in request.context.items() if not key.endswith("/")}
    return {key: value for key, value in values.items() if value is not None}


EVALUATIONS = Evaluations()
"""The only instance: iam.identity_policies adds to it, and the control API returns it."""

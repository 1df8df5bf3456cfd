# SPDX-License-Identifier: GPL-3.0-or-later
"""Dry runs of cryptographic operations: whether the caller is authorized (KMS Developer Guide, Testing your
permissions).

With the modifier IGNORE_CIPHERTEXT a request needs no ciphertext, but the ID of the key
(botocore shapes DecryptRequest and ReEncryptRequest, DryRunModifiers, KeyId).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from ..exceptions import NotSimulated
from ..http.fast_path import FastPathRequest
from . import dispatch
from .actions.registry import Action, Caller, authorize
from .errors import dry_run, not_valid


def answer(name: str, request: FastPathRequest) -> tuple[int, bytes] | None:
    """Handle a dry run of one of ACTIONS; None for a request that is not a dry run."""
    return dispatch.answer(name, request, ACTIONS) if request.params.get("DryRun") else None


def _use(*needs: tuple[str, str]) -> Callable[[Caller, dict[str, Any]], NoReturn]:
    """A dry run that requires permissions, each with the name of the parameter that holds the key."""

    def act(caller: Caller, params: dict[str, Any]) -> NoReturn:
        for permission, parameter in needs:
            if parameter not in params:
                raise not_valid(f"{parameter} is required")
            tokens = params.get("GrantTokens", ())
            authorize(caller, permission, params[parameter], alias_allowed=True, grant_tokens=tokens)
        raise dry_run()

    return act


def _without_ciphertext(use: Callable[[Caller, dict[str, Any]], NoReturn]) -> Action:
    def act(caller: Caller, params: dict[str, Any]) -> NoReturn:
        if "IGNORE_CIPHERTEXT" not in params.get("DryRunModifiers", ()):
            raise NotSimulated("a dry run with a ciphertext")
        use(caller, params)

    return act


ACTIONS: dict[str, Action] = {
    "Decrypt": _without_ciphertext(_use(("Decrypt", "KeyId"))),
    "Encrypt": _use(("Encrypt", "KeyId")),
    "GenerateDataKey": _use(("GenerateDataKey", "KeyId")),
    "GenerateDataKeyWithoutPlaintext": _use(("GenerateDataKeyWithoutPlaintext", "KeyId")),
    "ReEncrypt": _without_ciphertext(
        _use(("ReEncryptFrom", "SourceKeyId"), ("ReEncryptTo", "DestinationKeyId"))
    ),
}

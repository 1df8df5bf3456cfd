# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for KMS, with authorization for the actions that moto implements."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from moto.kms.responses import KmsResponse
from moto.kms.utils import KEY_ID_LEN

from ..exceptions import NotSimulated
from ..iam.current_principal import current_principal
from . import keys, state
from .actions.registry import Caller, authorize
from .errors import KmsError, not_valid

# KMS Developer Guide, AWS KMS permissions: requests that only the key's own account can make.
MANAGEMENT = frozenset(
    {
        *("CancelKeyDeletion", "DisableKey", "DisableKeyRotation", "EnableKey", "EnableKeyRotation"),
        *("ListKeyPolicies", "ListResourceTags", "ReplicateKey", "RotateKeyOnDemand"),
        *("ScheduleKeyDeletion", "TagResource", "UntagResource", "UpdateKeyDescription"),
    }
)
TARGETS = frozenset({"CreateAlias", "UpdateAlias"})
ALIAS_PREFIX, RESERVED_PREFIX = "alias/", "alias/aws/"
USES = frozenset(
    {
        *("Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateMac"),
        *("GetKeyRotationStatus", "GetPublicKey", "ListKeyRotations", "Sign", "Verify", "VerifyMac"),
    }
)
"""Operations that other accounts can call too, which is not simulated."""
WITHOUT_ALIAS = frozenset({*MANAGEMENT, *TARGETS, "GetKeyRotationStatus", "ListKeyRotations"})
"""Operations whose key is a key ID or key ARN (botocore shapes of their requests, KeyId and TargetKeyId)."""
WITHOUT_KEY = frozenset({"GenerateRandom", "ListAliases", "ListKeys"})


class RequiredPermission(NamedTuple):
    """A permission that a request needs on a key; `name` is the value of `parameter`, if that is set."""

    permission: str
    parameter: str
    name: str
    is_use: bool


class StrictKmsResponse(KmsResponse):
    """Passes a request to moto if the caller is authorized."""

    def call_action(self) -> Any:
        """Call moto, or return an error of KMS."""
        caller = Caller(current_principal(self.current_account), self.region)
        self._key_ids: dict[str, str] = {}
        try:
            with state.LOCK:
                for need in _required_permissions(self._get_action(), json.loads(self.body or "{}")):
                    self._key_ids[need.parameter] = _require(caller, need)
        except KmsError as error:
            body = json.dumps({"__type": error.code, "message": error.message})
            return error.status, {"status": str(error.status)}, body
        return super().call_action()

    def _get_param(self, param_name: str, if_none: Any = None) -> Any:
        """A parameter; for a key its ID, because some of moto's actions crash on an ARN."""
        value = super()._get_param(param_name, if_none)
        return self._key_ids.get(param_name, value) if value else value


def _require(caller: Caller, need: RequiredPermission) -> str:
    """Check a permission; return the ID of the key."""
    alias_allowed = need.permission not in WITHOUT_ALIAS
    if need.is_use:
        account_id = caller.principal.account_id
        found = keys.refer(account_id, caller.region, need.name, alias_allowed=alias_allowed)
        if found.account_id != account_id:
            raise NotSimulated(f"{need.permission} with a key of another account")
    key = authorize(caller, need.permission, need.name, alias_allowed=alias_allowed, cross_account=False).key
    return str(key.id)


def _required_permissions(action: str, params: dict[str, Any]) -> Iterator[RequiredPermission]:
    """The permissions that the request needs."""
    if action in MANAGEMENT:
        yield RequiredPermission(action, "KeyId", params["KeyId"], False)
    elif action == "DeleteAlias":
        _require_alias_name(params["AliasName"])
        yield RequiredPermission(action, "", params["AliasName"], False)
    elif action in TARGETS:
        _require_alias_name(params["AliasName"])
        _require_no_alias(params["TargetKeyId"])
        yield RequiredPermission(action, "TargetKeyId", params["TargetKeyId"], False)
    elif action in USES:
        yield RequiredPermission(action, "KeyId", params["KeyId"], True)
    elif action == "Decrypt":
        yield RequiredPermission(
            action, "KeyId", params.get("KeyId") or _key_of(params["CiphertextBlob"]), True
        )
    elif action == "ReEncrypt":
        source = params.get("SourceKeyId") or _key_of(params["CiphertextBlob"])
        yield RequiredPermission("ReEncryptFrom", "SourceKeyId", source, True)
        yield RequiredPermission("ReEncryptTo", "DestinationKeyId", params["DestinationKeyId"], True)
    elif action not in WITHOUT_KEY:
        raise NotSimulated(action)


def _require_alias_name(name: str) -> None:
    """Reject a name that is no alias of a customer managed key.

    AWS's message for the prefix is reported in aws-controllers-k8s/community#1878; for reserved names the
    code is moto's (botocore shape CreateAliasRequest, AliasName).
    """
    if not name.startswith(ALIAS_PREFIX):
        raise not_valid(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name.startswith(RESERVED_PREFIX):
        raise KmsError("NotAuthorizedException", "")


def _require_no_alias(target: str) -> None:
    """Reject an alias as the target of an alias; the message is moto's."""
    if target.rpartition(":")[2].startswith(ALIAS_PREFIX):
        raise not_valid("Aliases must refer to keys. Not aliases")


def _key_of(blob: str) -> str:
    """The ID of the key in a ciphertext, in moto's format."""
    try:
        return base64.b64decode(blob)[:KEY_ID_LEN].decode("ascii")
    except ValueError as foreign:
        raise KmsError("InvalidCiphertextException", "") from foreign

# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for STS, with the checks of AssumeRole."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from moto.core.exceptions import AccessDeniedError
from moto.core.utils import utcnow
from moto.iam.models import Role
from moto.sts.exceptions import STSValidationError
from moto.sts.models import AssumedRole
from moto.sts.responses import TokenResponse

from ..ec2.regions import opt_in_status
from ..exceptions import NotSimulated
from ..http.protocols import ApiError, Protocol
from ..iam import principals
from ..iam.current_principal import current_principal
from ..iam.principals import Principal
from ..settings import SETTINGS
from .trust_policies import trusts

SHORTEST, LONGEST, LONGEST_CHAINED = 900, 43_200, 3_600
"""Session duration in seconds, the last with role chaining (STS API Reference, AssumeRole)."""

# botocore shape AssumeRoleRequest.
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_NOT_SIMULATED = ("Policy", "PolicyArns", "SerialNumber", "SourceIdentity", "Tags", "TransitiveTagKeys")


class StrictTokenResponse(TokenResponse):
    """Checks who can assume a role; the other operations are moto's."""

    def assume_role(self) -> Any:
        """AssumeRole, if the trust policy and the caller's own policies allow it."""
        caller = current_principal(self.current_account)
        if caller.is_root:
            return self._error("AccessDenied", "Roles may not be assumed by root accounts.")
        for name in _NOT_SIMULATED:
            if self._get_param(name):
                raise NotSimulated(f"parameter {name}")
        self._require_valid("roleSessionName", self._get_param("RoleSessionName"), _SESSION_NAME)
        external_id = self._get_param("ExternalId")
        if external_id is not None:
            self._require_valid("externalId", external_id, _EXTERNAL_ID)
        arn = self._get_param("RoleArn")
        found = principals.find(arn)
        role = principals.identity(found) if found is not None and not found.session else None
        if not isinstance(role, Role) or not trusts(role, caller, external_id):
            raise AccessDeniedError(caller.caller_arn, f"sts:AssumeRole on resource: {arn}")
        self._require_duration(caller, role)
        if opt_in_status(self.region, role.account_id) == "not-opted-in":
            # botocore shape RegionDisabledException: for the account that is asked for credentials.
            return self._error(
                "RegionDisabledException",
                f"STS is not activated in this region for account:{role.account_id}. Your account "
                "administrator can activate STS in this region using the IAM Console.",
            )
        answer = super().assume_role()
        _shorten(answer.result["Credentials"])  # type: ignore[index]
        return answer

    def _require_duration(self, caller: Principal, role: Role) -> None:
        seconds = self._get_int_param("DurationSeconds", LONGEST_CHAINED)
        if not SHORTEST <= seconds <= LONGEST:
            raise STSValidationError(f"DurationSeconds must be from {SHORTEST} to {LONGEST}, not {seconds}")
        if caller.session and seconds > LONGEST_CHAINED:
            limit = "the 1 hour session limit for roles assumed by role chaining."
            raise STSValidationError(f"The requested DurationSeconds exceeds {limit}")
        if seconds > int(role.max_session_duration or LONGEST_CHAINED):
            message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            raise STSValidationError(message)

    @staticmethod
    def _require_valid(name: str, value: str, pattern: re.Pattern[str]) -> None:
        if not pattern.fullmatch(value):
            raise STSValidationError(
                f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
                f"Member must satisfy regular expression pattern: {pattern.pattern}"
            )

    @staticmethod
    def _error(code: str, message: str) -> Any:
        response = ApiError(code, message, 403).response(Protocol.QUERY, "")
        return (
            response.status,
            {"status": str(response.status), **dict(response.headers)},
            response.body.decode(),
        )


def _shorten(session: AssumedRole) -> None:
    """Let a session expire after its duration times the setting."""
    now = utcnow()
    left: timedelta = session.expiration - now
    session.expiration = now + SETTINGS.session_seconds_factor * left

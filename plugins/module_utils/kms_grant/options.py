# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_kms_grant``, checked and turned into values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..arguments import CONSUMER_ROLE_SPEC, CONSUMERS_SPEC, IMAGES_SPEC, Options
from ..keys.grants import AUTO_SCALING_ROLE, OPERATIONS
from ..wording import shown
from .state import GrantWanted

ARGUMENT_SPEC: dict[str, Any] = {
    **IMAGES_SPEC,
    **CONSUMERS_SPEC,
    **CONSUMER_ROLE_SPEC,
    "kms_key_ids": {"type": "dict", "no_log": False},
    "principals": {"type": "list", "elements": "str", "default": []},
    "org_ids": {"type": "list", "elements": "str", "default": []},
    "org_unit_ids": {"type": "list", "elements": "str", "default": []},
    "operations": {"type": "list", "elements": "str", "default": []},
    "access_method": {"type": "str", "choices": ["auto", "grant", "key_policy"], "default": "auto"},
    "auto_scaling": {"type": "bool", "default": False},
    "auto_scaling_roles": {"type": "list", "elements": "str", "default": [AUTO_SCALING_ROLE]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge_grants": {"type": "bool", "default": False},
    "unshared_image_ids": {"type": "list", "elements": "str", "default": []},
    "revoke_in_use": {"type": "bool", "default": False},
    "best_effort_regions": {"type": "list", "elements": "str", "default": []},
}

# IAM API Reference, patterns of RoleName and path, without the wildcards that no principal can contain (IAM
# User Guide, "AWS JSON policy elements: Principal"). The names of sessions: botocore shapes
# roleSessionNameType and userNameType of STS. Grants and policies can name both (botocore shape
# CreateGrantRequest, GranteePrincipal).
_CHARACTER = r"[A-Za-z0-9_+=,.@-]"
_NAME, _SESSION, _FEDERATED = f"{_CHARACTER}+", f"{_CHARACTER}{{2,64}}", f"{_CHARACTER}{{2,32}}"
_PATH = r"(?:(?!\.{1,2}/)[!-)+-.0->@-~]+/)*"
_PRINCIPAL = re.compile(
    rf"arn:aws[a-z-]*:(iam::[0-9]{{12}}:(role|user)/{_PATH}{_NAME}"
    rf"|sts::[0-9]{{12}}:(assumed-role/{_NAME}/{_SESSION}|federated-user/{_FEDERATED}))"
)
# botocore shape PrincipalIdType.
_LONGEST_GRANTEE = 256
# IAM API Reference, CreateServiceLinkedRole, CustomSuffix, and the longest name of a role.
_AUTO_SCALING_ROLE = re.compile(rf"(?=.{{1,64}}$){AUTO_SCALING_ROLE}(?:_{_CHARACTER}+)?")
# Organizations API Reference, patterns of the Id of Organization and of OrganizationalUnit.
_ORG_ID = re.compile(r"o-[a-z0-9]{10,32}")
_ORG_UNIT_ID = re.compile(r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
# KMS Developer Guide, "Grant operations", for symmetric encryption keys.
_POSSIBLE_OPERATIONS = OPERATIONS | {
    "Encrypt",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "RetireGrant",
}


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> GrantWanted:
    """The checked options.

    Raises:
        Refused: with every option that is not valid.
    """
    options = Options(params, allows_planned=check_mode)
    keys = _keys(options, params["kms_key_ids"] or {})
    consumers = options.consumers()
    principals = options.matching("principals", _PRINCIPAL, "arn:aws:iam::111122223333:role/deploy")
    _check_grantees(options, params, principals)
    by_image = params["images"] is not None or params["image_id"] is not None
    wanted = GrantWanted(
        images=options.images() if by_image else {},
        kms_key_ids=keys,
        account_ids=consumers.account_ids,
        principals=frozenset(principals),
        org_arns=consumers.org_arns,
        org_unit_arns=consumers.org_unit_arns,
        org_ids=frozenset(_ids(options, "org_ids", _ORG_ID, "o-a1b2c3d4e5")),
        org_unit_ids=frozenset(_ids(options, "org_unit_ids", _ORG_UNIT_ID, "ou-ab12-11111111")),
        operations=frozenset(options.strings("operations")) or OPERATIONS,
        access_method=params["access_method"],
        present=params["state"] == "present",
        purge=params["purge_grants"],
        unshared_image_ids=frozenset(
            options.image_id("unshared_image_ids", one) for one in options.strings("unshared_image_ids")
        ),
        revoke_in_use=params["revoke_in_use"],
        auto_scaling=params["auto_scaling"],
        auto_scaling_roles=_auto_scaling_roles(options),
        consumer_role=options.consumer_role(),
        best_effort_regions=frozenset(options.regions("best_effort_regions")),
    )
    if unknown := sorted(wanted.operations - _POSSIBLE_OPERATIONS):
        options.refuse(
            "operations",
            f"{', '.join(unknown)} is not a valid grant operation for a symmetric encryption key.",
            f"Valid operations are {', '.join(sorted(_POSSIBLE_OPERATIONS))}.",
        )
    _check_combination(options, wanted, by_image)
    options.check()
    return wanted


def _keys(options: Options, given: Mapping[str, Any]) -> dict[str, str | None]:
    """The keys by region; a failure for each that is not a text."""
    keys = {options.region("kms_key_ids", region): key for region, key in given.items()}
    for region, key in keys.items():
        if key is not None and not isinstance(key, str):
            options.refuse(
                "kms_key_ids",
                f"{shown(key)} is not a valid key for {region}.",
                "Use a key ID, an ARN or an alias such as alias/golden.",
            )
    return keys


def _check_combination(options: Options, wanted: GrantWanted, by_image: bool) -> None:
    """Add a failure for each option that does not go with the others."""
    if wanted.access_method == "grant" and (wanted.org_arns or wanted.org_unit_arns):
        options.refuse(
            "access_method",
            "a grant cannot name an organization or organizational unit.",
            "Use access_method: auto, which names them in the key policy.",
        )
    if wanted.present and wanted.auto_scaling and not (wanted.consumer_role and wanted.account_ids):
        options.refuse(
            "auto_scaling",
            "each account itself must create the grant for its Auto Scaling role.",
            "Set account_ids, and consumer_role_name to a role in them that may call kms:CreateGrant.",
        )
    by_id = wanted.org_ids or wanted.org_unit_ids
    if by_id and wanted.present:
        options.refuse(
            "org_ids" if wanted.org_ids else "org_unit_ids",
            "access can be granted only by full ARN, an ID only revokes it.",
            "Set state: absent, or use the full ARN in org_arns or org_unit_arns.",
        )
    named = wanted.account_ids or wanted.principals or wanted.org_arns or wanted.org_unit_arns or by_id
    if not named and not (wanted.present and not wanted.purge):
        options.refuse("account_ids", "no consumer is set.", "Set the consumers that keep or lose access.")
    if wanted.purge and not wanted.present:
        options.refuse("purge_grants", "it cannot be combined with state: absent.", "Remove one of them.")
    if not by_image and not wanted.kms_key_ids:
        options.refuse("kms_key_ids", "no region is set.", "Map each region to its key, or use images.")


def _auto_scaling_roles(options: Options) -> frozenset[str]:
    """The names of service-linked roles for Auto Scaling."""
    names = options.strings("auto_scaling_roles")
    for name in names:
        if not _AUTO_SCALING_ROLE.fullmatch(name):
            options.refuse(
                "auto_scaling_roles",
                f"{shown(name)} is not the name of a service-linked role for Auto Scaling.",
                f"Use {AUTO_SCALING_ROLE}, or a name with a suffix such as {AUTO_SCALING_ROLE}_web.",
            )
    if not names:
        options.refuse(
            "auto_scaling_roles", "must contain at least one role (got []).", f"Add {AUTO_SCALING_ROLE}."
        )
    return frozenset(names)


def _check_grantees(options: Options, params: Mapping[str, Any], principals: Iterable[str]) -> None:
    """Add a failure for each principal that is too long for a grant, if grants are created."""
    if params["state"] == "absent" or params["access_method"] == "key_policy":
        return
    for principal in principals:
        if len(principal) > _LONGEST_GRANTEE:
            options.refuse(
                "principals",
                f"{shown(principal)} has {len(principal)} characters; a grant can name {_LONGEST_GRANTEE}.",
                "Use access_method: key_policy, or a role with a shorter path.",
            )


def _ids(options: Options, option: str, pattern: re.Pattern[str], example: str) -> tuple[str, ...]:
    for text in options.strings(option):
        if not pattern.fullmatch(text):
            options.refuse(option, f"'{text}' is not a valid ID.", f"Use an ID like {example}.")
    return options.strings(option)

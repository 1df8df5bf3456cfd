# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether KMS refuses the account's role operations on the key that a launch needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ... import _denial as denial
from ..._finding import BlocksLaunch, Finding
from ..._keys.access import NEEDED, Access, Simulation
from ..._keys.simulation import permissions
from ..check import ACCOUNT, Cause, Check
from ..keys import KeyAccess, KeyEvidence
from ..refusals import (
    NOT_SIMULATED,
    is_allowed_through_ec2,
    is_explained,
    is_explicit,
    list_denied_through_ec2,
)

_KEY_ACCESS_DENIED = Cause(
    code="key_access_denied",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.BLOCKING,
    otherwise=BlocksLaunch.UNKNOWN,
    meaning=(
        "The key's owner allows the account to use the key, but an explicit deny in another policy denies it "
        "to the account's role."
    ),
    details=(
        "The policy is one of its account, its organization or the owner's organization. Unknown if it "
        "denies other operations than `Decrypt`, or if the owner may not allow it."
    ),
    remedy="Change the policy that the finding names",
)
_KEY_USE_DENIED = Cause(
    code="key_use_denied",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.BLOCKING,
    otherwise=BlocksLaunch.UNKNOWN,
    meaning="The policies of the account's role do not allow it to use the key, and not through EC2 either.",
    details=(
        "KMS denies it in direct calls, and IAM simulates the policies. Unknown if that is neither "
        "`CreateGrant` nor `Decrypt`."
    ),
    remedy="Give the role [an IAM policy](encrypted-images.md#what-the-consumers-have-to-do) there",
)
_LET_IAM_SETTLE_IT = (
    "Allow the role `iam:SimulatePrincipalPolicy` on itself, so that "
    "[IAM settles it](diagnosing.md#what-iam-simulates); give the role "
    "[an IAM policy](encrypted-images.md#what-the-consumers-have-to-do) there, or launch the image to be "
    "sure (`ami_launch_probe`)"
)
_DIRECT_USE_DENIED = Cause(
    code="direct_key_use_denied",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.UNKNOWN,
    meaning=(
        "KMS denies the account's role the use of the key in direct calls, though not by an explicit deny. "
        "EC2 may still be able to use it, if the role's policy allows it through EC2 only."
    ),
    details="So it may if the key's policy does (`kms:ViaService`).",
    remedy=_LET_IAM_SETTLE_IT,
)
_CREATE_GRANT_DENIED = Cause(
    code="create_grant_denied",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.UNKNOWN,
    meaning=(
        "The account's role cannot create grants on the key directly. EC2 may still be able to, if the "
        "role's policy allows it for AWS services only."
    ),
    details="So it may if the key's policy does (`kms:GrantIsForAWSResource`).",
    remedy=_LET_IAM_SETTLE_IT,
)
_ALLOW_IN_IAM = (
    "Allow it in an IAM policy of the role in that account; docs/encrypted-images.md has one. "
    "A service control policy, a permissions boundary, or a resource control policy of the key owner's "
    "organization may deny it, too. Only a launch shows whether it works (ami_launch_probe)."
)
_SIMULATE = "Or allow the role iam:SimulatePrincipalPolicy on itself, so that IAM can tell."


def _find(evidence: KeyEvidence) -> Iterator[Finding]:
    dry_run = evidence.dry_run
    if dry_run is None or not evidence.is_decided:
        return
    access, simulation = evidence.access, dry_run.simulation or NOT_SIMULATED
    refused = {
        item: message for item, message in sorted(dry_run.refused.items()) if _adds_information(access, item)
    }
    if denied := list_denied_through_ec2(refused, simulation):
        yield _report_denied_through_ec2(access, denied, simulation)
    elif refused and not is_explained(access, refused, simulation):
        yield _report_refusals(access, refused, simulation)


def _adds_information(access: KeyAccess, operation: str) -> bool:
    """Whether a refused dry run adds to the key's grants and policy, which do not deny it."""
    return access.is_own or all(
        access.decisions[item] is not Access.DENIED for item in permissions(operation)
    )


def _report_denied_through_ec2(access: KeyAccess, denied: list[str], simulation: Simulation) -> Finding:
    return _KEY_USE_DENIED.finding(
        f"KMS denies {', '.join(denied)} on {access.arn} to {simulation.principal}, whose policies, as IAM "
        "simulates them, do not allow it through EC2 either.",
        _ALLOW_IN_IAM,
        BlocksLaunch.BLOCKING if NEEDED & {*denied} else BlocksLaunch.UNKNOWN,
    )


def _report_refusals(access: KeyAccess, refused: Mapping[str, str], simulation: Simulation) -> Finding:
    """Return the finding about refused direct calls, which may be allowed through EC2."""
    others = [item for item in refused if item != "CreateGrant"]
    explicitly = {item: refused[item] for item in others if is_explicit(refused[item])}
    if explicitly and not is_explained(access, explicitly, simulation):
        return _report_explicit_denial(access, explicitly, simulation)
    if others:
        message = refused[others[0]]
        return _DIRECT_USE_DENIED.finding(
            f"KMS denies {', '.join(others)} on {access.arn} to the role in {access.account} when it calls "
            f"KMS directly{denial.describe(message)}. It may still be allowed through EC2 only "
            f"(kms:ViaService).{_explain_unknown(simulation)}",
            _advise(message, simulation),
        )
    message = refused["CreateGrant"]
    return _CREATE_GRANT_DENIED.finding(
        f"KMS denies CreateGrant on {access.arn} to the role in {access.account} when it calls KMS "
        f"directly{denial.describe(message)}. It may still be allowed for AWS services only "
        f"(kms:GrantIsForAWSResource).{_explain_unknown(simulation)}",
        _advise(message, simulation),
    )


def _report_explicit_denial(access: KeyAccess, refused: Mapping[str, str], simulation: Simulation) -> Finding:
    needed = (permission for item in refused for permission in permissions(item))
    is_certain = all(access.decisions[item] is Access.ALLOWED for item in needed)
    # A policy that was not read may deny only direct calls.
    may_be_direct_only = is_allowed_through_ec2(refused, simulation)
    is_blocking = is_certain and "Decrypt" in refused and not may_be_direct_only
    message = next(iter(refused.values()))
    return _KEY_ACCESS_DENIED.finding(
        f"KMS denies {', '.join(refused)} on {access.arn} to the role in {access.account}"
        f"{denial.describe(message)}" + (", although the key's owner allows it." if is_certain else "."),
        _advise(message, simulation),
        BlocksLaunch.BLOCKING if is_blocking else BlocksLaunch.UNKNOWN,
    )


def _advise(message: str, simulation: Simulation) -> str:
    """Return the remedy of a refusal; without a simulation by IAM, with the permission for it."""
    cure = denial.remedy(message, _ALLOW_IN_IAM)
    return cure if simulation.problem is None else f"{cure} {_SIMULATE}"


def _explain_unknown(simulation: Simulation) -> str:
    """Return a sentence, after a space, on why IAM's simulation does not settle it; or nothing."""
    if simulation.problem is not None:
        return f" IAM could not simulate that: {simulation.problem}" if simulation.problem else ""
    return f" The policies of {simulation.principal} do not settle it, as IAM simulates them."


CHECK = Check(
    (_KEY_ACCESS_DENIED, _KEY_USE_DENIED, _DIRECT_USE_DENIED, _CREATE_GRANT_DENIED), find_of_key=_find
)

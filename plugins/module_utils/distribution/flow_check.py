# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_check``: checks the options of a distribution's later steps before its first step.

Each step checks its own options when it starts, which is after copies that can take hours. This module makes
the same checks at once, without AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .. import tags as tagging
from ..arguments import (
    CONSUMER_ROLE_SPEC,
    CONSUMERS_SPEC,
    IMAGES_BY_TARGET_SPEC,
    LAUNCH_SPEC,
    REGION,
    REPORT_SPEC,
    Options,
)
from ..copy.options import CopyOptions
from ..copy.request import MAX_NAME, name_for
from ..diagnose.options import DiagnosisOptions
from ..failures import Failure, Refused, invalid_option
from ..keys.encryption import Encryption, check_options
from ..kms_grant.options import GrantOptions
from ..launch_probe.options import ProbeOptions
from ..listing import listed
from ..model import Image
from ..parameter_names import is_named, name_in_arn
from ..publish.options import PublishOptions
from ..reports.flow import check_report_options
from ..runner import Flow, check_flow
from ..share.options import ShareOptions
from ..structure import TEXT, Null, Values, check_result
from ..verification.report import LEVELS
from ..wording import renamed, shown
from .parameters import parameters

# Accounts that a message names.
_NAMED = 3
# A step's check of its options, and its parameters.
Step = tuple[Callable[[Mapping[str, Any], bool], Any], dict[str, Any]]


def _optional(option: Mapping[str, Any]) -> dict[str, Any]:
    """An option of a step that the check does not require: the step may not run."""
    return {key: value for key, value in option.items() if key != "required"}


ARGUMENT_SPEC: dict[str, Any] = {
    **CONSUMERS_SPEC,
    **CONSUMER_ROLE_SPEC,
    **LAUNCH_SPEC,
    **{
        option: CopyOptions.argument_spec()[option]
        for option in (
            "source_image_id",
            "source_parameter",
            "source_filters",
            "source_owners",
            "source_region",
            "best_effort_regions",
            "name",
            "tags",
            "kms_key_id",
            "kms_key_ids",
            "reencrypt_source",
        )
    },
    "consumer_kms_key_id": CopyOptions.argument_spec()["kms_key_id"],
    "copy_wait_timeout": CopyOptions.argument_spec()["wait_timeout"],
    "shared_tags": ShareOptions.argument_spec()["shared_tags"],
    "share_snapshots": ShareOptions.argument_spec()["share_snapshots"],
    "purge_launch_permissions": ShareOptions.argument_spec()["purge_launch_permissions"],
    "principals": GrantOptions.argument_spec()["principals"],
    "access_method": GrantOptions.argument_spec()["access_method"],
    "auto_scaling": GrantOptions.argument_spec()["auto_scaling"],
    "auto_scaling_roles": GrantOptions.argument_spec()["auto_scaling_roles"],
    "purge_grants": GrantOptions.argument_spec()["purge_grants"],
    "parameter": _optional(PublishOptions.argument_spec()["parameter"]),
    "parameter_tags": PublishOptions.argument_spec()["parameter_tags"],
    "launch_templates": PublishOptions.argument_spec()["launch_templates"],
    "launch_template_base_version": PublishOptions.argument_spec()["launch_template_base_version"],
    "copy_into_accounts": {"type": "bool", "default": False},
    "verify_level": {"type": "str", "choices": ["none", *LEVELS], "default": "none"},
    "verify_images": IMAGES_BY_TARGET_SPEC["images"],
    "host_account_id": {"type": "str", "context": {"type": "account_id"}},
    "instance_type": ProbeOptions.argument_spec()["instance_type"],
    "verify_wait_timeout": ProbeOptions.argument_spec()["wait_timeout"],
    "regions": {**_optional(CopyOptions.argument_spec()["regions"]), "default": []},
    **REPORT_SPEC,
    "unshare_after_copy": {"type": "bool", "default": False},
    "planned_copies": {"type": "list", "elements": "dict"},
}
_PLANNED = [
    {
        "account_id": TEXT,
        "image_id": Null(TEXT),
        "kms_key_arn": Null(TEXT),
        "name": TEXT,
        "region": TEXT,
        "tags": Values(TEXT),
    }
]
_SOURCES = ("source_image_id", "source_parameter", "source_filters")
# In the place of the ID of a copy that does not exist yet: an ID of the length that new ones have.
_NEW_IMAGE = "ami-00000000000000000"
# The copies do not exist yet. In which regions they will be matters to some steps only.
_IMAGES: dict[str, Any] = {"images": {"us-east-1": None}}


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> None:
    """Check the options of all steps.

    Raises:
        Refused: with every option that a step would refuse.
    """
    failures: dict[Failure, None] = {}
    for check, step_params in _steps(params):
        # The images of the other steps are only planned, as in check mode.
        verified = params["verify_images"]
        is_planned = check_mode or verified is None or step_params.get("images") != verified
        try:
            check(step_params, is_planned)
        except Refused as refused:
            # Steps share options: a problem with a shared option is reported once.
            failures.update(dict.fromkeys(refused.failures))
    failures.update(
        dict.fromkeys(
            (
                *_missing(params),
                *_other_hosts_accounts(params),
                *_consumer_key(params),
                *check_report_options(params["report_path"], params["report_dir"]),
                *_copied_tags(params),
                *_planned(params),
            )
        )
    )
    if failures:
        raise Refused(failures)


def _missing(params: Mapping[str, Any]) -> Iterator[Failure]:
    """Options that another step's options require."""
    yield from _source(params)
    if params["launch_templates"] and not params["parameter"]:
        yield invalid_option(
            "launch_templates",
            f"launch_templates: {', '.join(params['launch_templates'])} can only get a published image, and "
            "the option parameter is not set.",
            "Set the parameter to publish the image in, or remove them.",
        )
    if params["copy_into_accounts"] and not params["account_ids"]:
        yield invalid_option(
            "account_ids",
            "account_ids: copy_into_accounts is true, and no account is set.",
            "List the accounts to copy the image into.",
        )
    if params["copy_into_accounts"] and not params["consumer_role_name"]:
        yield invalid_option(
            "consumer_role_name",
            "consumer_role_name: copy_into_accounts is true, and no role is set.",
            "Set a role that these credentials may assume in the accounts.",
        )
    if params["unshare_after_copy"] and not params["copy_into_accounts"]:
        yield invalid_option(
            "unshare_after_copy",
            "unshare_after_copy: without copy_into_accounts, no account would lose access.",
            "Set copy_into_accounts: true, or remove unshare_after_copy.",
        )
    # Only the owner itself can be verified without a role, and it is one account.
    if (
        params["verify_images"] is None
        and params["verify_level"] != "none"
        and not params["consumer_role_name"]
        and len(params["account_ids"]) > 1
    ):
        yield invalid_option(
            "verify_level",
            f"verify_level: {params['verify_level']} cannot be reached without consumer_role_name.",
            "Set a role that these credentials may assume in the accounts, or verify_level: none.",
        )


def _other_hosts_accounts(params: Mapping[str, Any]) -> Iterator[Failure]:
    """Accounts of a host that is one of several and has its own: each would verify those of all.

    Probes of the same image in an account terminate each other's instances.
    """
    own = params["host_account_id"]
    others = [one for one in Options(params).account_ids("account_ids") if own not in (None, one)]
    if others and params["verify_level"] != "none":
        yield invalid_option(
            "account_ids",
            f"account_ids: the account_id of this host is {own}, and every host of the play would verify "
            f"{listed(others, _NAMED)}.",
            "Remove it: each host verifies the account of its account_id."
            if params["verify_images"] is not None
            else "Run the distribution in a play with one host (localhost), or set verify_level: none.",
        )


def _copied_tags(params: Mapping[str, Any]) -> tuple[Failure, ...]:
    """More tags than a copy can have, once it is shared; the source has no tags of this collection."""
    if set(params["regions"]) <= {params["source_region"]} and not params["reencrypt_source"]:
        return ()
    mark = [tagging.SOURCE_TAG, *([tagging.KEY_TAG] if params["kms_key_id"] else [])]
    return _shared_tags(params, {**(params["tags"] or {}), **dict.fromkeys(mark, "")})


def _shared_tags(params: Mapping[str, Any], tags: Mapping[str, str]) -> tuple[Failure, ...]:
    """The refusal if an image with these tags cannot get the shared ones, too."""
    shared = {f"{tagging.SHARED_PREFIX}{key}": value for key, value in (params["shared_tags"] or {}).items()}
    return tagging.check_tag_count("shared_tags", {**tags, **shared}) if shared else ()


def _planned(params: Mapping[str, Any]) -> Iterator[Failure]:
    """What is impossible with the planned copies: with their owner, encryption, tags, or names."""
    planned = params["planned_copies"]
    if wrong := check_result("planned_copies", planned, Null(_PLANNED), "ami_copy_regions"):
        yield from wrong
        return
    owners = {one["account_id"] for one in planned or ()}
    yield from _overwritten(params, owners)
    others = sorted({*Options(params).account_ids("account_ids")} - owners) if owners else []
    if others and params["verify_level"] != "none" and not params["consumer_role_name"]:
        yield invalid_option(
            "verify_level",
            f"verify_level: {params['verify_level']} cannot be reached without consumer_role_name, because "
            f"accounts other than that of the credentials, {', '.join(sorted(owners))}, will be verified: "
            f"{listed(others, _NAMED)}.",
            "Set a role that these credentials may assume in the accounts, or verify_level: none.",
        )
    for one in planned or ():
        yield from (replace(failure, region=one["region"]) for failure in _shared_tags(params, one["tags"]))
    encrypted = sorted({one["region"] for one in planned or () if one["kms_key_arn"] and not one["image_id"]})
    if encrypted and params["copy_into_accounts"] and not params["consumer_kms_key_id"]:
        yield invalid_option(
            "consumer_kms_key_id",
            f"consumer_kms_key_id: it is not set, and the copies in {', '.join(encrypted)} will be "
            "encrypted: AWS would use the accounts' default key, usually aws/ebs.",
            "Set the alias of a customer managed key, which each account has in each region.",
        )
    if others and params["copy_into_accounts"] and params["name"]:
        for one in planned:
            yield from _consumer_name(params["name"], one)


def _consumer_name(template: str, planned: Mapping[str, Any]) -> Iterator[Failure]:
    """The refusal if the accounts' copies of a planned copy would have a name that is too long.

    The names of copies of an image that exists are checked when the accounts' copies are looked up.
    """
    copy_of = Image(_NEW_IMAGE, planned["name"], planned["account_id"], "available")
    name = name_for(CopyOptions(name=template), copy_of, planned["region"])
    if planned["image_id"] is None and len(name) > MAX_NAME:
        yield invalid_option(
            "name",
            f"name: the copies in the accounts would have a name of {len(name)} characters: there, "
            "{source_name} and {source_image_id} are those of the owner's copy.",
            f"Shorten it: a name can have {MAX_NAME} characters.",
            planned["region"],
        )


def _source(params: Mapping[str, Any]) -> Iterator[Failure]:
    """The source: exactly one option selects it, if there are copies at all."""
    given = [option for option in _SOURCES if params[option]]
    if not given and params["source_region"] is not None:
        yield invalid_option(
            "source_image_id",
            f"source_image_id: one of {', '.join(_SOURCES)} is required.",
            "Set one of them.",
        )
    for option in given[1:]:
        yield invalid_option(
            option,
            f"{option}: it cannot be combined with {given[0]} (got {shown(params[option])}).",
            "Remove one of them.",
        )
    yield from _overwritten(params, ())


def _overwritten(params: Mapping[str, Any], accounts: Iterable[str]) -> Iterator[Failure]:
    """The source's parameter, which would get its encrypted copy.

    Its ARN may be that of a parameter of one of the ``accounts`` that will own the copies.
    """
    source, published, region = params["source_parameter"], params["parameter"], params["source_region"]
    if not (source and published and params["reencrypt_source"] and region in params["regions"]):
        return
    by_arn = (name_in_arn(source, account_id, region) for account_id in accounts)
    if source == published or any(is_named(published, name) for name in by_arn):
        yield invalid_option(
            "parameter",
            f"parameter: {published} is also source_parameter, so that the next run would use the "
            "encrypted copy as its source.",
            "Publish in another parameter, or set reencrypt_source: false.",
        )


def _consumer_key(params: Mapping[str, Any]) -> Iterator[Failure]:
    """The key of the consumers' copies, each of which is in the region of its key."""
    if params["copy_into_accounts"] and params["consumer_kms_key_id"]:
        encryption = Encryption(key=params["consumer_kms_key_id"])
        for failure in check_options(encryption, Options(params).strings("regions")):
            named = renamed(failure, {"kms_key_id": "consumer_kms_key_id"})
            yield replace(named, action="consumer_kms_key_id")


def _steps(params: Mapping[str, Any]) -> Iterator[Step]:
    """The steps that these options ask for."""
    given = {**params, **_IMAGES, "kms_key_ids": None}
    images = params["verify_images"]
    regions = Options(params).strings("regions")
    # The copies refuse a region that is not valid.
    planned = dict.fromkeys(region for region in regions if REGION.fullmatch(region)) or _IMAGES["images"]
    if params["source_region"] is not None:
        copies = {**params, "wait_timeout": params["copy_wait_timeout"], "account_ids": []}
        # An empty mapping of a role's variable is an option that is not set.
        filters = params["source_filters"] or None
        yield CopyOptions.read, parameters(CopyOptions.argument_spec(), {**copies, "source_filters": filters})
    yield ShareOptions.read, parameters(ShareOptions.argument_spec(), given)
    yield GrantOptions.read, parameters(GrantOptions.argument_spec(), given)
    if params["parameter"]:
        # Its regions are those of a rollback, not those of the distribution.
        published = {**given, "regions": [], "images": planned}
        yield PublishOptions.read, parameters(PublishOptions.argument_spec(), published)
    if params["verify_level"] != "none":
        of_images = given if images is None else {**given, "images": images}
        yield DiagnosisOptions.read, parameters(DiagnosisOptions.argument_spec(), of_images)
    if params["verify_level"] == "launched":
        of_launch = {"images": planned if images is None else images}
        timeout = {"wait_timeout": params["verify_wait_timeout"]}
        yield (
            ProbeOptions.read,
            parameters(ProbeOptions.argument_spec(), {**given, **of_launch, **timeout}),
        )


FLOW: Flow[None, None] = check_flow(wanted_from)

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_check``: checks the options of a distribution's later steps before its first step.

Each step checks its own options when it starts, which is after copies that can take hours. This module makes
the same checks at once, without AWS; only to find the bucket that the report is uploaded to, it calls S3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import _tags as tagging
from .._copy.options import CopyOptions
from .._copy.request import MAX_NAME, name_for
from .._failures import Failure, ValidationError, invalid_option
from .._listing import join_texts
from .._model import Image
from .._parameter_names import is_named, name_in_arn
from .._reports.flow import check_report_options
from .._runner import Flow, check_flow
from .._wording import render_value
from .options_check import DistributionOptions, Steps
from .read_steps import read_steps

if TYPE_CHECKING:
    from .._aws.clients import Clients

# Accounts that a message names.
_NAMED = 3
_SOURCES = ("source_image_id", "source_parameter", "source_filters")
# In the place of the ID of a copy that does not exist yet: an ID of the length that new ones have.
_NEW_IMAGE = "ami-00000000000000000"


def read_state(clients: Clients | None, options: DistributionOptions) -> None:
    """Check the options, and look for the bucket of the report.

    Raises:
        ValidationError: a step would refuse an option, or there is no such bucket.
    """
    steps = read_steps(options)
    # Keys only: steps share options, and refuse the same.
    failures = dict.fromkeys(check(options, steps))
    if failures:
        raise ValidationError(failures)
    if clients is not None and steps.report.report_s3_uri:
        # The import of boto3 takes longer than the checks.
        from .._upload.flow import find_destination

        find_destination(clients, steps.report.report_s3_uri, steps.report.report_s3_bucket_owner)


def check(options: DistributionOptions, steps: Steps) -> Iterator[Failure]:
    """Yield what a step would refuse; some of it several times, because steps share options."""
    yield from steps.failures
    yield from _check_required_options(options, steps)
    yield from _check_accounts_of_host(steps)
    yield from check_report_options(steps.report.report_path, steps.report.report_dir)
    yield from _check_tags_of_copies(steps)
    yield from _check_planned_copies(options, steps)


def _check_required_options(options: DistributionOptions, steps: Steps) -> Iterator[Failure]:
    """Yield the options that are missing, although another step's options require them."""
    if options.copy:
        yield from _check_source(options.copy)
    yield from _check_source_parameter(steps, ())
    if steps.publish.launch_templates and not steps.publish.parameter:
        yield invalid_option(
            "launch_templates",
            f"launch_templates: {', '.join(steps.publish.launch_templates)} can only get a published image, "
            "and publish_parameter is not set.",
            "Set the parameter to publish the image in, or remove them.",
        )
    if steps.publish.publish_share and not steps.publish.parameter:
        yield invalid_option(
            "publish_share",
            f"publish_share: there is no parameter to share with {', '.join(steps.publish.publish_share)}: "
            "publish_parameter is not set.",
            "Set the parameter to publish the image in, or remove them.",
        )
    if steps.publish.publish_share_purge and not steps.publish.parameter:
        yield invalid_option(
            "publish_share_purge",
            "publish_share_purge: there is no parameter to take back: publish_parameter is not set.",
            "Set the parameter to publish the image in, or remove it.",
        )
    if options.consumer_copy and not steps.consumer_copy.account_ids:
        yield invalid_option(
            "account_ids",
            "account_ids: copy_into_accounts is true, and no account is set.",
            "List the accounts to copy the image into.",
        )
    if options.consumer_copy and not steps.consumer_copy.consumer_role_name:
        yield invalid_option(
            "consumer_role_name",
            "consumer_role_name: copy_into_accounts is true, and no role is set.",
            "Set a role that these credentials may assume in the accounts.",
        )
    if options.unshare_after_copy and not options.consumer_copy:
        yield invalid_option(
            "unshare_after_copy",
            "unshare_after_copy: without copy_into_accounts, no account would lose access.",
            "Set copy_into_accounts: true, or remove unshare_after_copy.",
        )
    # Only the owner itself can be verified without a role, and it is one account.
    if not steps.verify.consumer_role_name and len(steps.verify.account_ids) > 1:
        yield invalid_option(
            "verify_level",
            f"verify_level: {steps.verify.level} cannot be reached without consumer_role_name.",
            "Set a role that these credentials may assume in the accounts, or verify_level: none.",
        )


def _check_accounts_of_host(steps: Steps) -> Iterator[Failure]:
    """Refuse the accounts of others for a host that is one of several: each would verify those of all.

    Probes of the same image in an account terminate each other's instances.
    """
    own = steps.verify.host_account_id
    others = [one for one in steps.verify.account_ids if own not in (None, one)]
    if others:
        yield invalid_option(
            "account_ids",
            f"account_ids: the account_id of this host is {own}, and every host of the play would verify "
            f"{join_texts(others, _NAMED)}.",
            "Run the distribution in a play with one host (localhost), or set verify_level: none.",
        )


def _check_tags_of_copies(steps: Steps) -> tuple[Failure, ...]:
    """Refuse more tags than a shared copy can have. The source has no tags of this collection."""
    copy = steps.copy
    if set(copy.regions) <= {copy.source_region} and not copy.reencrypt_source:
        return ()
    mark = [tagging.SOURCE_TAG, *([tagging.KEY_TAG] if copy.kms_key_id else [])]
    return _check_shared_tags(steps, {**(copy.tags or {}), **dict.fromkeys(mark, "")})


def _check_shared_tags(steps: Steps, tags: Mapping[str, str]) -> tuple[Failure, ...]:
    """Refuse the shared tags if an image with these tags cannot get them, too."""
    shared = {f"{tagging.SHARED_PREFIX}{key}": value for key, value in steps.share.shared_tags.items()}
    return tagging.check_tag_count("shared_tags", {**tags, **shared}) if shared else ()


def _check_planned_copies(options: DistributionOptions, steps: Steps) -> Iterator[Failure]:
    """Refuse what is impossible with the planned copies: with their owner, encryption, tags, or names."""
    planned = options.copy_result.get("results", ())
    if not planned:
        return
    owners = {one["account_id"] for one in planned}
    yield from _check_source_parameter(steps, owners)
    others = sorted({*steps.verify.account_ids} - owners)
    if others and not steps.verify.consumer_role_name:
        yield invalid_option(
            "verify_level",
            f"verify_level: {steps.verify.level} cannot be reached without consumer_role_name, because "
            f"accounts other than that of the credentials, {', '.join(sorted(owners))}, will be verified: "
            f"{join_texts(others, _NAMED)}.",
            "Set a role that these credentials may assume in the accounts, or verify_level: none.",
        )
    for one in planned:
        yield from (
            replace(failure, region=one["region"]) for failure in _check_shared_tags(steps, one["tags"])
        )
    if options.consumer_copy:
        yield from _check_consumer_copies(steps.consumer_copy, planned, owners)


def _check_consumer_copies(
    consumer_copy: CopyOptions, planned: Collection[Mapping[str, Any]], owners: Collection[str]
) -> Iterator[Failure]:
    """Refuse what is impossible with the accounts' copies of the planned copies."""
    encrypted = sorted({one["region"] for one in planned if one["kms_key_arn"] and not one["image_id"]})
    if encrypted and not consumer_copy.kms_key_id:
        yield invalid_option(
            "consumer_kms_key_id",
            f"consumer_kms_key_id: it is not set, and the copies in {', '.join(encrypted)} will be "
            "encrypted: AWS would use the accounts' default key, usually aws/ebs.",
            "Set the alias of a customer managed key, which each account has in each region.",
        )
    if consumer_copy.name and {*consumer_copy.account_ids} - {*owners}:
        for one in planned:
            yield from _check_consumer_name(consumer_copy.name, one)


def _check_consumer_name(template: str, planned: Mapping[str, Any]) -> Iterator[Failure]:
    """Refuse a name that is too long for the accounts' copies of a planned copy.

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


def _check_source(copy: Mapping[str, Any]) -> Iterator[Failure]:
    """Refuse a source that not exactly one option selects."""
    given = [name for name in _SOURCES if copy.get(name)]
    if not given:
        yield invalid_option(
            "source_image_id",
            f"source_image_id: one of {', '.join(_SOURCES)} is required.",
            "Set one of them.",
        )
    for name in given[1:]:
        yield invalid_option(
            name,
            f"{name}: it cannot be combined with {given[0]} (got {render_value(copy[name])}).",
            "Remove one of them.",
        )


def _check_source_parameter(steps: Steps, accounts: Iterable[str]) -> Iterator[Failure]:
    """Refuse to publish the encrypted copy in the parameter that names the source.

    Its ARN may be that of a parameter of one of the ``accounts`` that will own the copies.
    """
    copy, published = steps.copy, steps.publish.parameter
    source, region = copy.source_parameter, copy.source_region
    if not (source and published and region and copy.reencrypt_source and region in copy.regions):
        return
    by_arn = (name_in_arn(source, account_id, region) for account_id in accounts)
    if source == published or any(is_named(published, name) for name in by_arn):
        yield invalid_option(
            "publish_parameter",
            f"publish_parameter: {published} is also source_parameter, so that the next run would use the "
            "encrypted copy as its source.",
            "Publish in another parameter, or set reencrypt_source: false.",
        )


FLOW: Flow[DistributionOptions, None] = check_flow(DistributionOptions, read_state)

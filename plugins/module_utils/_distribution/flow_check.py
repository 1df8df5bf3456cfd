# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_check``: checks the options of a distribution's later steps before its first step.

Each step checks its own options when it starts, which is after copies that can take hours. This module makes
the same checks at once, without AWS; only to find the bucket that the report is uploaded to, it calls S3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import _tags as tagging
from .._copy.options import CopyOptions
from .._copy.request import MAX_NAME, name_for
from .._failures import Failure, ValidationError, invalid_option
from .._keys.encryption import Encryption, check_options
from .._launch_probe.options import ProbeOptions
from .._listing import join_texts
from .._model import Image
from .._option import Options
from .._parameter_names import is_named, name_in_arn
from .._publish.options import PublishOptions
from .._reports.flow import check_report_options
from .._runner import Flow, check_flow
from .._structure import TEXT, Null, Values, check_result
from .._wording import render_value
from .options_check import DistributionOptions

if TYPE_CHECKING:
    from .._aws.clients import Clients

# Accounts that a message names.
_NAMED = 3
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
# Options that have another name here than in the step.
_OWN_NAMES: Mapping[type[Options], Mapping[str, str]] = {
    CopyOptions: {"wait_timeout": "copy_wait_timeout"},
    ProbeOptions: {"wait_timeout": "verify_wait_timeout"},
    PublishOptions: {"parameter": "publish_parameter"},
}
# In the place of the ID of a copy that does not exist yet: an ID of the length that new ones have.
_NEW_IMAGE = "ami-00000000000000000"


def read_state(clients: Clients | None, options: DistributionOptions) -> None:
    """Check the options, and look for the bucket of the report.

    Raises:
        ValidationError: a step would refuse an option, or there is no such bucket.
    """
    failures = dict.fromkeys(check(options))
    if failures:
        raise ValidationError(failures)
    if clients is not None and options.report_s3_uri:
        # The import of boto3 takes longer than the checks.
        from .._upload.flow import find_destination

        find_destination(clients, options.report_s3_uri, options.report_s3_bucket_owner)


def check(options: DistributionOptions) -> Iterator[Failure]:
    """Yield what a step would refuse; some of it several times, because steps share options."""
    for step, params in options.steps():
        try:
            # The images are only planned, as in check mode.
            step.read(params, check_mode=True)
        except ValidationError as refused:
            yield from (_with_own_name(failure, _OWN_NAMES.get(step, {})) for failure in refused.failures)
    yield from _missing(options)
    yield from _other_hosts_accounts(options)
    yield from _consumer_key(options)
    yield from check_report_options(options.report_path, options.report_dir)
    yield from _copied_tags(options)
    yield from _planned(options)


def _with_own_name(failure: Failure, names: Mapping[str, str]) -> Failure:
    """Return the failure with this module's name for the step's option; ``names`` are by the step's."""
    option = failure.action
    own = names.get(option, option)
    return replace(failure, action=own, message=f"{own}{failure.message.removeprefix(option)}")


def _missing(options: DistributionOptions) -> Iterator[Failure]:
    """Options that another step's options require."""
    yield from _source(options)
    if options.launch_templates and not options.publish_parameter:
        yield invalid_option(
            "launch_templates",
            f"launch_templates: {', '.join(options.launch_templates)} can only get a published image, and "
            "publish_parameter is not set.",
            "Set the parameter to publish the image in, or remove them.",
        )
    if options.copy_into_accounts and not options.account_ids:
        yield invalid_option(
            "account_ids",
            "account_ids: copy_into_accounts is true, and no account is set.",
            "List the accounts to copy the image into.",
        )
    if options.copy_into_accounts and not options.consumer_role_name:
        yield invalid_option(
            "consumer_role_name",
            "consumer_role_name: copy_into_accounts is true, and no role is set.",
            "Set a role that these credentials may assume in the accounts.",
        )
    if options.unshare_after_copy and not options.copy_into_accounts:
        yield invalid_option(
            "unshare_after_copy",
            "unshare_after_copy: without copy_into_accounts, no account would lose access.",
            "Set copy_into_accounts: true, or remove unshare_after_copy.",
        )
    # Only the owner itself can be verified without a role, and it is one account.
    if options.verifies and not options.consumer_role_name and len(options.account_ids) > 1:
        yield invalid_option(
            "verify_level",
            f"verify_level: {options.verify_level} cannot be reached without consumer_role_name.",
            "Set a role that these credentials may assume in the accounts, or verify_level: none.",
        )


def _other_hosts_accounts(options: DistributionOptions) -> Iterator[Failure]:
    """Accounts of a host that is one of several and has its own: each would verify those of all.

    Probes of the same image in an account terminate each other's instances.
    """
    own = options.host_account_id
    others = [one for one in options.accounts if own not in (None, one)]
    if others and options.verifies:
        yield invalid_option(
            "account_ids",
            f"account_ids: the account_id of this host is {own}, and every host of the play would verify "
            f"{join_texts(others, _NAMED)}.",
            "Run the distribution in a play with one host (localhost), or set verify_level: none.",
        )


def _copied_tags(options: DistributionOptions) -> tuple[Failure, ...]:
    """More tags than a copy can have, once it is shared; the source has no tags of this collection."""
    if set(options.regions) <= {options.source_region} and not options.reencrypt_source:
        return ()
    mark = [tagging.SOURCE_TAG, *([tagging.KEY_TAG] if options.kms_key_id else [])]
    return _shared_tags(options, {**(options.tags or {}), **dict.fromkeys(mark, "")})


def _shared_tags(options: DistributionOptions, tags: Mapping[str, str]) -> tuple[Failure, ...]:
    """The refusal if an image with these tags cannot get the shared ones, too."""
    shared = {f"{tagging.SHARED_PREFIX}{key}": value for key, value in (options.shared_tags or {}).items()}
    return tagging.check_tag_count("shared_tags", {**tags, **shared}) if shared else ()


def _planned(options: DistributionOptions) -> Iterator[Failure]:
    """What is impossible with the planned copies: with their owner, encryption, tags, or names."""
    planned = options.planned_copies
    if wrong := check_result("planned_copies", planned, Null(_PLANNED), "ami_copy_regions"):
        yield from wrong
        return
    owners = {one["account_id"] for one in planned or ()}
    yield from _overwritten(options, owners)
    others = sorted({*options.accounts} - owners) if owners else []
    if others and options.verifies and not options.consumer_role_name:
        yield invalid_option(
            "verify_level",
            f"verify_level: {options.verify_level} cannot be reached without consumer_role_name, because "
            f"accounts other than that of the credentials, {', '.join(sorted(owners))}, will be verified: "
            f"{join_texts(others, _NAMED)}.",
            "Set a role that these credentials may assume in the accounts, or verify_level: none.",
        )
    for one in planned or ():
        yield from (replace(failure, region=one["region"]) for failure in _shared_tags(options, one["tags"]))
    encrypted = sorted({one["region"] for one in planned or () if one["kms_key_arn"] and not one["image_id"]})
    if encrypted and options.copy_into_accounts and not options.consumer_kms_key_id:
        yield invalid_option(
            "consumer_kms_key_id",
            f"consumer_kms_key_id: it is not set, and the copies in {', '.join(encrypted)} will be "
            "encrypted: AWS would use the accounts' default key, usually aws/ebs.",
            "Set the alias of a customer managed key, which each account has in each region.",
        )
    if others and options.copy_into_accounts and options.name:
        for one in planned:
            yield from _consumer_name(options.name, one)


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


def _source(options: DistributionOptions) -> Iterator[Failure]:
    """The source: exactly one option selects it, if there are copies at all."""
    given = [name for name in _SOURCES if getattr(options, name)]
    if not given and options.source_region is not None:
        yield invalid_option(
            "source_image_id",
            f"source_image_id: one of {', '.join(_SOURCES)} is required.",
            "Set one of them.",
        )
    for name in given[1:]:
        yield invalid_option(
            name,
            f"{name}: it cannot be combined with {given[0]} (got {render_value(getattr(options, name))}).",
            "Remove one of them.",
        )
    yield from _overwritten(options, ())


def _overwritten(options: DistributionOptions, accounts: Iterable[str]) -> Iterator[Failure]:
    """The source's parameter, which would get its encrypted copy.

    Its ARN may be that of a parameter of one of the ``accounts`` that will own the copies.
    """
    source, published, region = options.source_parameter, options.publish_parameter, options.source_region
    if not (source and published and region and options.reencrypt_source and region in options.regions):
        return
    by_arn = (name_in_arn(source, account_id, region) for account_id in accounts)
    if source == published or any(is_named(published, name) for name in by_arn):
        yield invalid_option(
            "publish_parameter",
            f"publish_parameter: {published} is also source_parameter, so that the next run would use the "
            "encrypted copy as its source.",
            "Publish in another parameter, or set reencrypt_source: false.",
        )


def _consumer_key(options: DistributionOptions) -> Iterator[Failure]:
    """The key of the consumers' copies, each of which is in the region of its key."""
    if options.copy_into_accounts and options.consumer_kms_key_id:
        encryption = Encryption(key=options.consumer_kms_key_id)
        for failure in check_options(encryption, options.region_names):
            yield _with_own_name(failure, {"kms_key_id": "consumer_kms_key_id"})


FLOW: Flow[DistributionOptions, None] = check_flow(DistributionOptions, read_state)

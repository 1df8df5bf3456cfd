# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an aggregator of AWS Config says about the instances of accounts, and where it says nothing.

Only instances: Config has the data of one version of each launch template, and does not say of which, and has
Auto Scaling groups without images (awslabs/aws-config-resource-schema, AWS::EC2::LaunchTemplate and
AWS::AutoScaling::AutoScalingGroup).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from .._failures import Failure, invalid_option
from .._listing import join_texts
from .._model import ImageRef, Target
from .._plan import batches
from .state import (
    INSTANCE,
    OF_RELEASE,
    OTHER,
    Catalog,
    ImageUse,
    Look,
    Recorded,
    RecordedInstance,
    Use,
    UsedImage,
)

READ_SOURCES = "DescribeConfigurationAggregatorSourcesStatus"
SELECT = "SelectAggregateResourceConfig"
COUNT = "COUNT(*)"
COUNTS = (
    f"SELECT accountId, awsRegion, {COUNT} WHERE resourceType = 'AWS::EC2::Instance' "
    "GROUP BY accountId, awsRegion"
)
"""The query of the number of all instances by account and region."""
# Botocore shape Expression: 4,096 characters, of which an image ID with its quotes and comma takes 25.
_BATCH = 140
_SUCCEEDED = "SUCCEEDED"
_CODE = "config_not_aggregated"
# AWS Config Developer Guide, "Troubleshooting for Multi-Account Multi-Region Data Aggregation".
_REMEDIES = {
    "FAILED": "Enable AWS Config there, and authorize the account of the aggregator.",
    "OUTDATED": "Rerun in some minutes: aggregation is subject to delays.",
    "": "Add it to the aggregator, or leave out the account (account_ids) or the regions (regions).",
}
# Regions that a failure names.
_NAMED = 3


def list_images(catalog: Catalog, denied: Iterable[str]) -> tuple[str, ...]:
    """Return the IDs of the images to ask for: those of all releases, and denied ones.

    The image that the others of a release are copies of is one of them, also if it is deregistered.
    """
    origins = (release.ref for release in catalog.releases)
    return tuple(dict.fromkeys((*(ref.image_id for ref in (*catalog.reported, *origins)), *denied)))


def list_queries(image_ids: Sequence[str], with_tags: bool) -> Iterator[str]:
    """Yield the queries of the instances of these images, none of them too long."""
    fields = ("accountId", "awsRegion", "resourceId", "configurationItemCaptureTime")
    configuration = ("configuration.imageId", "configuration.launchTime", "configuration.state.name")
    selected = ", ".join((*fields, *configuration, *(["tags"] if with_tags else [])))
    for batch in batches(image_ids, _BATCH):
        names = ", ".join(f"'{image_id}'" for image_id in batch)
        yield (
            f"SELECT {selected} WHERE resourceType = 'AWS::EC2::Instance' "
            f"AND configuration.imageId IN ({names})"
        )


def look_at_config(
    catalog: Catalog, recorded: Recorded, account_ids: Collection[str], regions: Collection[str]
) -> dict[Target, Look]:
    """Return what Config has recorded of each account and region, of all accounts in it if none is named.

    An account and a region count as looked at if the aggregator has data of them that AWS calls up to date.
    """
    known = {target.account_id for target in (*recorded.sources, *recorded.numbers)}
    groups: dict[Target, dict[ImageRef, list[RecordedInstance]]] = defaultdict(lambda: defaultdict(list))
    for instance in recorded.instances:
        groups[instance.target][instance.image].append(instance)
    looks: dict[Target, Look] = {}
    for account_id in account_ids or sorted(known):
        targets = [Target(account_id, region) for region in regions]
        failures = _list_failures(recorded, targets)
        for target in targets:
            uses = tuple(_make_use(catalog, ref, found) for ref, found in groups.get(target, {}).items())
            failure = failures.get(target)
            looks[target] = Look(uses, (failure,) if failure else ())
    return looks


def _make_use(catalog: Catalog, ref: ImageRef, instances: Sequence[RecordedInstance]) -> Use:
    release = catalog.release_of.get(ref)
    image = UsedImage(ref, owner_id=catalog.account_id if ref in catalog.own else "")
    use = ImageUse(
        INSTANCE,
        image,
        len(instances),
        tuple(sorted(instance.instance_id for instance in instances)),
        min((instance.launched for instance in instances if instance.launched), default=None),
        tuple(sorted({owner for instance in instances for owner in instance.owners})),
    )
    return Use(use, OF_RELEASE if release else OTHER, release)


def _list_failures(recorded: Recorded, targets: Iterable[Target]) -> dict[Target, Failure]:
    """Return why Config does not show all of these regions of an account: one failure for each reason.

    AWS does not document whether the accounts of an organization are listed as sources. If no account is, a
    place without instances is only one that ``list_unrecorded`` returns.
    """
    places: dict[tuple[str, str], list[Target]] = defaultdict(list)
    for target in targets:
        source = recorded.sources.get(target)
        if source is None and recorded.sources and target not in recorded.numbers:
            places["", ""].append(target)
        elif source is not None and source.status != _SUCCEEDED:
            places[source.status, source.error].append(target)
    return {
        target: _report(recorded, status, error, of_reason)
        for (status, error), of_reason in places.items()
        for target in of_reason
    }


def _report(recorded: Recorded, status: str, error: str, targets: Sequence[Target]) -> Failure:
    regions = join_texts([target.region for target in targets], _NAMED)
    account_id, name = targets[0].account_id, recorded.aggregator
    reason = _describe(status, error) if status else "it is none of its sources"
    return Failure(
        f"The aggregator {name} does not show account {account_id} in {regions}: {reason}.",
        _REMEDIES.get(status, _REMEDIES["OUTDATED"]),
        _CODE,
        READ_SOURCES,
        account_id=account_id,
    )


def _describe(status: str, error: str) -> str:
    return f"AWS calls its data {status}{f' ({error})' if error else ''}"


def report_organizations(recorded: Recorded, account_id: str) -> tuple[Failure, ...]:
    """Return why accounts of organizations can be missing in the aggregator of this account."""
    return tuple(
        Failure(
            f"The aggregator {recorded.aggregator} may lack accounts of {organization}: "
            f"{_describe(source.status, source.error)}.",
            "Check the role of the aggregator, and that AWS Config may read the organization.",
            _CODE,
            READ_SOURCES,
            account_id=account_id,
        )
        for organization, source in recorded.organizations
        if source.status != _SUCCEEDED
    )


def refuse_empty(recorded: Recorded) -> Failure:
    """Return why nothing can be reported: it would look as if no account used an image."""
    return invalid_option(
        "config_aggregator",
        f"config_aggregator: {recorded.aggregator} has no data of any account.",
        "Add accounts or the organization to it, or set another depth.",
    )


def list_unrecorded(recorded: Recorded, looks: Mapping[Target, Look]) -> tuple[Target, ...]:
    """Return the places that were looked at, and of which Config has recorded no instance of any image.

    Nothing in an aggregator tells whether a recorder records instances: a query leaves out the others (AWS
    Config Developer Guide, "Querying the Current Configuration State of AWS Resources", Limitations).
    """
    return tuple(
        target for target, look in looks.items() if not (look.failures or recorded.numbers.get(target))
    )

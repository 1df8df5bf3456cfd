# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what an aggregator of AWS Config has recorded."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from .._aws.answers import require_member
from .._aws.errors import ClientError, code_of
from .._cleanup.stages import parse_time
from .._failures import ValidationError, invalid_option
from .._model import ImageRef, Target
from .config import COUNT, COUNTS, READ_SOURCES, SELECT, list_queries
from .state import Recorded, RecordedInstance, Source

# Botocore shape Limit: at most 100 a page.
_PAGE = {"PageSize": 100}
_NO_AGGREGATOR = "NoSuchConfigurationAggregatorException"


def read_recorded(
    config: Any, name: str, target: Target, image_ids: Sequence[str], owner_tags: Collection[str]
) -> Recorded:
    """Return what the aggregator of this name has of the images. ``target`` is where it is.

    Raises:
        ValidationError: there is no aggregator of this name.
    """
    try:
        statuses = list(_read_sources(config, name))
    except ClientError as exception:
        if code_of(exception) != _NO_AGGREGATOR:
            raise
        raise ValidationError(
            [
                invalid_option(
                    "config_aggregator",
                    f"config_aggregator: account {target.account_id} has no aggregator {name} in "
                    f"{target.region}.",
                    "Correct the name, or set config_aggregator_region and config_aggregator_account_id to "
                    "where it is.",
                )
            ]
        ) from exception
    numbers = {
        _parse_target(row): int(require_member(row, COUNT, SELECT)) for row in _select(config, name, COUNTS)
    }
    rows = (
        row for query in list_queries(image_ids, bool(owner_tags)) for row in _select(config, name, query)
    )
    instances = (_parse_instance(row, owner_tags) for row in rows)
    return Recorded(
        name,
        {of: source for of, source in statuses if isinstance(of, Target)},
        tuple((of, source) for of, source in statuses if isinstance(of, str)),
        numbers,
        tuple(instance for instance in instances if instance is not None),
    )


def _read_sources(config: Any, name: str) -> Iterator[tuple[Target | str, Source]]:
    """Yield the status of each account and region, and of each organization by its ID."""
    pages = config.get_paginator("describe_configuration_aggregator_sources_status").paginate(
        ConfigurationAggregatorName=name, PaginationConfig=_PAGE
    )
    for page in pages:
        for item in require_member(page, "AggregatedSourceStatusList", READ_SOURCES):
            of = require_member(item, "SourceId", READ_SOURCES)
            if require_member(item, "SourceType", READ_SOURCES) == "ACCOUNT":
                of = Target(of, require_member(item, "AwsRegion", READ_SOURCES))
            error = ": ".join(item[key] for key in ("LastErrorCode", "LastErrorMessage") if item.get(key))
            yield of, Source(item.get("LastUpdateStatus", "unknown"), error)


def _select(config: Any, name: str, query: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a query."""
    pages = config.get_paginator("select_aggregate_resource_config").paginate(
        Expression=query, ConfigurationAggregatorName=name, PaginationConfig=_PAGE
    )
    for page in pages:
        for row in require_member(page, "Results", SELECT):
            yield json.loads(row)


def _parse_target(row: Mapping[str, Any]) -> Target:
    return Target(require_member(row, "accountId", SELECT), require_member(row, "awsRegion", SELECT))


def _parse_instance(row: Mapping[str, Any], owner_tags: Collection[str]) -> RecordedInstance | None:
    """Return the instance in a row; None if it is terminated.

    Config returns no deleted resources from its inventory (AWS Config API Reference,
    BatchGetAggregateResourceConfig). Whether that holds for queries is not documented.
    """
    target, configuration = _parse_target(row), require_member(row, "configuration", SELECT)
    if configuration.get("state", {}).get("name") == "terminated":
        return None
    # As the schema has them: awslabs/aws-config-resource-schema, AWS::EC2::Instance.
    tags = {tag.get("key"): tag.get("value") for tag in row.get("tags") or ()}
    return RecordedInstance(
        target,
        ImageRef(target.region, require_member(configuration, "imageId", SELECT)),
        require_member(row, "resourceId", SELECT),
        parse_time(configuration.get("launchTime") or ""),
        parse_time(row.get("configurationItemCaptureTime") or ""),
        tuple(f"{key}={tags[key]}" for key in owner_tags if key in tags),
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries of an aggregator of AWS Config, of which moto has only the definition.

Instances are recorded at once where a recorder is on that records them. Sources are accounts; those of an
organization are not simulated.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from moto.config.models import ConfigAggregator, config_backends
from moto.ec2.models import ec2_backends

from ..ec2 import state
from ..ec2.access import Caller
from ..ec2.regions import regions_of
from ..exceptions import AwsError, NotSimulated
from .operations import Operation, page

_INSTANCE = "AWS::EC2::Instance"
_COUNT = "COUNT(*)"
_MOST = 100
"""The largest page, and the default one of sources (botocore shape Limit)."""
_DEFAULT = 25
"""The results on a page of a query without GROUP BY (botocore operation SelectAggregateResourceConfig)."""
_LONGEST = 4096
"""Characters of a query (botocore shape Expression)."""
_QUERY = re.compile(
    r"SELECT (?P<fields>.+?) WHERE (?P<conditions>.+?)(?: GROUP BY (?P<groups>[\w., ]+))?", re.IGNORECASE
)
_CONDITION = re.compile(
    r"(?P<field>[\w.]+) (?:= (?P<value>'[^']*')|IN \((?P<values>'[^']*'(?:, ?'[^']*')*)\))"
)
_FIELDS = frozenset(
    {
        *("accountId", "awsRegion", "resourceId", "resourceType", "configurationItemCaptureTime", "tags"),
        *("configuration.imageId", "configuration.launchTime", "configuration.state.name"),
    }
)
"""The properties that are simulated, of those in awslabs/aws-config-resource-schema, AWS::EC2::Instance."""


def describe_configuration_aggregator_sources_status(
    caller: Caller, params: Mapping[str, Any]
) -> dict[str, Any]:
    """List the sources of an aggregator.

    A source that has not authorized the account of the aggregator has failed (AWS Config Developer Guide,
    Troubleshooting for Multi-Account Multi-Region Data Aggregation; the error code is not documented).
    """
    found = [
        {
            "SourceId": source.account_id,
            "SourceType": "ACCOUNT",
            "AwsRegion": source.region,
            "LastUpdateTime": state.now().timestamp(),
            **(
                {"LastUpdateStatus": "SUCCEEDED"}
                if _is_authorized(caller, source)
                else {"LastUpdateStatus": "FAILED", "LastErrorCode": "AccessDenied"}
            ),
        }
        for source in _sources(_aggregator(caller, params))
    ]
    wanted = params.get("UpdateStatus")
    listed = [one for one in found if not wanted or one["LastUpdateStatus"] in wanted]
    shown, following = page(listed, params, _limit(params, _MOST), "NextToken")
    return {"AggregatedSourceStatusList": shown, **following}


def select_aggregate_resource_config(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a query over the instances that were recorded."""
    aggregator, query = _aggregator(caller, params), str(params["Expression"])
    if len(query) > _LONGEST:
        raise AwsError("ValidationException", f"Member must have length less than or equal to {_LONGEST}")
    parsed = _QUERY.fullmatch(query)
    if parsed is None:
        raise AwsError("InvalidExpressionException", "The syntax of the query is incorrect.")
    fields = parsed["fields"].split(", ")
    conditions = dict(map(_condition, re.split(" AND ", parsed["conditions"], flags=re.IGNORECASE)))
    groups = parsed["groups"].split(", ") if parsed["groups"] else []
    for name in {*fields, *conditions, *groups} - {_COUNT}:
        if name not in _FIELDS:
            raise NotSimulated(f"the property {name} in a query of AWS Config")
    items = [
        item
        for source in _sources(aggregator)
        if _is_authorized(caller, source) and _records_instances(source)
        for item in _items(source)
        if all(_value(item, name) in values for name, values in conditions.items())
    ]
    rows = _group(items, groups) if groups else [_project(item, fields) for item in items]
    size = _limit(params, _MOST if groups else _DEFAULT)
    shown, following = page(rows, params, size, "NextToken")
    names = [{"Name": name} for name in fields]
    return {"Results": [json.dumps(row) for row in shown], "QueryInfo": {"SelectFields": names}, **following}


def _aggregator(caller: Caller, params: Mapping[str, Any]) -> ConfigAggregator:
    name = params["ConfigurationAggregatorName"]
    found = config_backends[caller.account_id][caller.region].config_aggregators.get(name)
    if found is None:
        message = "The configuration aggregator does not exist. Check the configuration aggregator name."
        raise AwsError("NoSuchConfigurationAggregatorException", message)
    return found


def _sources(aggregator: ConfigAggregator) -> Iterator[Caller]:
    if aggregator.organization_aggregation_source:
        raise NotSimulated("an aggregator of an organization")
    for source in aggregator.account_aggregation_sources or ():
        for account_id in source.account_ids:
            for region in source.aws_regions or regions_of("aws"):
                yield Caller(account_id, region)


def _is_authorized(caller: Caller, source: Caller) -> bool:
    """Whether the aggregator of the caller may take data from an account in a Region."""
    given = config_backends[source.account_id][source.region].aggregation_authorizations.values()
    return source.account_id == caller.account_id or any(
        (one.authorized_account_id, one.authorized_aws_region) == tuple(caller) for one in given
    )


def _records_instances(source: Caller) -> bool:
    recorders = config_backends[source.account_id][source.region].recorders.values()
    return any(
        one.status.recording
        and (one.recording_group.all_supported or _INSTANCE in (one.recording_group.resource_types or ()))
        for one in recorders
    )


def _items(source: Caller) -> Iterator[dict[str, Any]]:
    """Yield the instances that are not terminated: what was deleted has no current state."""
    for instance in ec2_backends[source.account_id][source.region].all_instances():
        if instance.state != "terminated":
            yield {
                "accountId": source.account_id,
                "awsRegion": source.region,
                "resourceId": instance.id,
                "resourceType": _INSTANCE,
                "configurationItemCaptureTime": f"{state.now():%Y-%m-%dT%H:%M:%S.000Z}",
                "tags": [
                    {"key": tag["key"], "value": tag["value"], "tag": f"{tag['key']}={tag['value']}"}
                    for tag in instance.get_tags()
                ],
                "configuration": {
                    "imageId": instance.image_id,
                    "launchTime": f"{instance.launch_time:%Y-%m-%dT%H:%M:%S.000Z}",
                    "state": {"name": instance.state},
                },
            }


def _condition(text: str) -> tuple[str, frozenset[str]]:
    parsed = _CONDITION.fullmatch(text)
    if parsed is None:
        raise AwsError("InvalidExpressionException", "The syntax of the query is incorrect.")
    values = re.findall("'([^']*)'", parsed["value"] or parsed["values"])
    return parsed["field"], frozenset(values)


def _value(item: Mapping[str, Any], name: str) -> Any:
    found: Any = item
    for part in name.split("."):
        found = found[part]
    return found


def _project(item: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
    """Return the selected properties, nested as in the item."""
    row: dict[str, Any] = {}
    for name in fields:
        *parents, last = name.split(".")
        place = row
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = _value(item, name)
    return row


def _group(items: list[dict[str, Any]], groups: list[str]) -> list[dict[str, Any]]:
    """Count the items of each group; only top-level properties, which all have."""
    counts = Counter(tuple(_value(item, name) for name in groups) for item in items)
    return [{_COUNT: number, **dict(zip(groups, values, strict=True))} for values, number in counts.items()]


def _limit(params: Mapping[str, Any], default: int) -> int:
    limit = params.get("Limit") or default
    if limit > _MOST:
        raise AwsError("InvalidLimitException", "The specified limit is outside the allowable range.")
    token = params.get("NextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidNextTokenException", "The specified next token is not valid.")
    return int(limit)


OPERATIONS: dict[str, Operation] = {
    "DescribeConfigurationAggregatorSourcesStatus": describe_configuration_aggregator_sources_status,
    "SelectAggregateResourceConfig": select_aggregate_resource_config,
}

# SPDX-License-Identifier: GPL-3.0-or-later

"""CloudTrail records, and which of them the metric filters and the rule of the role monitor match."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jmespath
import yaml
from moto.events.models import EventPattern

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from .playbook import CHECKOUT

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
_DETAIL_TYPES = {
    "AwsApiCall": "AWS API Call via CloudTrail",
    "AwsServiceEvent": "AWS Service Event via CloudTrail",
}
OWNER = "111122223333"
"""The owner's account in the samples."""
_RECORDS = Path(__file__).parent / "cloudtrail"
_PERMISSION = re.compile(r"(LaunchPermission|CreateVolumePermission)\.(Add|Remove)\.\d+\.(\w+)")
_COMPARISON = re.compile(r'\$\.([\w.\[\]*]+) (?:(NOT EXISTS)|(!?=) "([^"]*)")')


def start(aws: SimulatedAws, account: str, region: str, log_group: str | None = None, **settings: Any) -> str:
    """Create a trail for all regions, which delivers to the log group, and start it. Return its ARN."""
    cloudtrail: Any = aws.client("cloudtrail", account, region)
    bucket = f"trail-{aws.account_id(account)}"
    aws.client("s3", account, "us-east-1").create_bucket(Bucket=bucket)
    if log_group:
        place = f"arn:aws:logs:{region}:{aws.account_id(account)}:log-group:{log_group}:*"
        role = f"arn:aws:iam::{aws.account_id(account)}:role/trail"
        settings |= {"CloudWatchLogsLogGroupArn": place, "CloudWatchLogsRoleArn": role}
    settings = {"Name": f"trail-{region}", "IsMultiRegionTrail": True, **settings}
    arn = str(cloudtrail.create_trail(S3BucketName=bucket, **settings)["TrailARN"])
    cloudtrail.start_logging(Name=arn)
    return arn


def records(account_id: str = OWNER) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sample records by name, of this account; README.md in their directory lists their sources."""
    for path in sorted(_RECORDS.glob("*.json")):
        yield path.stem, json.loads(path.read_text(encoding="utf-8").replace(OWNER, account_id))


def recorded(call: RecordedCall) -> dict[str, Any]:
    """The record of a call that adds or removes permissions; README.md of the samples lists the sources."""
    parameters: dict[str, Any] = {}
    for name, value in call.parameters.items():
        permission = _PERMISSION.fullmatch(name)
        if permission is None:
            parameters[_lower(name)] = value
            continue
        kind, change, field = map(_lower, permission.groups())
        changes = parameters.setdefault(kind, {}).setdefault(change, {"items": []})
        changes["items"].append({field: value})
    sample: dict[str, Any] = json.loads((_RECORDS / "image-add-account.json").read_text(encoding="utf-8"))
    return {
        **sample,
        "eventName": call.action,
        "awsRegion": call.region,
        "requestParameters": parameters,
        **({"errorCode": f"Client.{call.error_code}"} if call.error_code else {}),
    }


def event(record: Mapping[str, Any]) -> dict[str, Any]:
    """The event that EventBridge makes of a record.

    Its shape: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": _DETAIL_TYPES[record["eventType"]],
        "source": f"aws.{record['eventSource'].split('.')[0]}",
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    }


def role_filters() -> list[dict[str, str]]:
    """The metric filters as the role defines them."""
    variables = yaml.safe_load((CHECKOUT / "roles" / "monitor" / "vars" / "main.yml").read_text("utf-8"))
    filters: list[dict[str, str]] = variables["monitor__filters"]
    return filters


def counts(pattern: str, record: Mapping[str, Any]) -> bool:
    """Whether a metric filter with this pattern counts a record, evaluated by jmespath.

    Its selectors, its operators and their precedence are those of filter patterns for JSON
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html); only the
    comparisons have another syntax. An unknown comparison is an error.
    """
    inner = re.fullmatch(r"\{ (.*) \}", pattern)
    if inner is None:
        raise ValueError(f"no filter pattern for JSON: {pattern}")
    expression = _COMPARISON.sub(_as_jmespath, inner[1])
    return bool(jmespath.search(expression, record))


def reports(pattern: str, record: Mapping[str, Any]) -> bool:
    """Whether a rule with this event pattern matches the event of a record, evaluated by moto."""
    return bool(EventPattern.load(pattern).matches_event(event(record)))


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _as_jmespath(comparison: re.Match[str]) -> str:
    selector, missing, operator, value = comparison.groups()
    if missing:
        return f"{selector} == `null`"
    if operator == "!=":
        is_prefix = value.endswith("*")
        return f"!starts_with({selector} || '', '{value[:-1]}')" if is_prefix else f"{selector} != '{value}'"
    if "[*]" in selector:
        return f"contains({selector} || `[]`, '{value}')"
    return f"{selector} != `null`" if value == "*" else f"{selector} == '{value}'"

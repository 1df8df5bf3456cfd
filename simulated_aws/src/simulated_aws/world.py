# SPDX-License-Identifier: GPL-3.0-or-later
"""All resources that the simulated AWS holds at a moment, as JSON values.

What a read of the APIs shows late is here at once. moto has no interface for that: this reads its backends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.ec2.models import ec2_backends
from moto.events.models import events_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.ssm.models import ssm_backends

from .ec2 import state
from .ec2.access import Caller
from .ec2.state import Image, Snapshot
from .kms import state as kms_state
from .ram import state as ram_state
from .ssm import image_validation

Resource = dict[str, Any]
"""A resource; each has `kind`, `account_id`, `region` and `name`, its ID if it has no other name."""


def resources() -> list[Resource]:
    """All resources, images and snapshots in the order of their creation."""
    return [one for of_kind in _KINDS for one in of_kind()]


def _images() -> Iterator[Resource]:
    with state.LOCK:
        for region in state.all_regions():
            for image in region.images.values():
                yield _image(image, "image")
            for binned in region.binned_images.values():
                yield _image(binned.resource, "image in the Recycle Bin")
            for snapshot in region.snapshots.values():
                yield _snapshot(snapshot, "snapshot")
            for kept in region.binned_snapshots.values():
                yield _snapshot(kept.resource, "snapshot in the Recycle Bin")


def _image(image: Image, kind: str) -> Resource:
    image.settle(state.now())
    return {
        **_named(kind, image.owner_id, image.region, image.id),
        "image_name": image.name,
        "description": image.description,
        "state": image.state,
        "tags": dict(image.tags),
        "permissions": sorted(f"{one.kind}={one.value}" for one in image.permissions),
        "public": image.public,
        "snapshots": {one.device_name: one.snapshot_id for one in image.devices if one.snapshot_id},
        "source": [image.source_image_region, image.source_image_id],
        "deprecated_in_days": _days_until(image.deprecation_time),
        "protection": image.deregistration_protection,
    }


def _days_until(moment: datetime | None) -> int | None:
    """Whole days from now, negative in the past: the same for two runs of a minute."""
    return None if moment is None else round((moment - state.now()) / timedelta(days=1))


def _snapshot(snapshot: Snapshot, kind: str) -> Resource:
    snapshot.settle(state.now())
    return {
        **_named(kind, snapshot.owner_id, snapshot.region, snapshot.id),
        "size": snapshot.volume_size,
        "state": snapshot.state,
        "key": snapshot.kms_key_id,
        "tags": dict(snapshot.tags),
        "permissions": sorted(f"{one.kind}={one.value}" for one in snapshot.permissions),
        "public": state.PUBLIC in snapshot.permissions,
    }


def _usage_reports() -> Iterator[Resource]:
    with state.LOCK:
        for account_id, region, settings in state.account_regions():
            for one in settings.usage_reports.values():
                yield {**_named("usage report", account_id, region, one.id), "image": one.image_id}


def _keys() -> Iterator[Resource]:
    with kms_state.LOCK:
        for arn, record in kms_state.all_records():
            _, _, _, region, account_id, _ = arn.split(":", 5)
            grants = sorted(
                [one.terms.grantee.arn, one.terms.name, *sorted(one.terms.operations)]
                for one in record.grants.after(0)
            )
            policy = json.loads(record.policy.text)
            yield {**_named("key", account_id, region, arn), "policy": policy, "grants": grants}


def _parameters() -> Iterator[Resource]:
    for account_id, region, backend in _backends(ssm_backends):
        image_validation.settle(Caller(account_id, region))
        for versions in list(backend._parameters.values()):
            if versions[0].name.startswith("/aws/"):
                continue
            tags = backend.list_tags_for_resource("Parameter", versions[0].name)
            for one in versions:
                yield {
                    **_named("parameter", account_id, region, f"{one.name}:{one.version}"),
                    "value": one.value,
                    "type": [one.parameter_type, one.data_type],
                    "tier": one.tier,
                    "tags": dict(tags),
                    "labels": sorted(one.labels),
                    "newest": one is versions[-1],
                }


def _launch_templates() -> Iterator[Resource]:
    for account_id, region, backend in _backends(ec2_backends):
        for template in list(backend.launch_templates.values()):
            for version in template.versions:
                yield {
                    **_named("launch template", account_id, region, f"{template.name}:{version.number}"),
                    # User data is a value of moto's own class.
                    "data": json.loads(json.dumps(version.data, default=str)),
                    "description": version.description,
                    "default": template.is_default(version),
                }


def _instances() -> Iterator[Resource]:
    for account_id, region, backend in _backends(ec2_backends):
        for reservation in list(backend.reservations.values()):
            for instance in reservation.instances:
                yield {
                    **_named("instance", account_id, region, instance.id),
                    "image": instance.image_id,
                    "state": instance._state.name,
                }


def _topics() -> Iterator[Resource]:
    for account_id, region, backend in _backends(sns_backends):
        for topic in list(backend.topics.values()):
            yield {
                **_named("topic", account_id, region, topic.name),
                "policy": topic._policy_json,
                "key": topic.kms_master_key_id,
            }
        for one in list(backend.subscriptions.values()):
            yield _named("subscription", account_id, region, f"{one.topic.arn} {one.protocol} {one.endpoint}")


def _queues() -> Iterator[Resource]:
    for account_id, region, backend in _backends(sqs_backends):
        for queue in list(backend.queues.values()):
            yield {
                **_named("queue", account_id, region, queue.name),
                "policy": queue.policy,
                "retention_seconds": queue.message_retention_period,
                "visibility_timeout_seconds": queue.visibility_timeout,
                "key": queue.kms_master_key_id,
            }


def _alarms() -> Iterator[Resource]:
    for account_id, region, backend in _backends(cloudwatch_backends):
        for alarm in list(backend.alarms.values()):
            yield {
                **_named("alarm", account_id, region, alarm.name),
                "metric": [alarm.namespace, alarm.metric_name, alarm.statistic, alarm.period],
                "condition": [alarm.comparison_operator, alarm.threshold, alarm.evaluation_periods],
                "missing_data": alarm.treat_missing_data,
                "actions": sorted(alarm.alarm_actions or ()),
                "actions_enabled": alarm.actions_enabled,
            }


def _metric_filters() -> Iterator[Resource]:
    for account_id, region, backend in _backends(logs_backends):
        for one in list(backend.filters.metric_filters):
            yield {**_named("metric filter", account_id, region, one["filterName"]), **one}


def _rules() -> Iterator[Resource]:
    for account_id, region, backend in _backends(events_backends):
        for bus in list(backend.event_buses.values()):
            for rule in list(bus.rules.values()):
                yield {
                    **_named("rule", account_id, region, rule.name),
                    "pattern": rule.event_pattern.dump(),
                    "state": rule.state,
                    "targets": sorted(target["Arn"] for target in rule.targets),
                }


def _objects() -> Iterator[Resource]:
    for account_id, region, backend in _backends(s3_backends):
        for bucket in list(backend.buckets.values()):
            for name, key in list(bucket.keys.items()):
                yield {
                    **_named("object", account_id, region, f"{bucket.name}/{name}"),
                    "body": key.value.decode("utf-8", "replace"),
                }


def _resource_shares() -> Iterator[Resource]:
    for share in list(ram_state.SHARES.values()):
        if share.status != ram_state.DELETED:
            associations = sorted(
                [one.kind, one.entity, one.status]
                for one in share.associations.values()
                if one.status != ram_state.DISASSOCIATED
            )
            yield {
                **_named("resource share", share.owner.account_id, share.owner.region, share.name),
                "associations": associations,
                "external": share.allows_external,
                "tags": dict(share.tags),
            }


def _named(kind: str, account_id: str, region: str, name: str) -> Resource:
    return {"kind": kind, "account_id": account_id, "region": region, "name": name}


def _backends(service: Any) -> Iterator[tuple[str, str, Any]]:
    """moto's existing backends of a service, with account and Region."""
    for account_id, regions in list(service.items()):
        for region, backend in list(regions.items()):
            yield account_id, region, backend


_KINDS: tuple[Callable[[], Iterator[Resource]], ...] = (
    *(_images, _usage_reports, _keys, _parameters, _launch_templates, _instances, _topics, _queues),
    *(_alarms, _metric_filters, _rules, _objects, _resource_shares),
)

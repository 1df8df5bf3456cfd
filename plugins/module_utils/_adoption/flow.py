# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_adoption``: which accounts use which release of an image family. Changes nothing in AWS."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

from .._aws import errors
from .._aws.accounts import AssumedAccounts
from .._aws.caller import first_call, identify_with_enabled, preferred_region
from .._aws.clients import Clients
from .._cleanup.read_regions import read_own_images
from .._cleanup.uses.read import list_services
from .._cleanup.wait import wait_for_reports
from .._failures import Failure, ValidationError
from .._fanout import map_parallel
from .._listing import count, join_texts
from .._model import ImageRef, Target
from .._processes import map_in_processes
from .._progress import Report, reporter, waiting_reporter
from .._reports.flow_result import Reporting
from .._runner import Flow, Outcome
from .config import READ_SOURCES, list_images, look_at_config, refuse_empty, report_organizations
from .content import build_content, remember
from .document import build_document, compare_reports
from .options import AdoptionOptions
from .plan import AdoptionPlan, judge_all
from .plan import plan as make_plan
from .read_accounts import read_account
from .read_config import read_recorded
from .read_reports import read_reports, request_reports
from .read_uses import LAUNCHERS, read_images
from .releases import build_catalog, list_sources
from .result import build_result
from .state import ASSUME_ROLE, CONFIG, LAUNCHES, READ_INSTANCES, USAGE_REPORTS, AdoptionState, Catalog, Look
from .usage_reports import list_failures, list_pending, look_at_reports

_NO_FAMILY = "family_not_found"

Outcomes: TypeAlias = dict[Target, Look | Failure]
"""What an account uses in a region, or why that could not be read."""
Waiting: TypeAlias = Callable[[Collection[str]], None]
"""What reports the accounts that are waited for."""


def read_state(clients: Clients, options: AdoptionOptions) -> AdoptionState:
    """Read the releases, then what each account uses. A failed read there does not stop the others.

    Raises:
        ValidationError: a region does not exist, the owner's images cannot be read there, or there is no
            image of the families.
    """
    caller, enabled = identify_with_enabled(clients, options.regions)
    now = datetime.now(UTC)
    catalog = _read_catalog(clients, options, caller.account_id, enabled, now)
    if options.depth == USAGE_REPORTS:
        return _read_reported(clients, options, AdoptionState(now, catalog))
    # What was launched from an image that the owner has deregistered still runs where it has none any more.
    looked_at = options.regions or enabled
    sts_region = preferred_region(clients, looked_at)
    accounts = AssumedAccounts(clients, caller, options.consumer_role, sts_region)
    if options.depth == CONFIG:
        return _read_recorded(
            accounts, options, looked_at, clients.default_region, AdoptionState(now, catalog)
        )
    outcomes = _read_accounts(accounts, options, looked_at, catalog)
    return AdoptionState(
        now,
        catalog,
        {target: look for target, look in outcomes.items() if isinstance(look, Look)},
        {target: failure for target, failure in outcomes.items() if isinstance(failure, Failure)},
    )


def count_calls(options: AdoptionOptions, regions: Collection[str]) -> int:
    """Return about how many calls of AWS are made in the accounts."""
    calls = 1 + (len(LAUNCHERS) if options.depth == LAUNCHES else 0)
    return len(options.account_ids) * len(regions) * calls


def _read_accounts(
    accounts: AssumedAccounts, options: AdoptionOptions, regions: tuple[str, ...], catalog: Catalog
) -> Outcomes:
    """Return what each account uses, each account read in one process."""

    def prepare(own: AssumedAccounts) -> Callable[..., Outcomes]:
        for service in ("ec2", *(list_services(LAUNCHERS) if options.depth == LAUNCHES else ())):
            own.open(service, regions)

        def work(account_id: str) -> Outcomes:
            return read_account(own, account_id, regions, options, catalog)

        return partial(_read_group, work, regions)

    report = reporter(options.progress_path, lambda _line: None)
    waiting = waiting_reporter(report, "Reading accounts", len(options.account_ids))
    read = map_in_processes(
        options.account_ids,
        prepare,
        accounts,
        calls=count_calls(options, regions),
        most=options.max_processes,
        while_waiting=waiting,
    )
    if read is None:
        return prepare(accounts)(options.account_ids, waiting)
    done, lost = read
    outcomes = {target: outcome for group in done for target, outcome in group.items()}
    for account_id, exception in lost.items():
        for target in (Target(account_id, region) for region in regions):
            outcomes[target] = exception.as_failure(target, READ_INSTANCES)
    return outcomes


def _read_group(
    read: Callable[[str], Outcomes],
    regions: Collection[str],
    account_ids: Collection[str],
    waiting: Waiting | None = None,
) -> Outcomes:
    """Return what these accounts use, each read in a thread."""
    done, failed = map_parallel(account_ids, read, while_waiting=waiting)
    outcomes = {target: outcome for account in done.values() for target, outcome in account.items()}
    for account_id, exception in failed.items():
        for target in (Target(account_id, region) for region in regions):
            outcomes[target] = errors.failure(exception, target, ASSUME_ROLE)
    return outcomes


def _read_recorded(
    accounts: AssumedAccounts,
    options: AdoptionOptions,
    regions: tuple[str, ...],
    default_region: str,
    current: AdoptionState,
) -> AdoptionState:
    """Return the state with what the aggregator of AWS Config has recorded.

    Raises:
        ValidationError: the aggregator cannot be read, or has no source.
    """
    catalog = current.catalog
    account_id = options.config_aggregator_account_id or catalog.account_id
    place = Target(account_id, options.config_aggregator_region or default_region)
    accounts.open("config", [place.region])
    with first_call(READ_SOURCES, place), accounts.as_account(account_id) as clients:
        recorded = read_recorded(
            clients.client("config", place.region),
            options.config_aggregator or "",
            place,
            list_images(catalog, options.deny_images),
            options.owner_tags,
        )
    looks = look_at_config(catalog, recorded, options.account_ids, regions)
    failures = report_organizations(recorded, account_id)
    if not looks:
        raise ValidationError(failures or [refuse_empty(recorded)])
    return replace(current, looks=looks, recorded=recorded, report_failures=failures)


def _read_reported(
    clients: Clients, options: AdoptionOptions, current: AdoptionState, not_requested: Iterable[Failure] = ()
) -> AdoptionState:
    """Return the state with what the usage reports say that there are now, and why others are missing."""
    catalog = current.catalog
    reports, refused = read_reports(clients, catalog.account_id, catalog.reported)
    failures = list_failures(catalog, reports, refused, current.now, not_requested)
    looks = look_at_reports(catalog, reports, failures, options.account_ids, current.now)
    return replace(current, looks=looks, reports=reports, report_failures=failures)


@dataclass(frozen=True)
class Judgement(Outcome):
    """The outcome of requested usage reports: what they say, judged."""

    current: AdoptionState | None = None
    plan: AdoptionPlan | None = None


def apply(
    clients: Clients, options: AdoptionOptions, current: AdoptionState, plan: AdoptionPlan, report: Report
) -> Outcome:
    """Request the usage reports that are missing, wait for them and pending ones, and judge what they say."""
    pending = list_pending(current.catalog, current.reports)
    if options.check_mode or not (plan.actions or pending):
        return Outcome()
    requested, failures = request_reports(clients, plan.actions)
    refs = (*pending, *(ImageRef(action.target.region, str(action.resource)) for action in requested))
    report(f"Waiting for {count(len(refs), 'usage report')}, which AWS makes in minutes")
    wait_for_reports(clients, refs)
    final = _read_reported(clients, options, replace(current, now=datetime.now(UTC)), failures)
    final_plan = judge_all(options, final)
    return Judgement(performed=requested, failures=final_plan.failures, current=final, plan=final_plan)


def _read_catalog(
    clients: Clients, options: AdoptionOptions, account_id: str, regions: Collection[str], now: datetime
) -> Catalog:
    """Return the releases in the owner's images of all its regions.

    Without the images of one region, the newest release could be unknown: that is refused, unless the option
    ``regions`` leaves that region out.
    """
    clients.open("ec2", regions)
    done, failed = map_parallel(regions, lambda region: read_own_images(clients.ec2(region), region))
    if refused := [region for region in failed if region in (options.regions or regions)]:
        raise ValidationError(
            errors.failure(failed[region], Target(account_id, region), "DescribeImages") for region in refused
        )
    images = {
        ImageRef(region, own.image.image_id): own for region, of_region in done.items() for own in of_region
    }
    foreign = _read_foreign(clients, account_id, list_sources(images, options.forms_families), done)
    catalog = replace(
        build_catalog(account_id, images, options.forms_families, now, foreign, options.deny_images),
        unread=tuple(sorted(failed)),
        limited_to=options.regions,
    )
    all_families = build_catalog(account_id, images, replace(options.forms_families, names=()), now).families
    if refusals := tuple(_refuse_missing_families(options, catalog, all_families, len(done))):
        raise ValidationError(refusals)
    return catalog


def _read_foreign(
    clients: Clients, account_id: str, sources: Collection[ImageRef], regions: Collection[str]
) -> frozenset[ImageRef]:
    """Return the sources of the owner's images that other accounts own, as far as the owner sees them."""
    by_region: dict[str, list[str]] = {}
    for ref in sources:
        if ref.region in regions:
            by_region.setdefault(ref.region, []).append(ref.image_id)
    done, failed = map_parallel(
        by_region, lambda region: read_images(clients.ec2(region), region, by_region[region], account_id)
    )
    if failed:
        raise ValidationError(
            errors.failure(exception, Target(account_id, region), "DescribeImages")
            for region, exception in failed.items()
        )
    return frozenset(
        ref
        for found in done.values()
        for ref, (image, _origin) in found.items()
        if image.owner_id != account_id
    )


def _refuse_missing_families(
    options: AdoptionOptions, catalog: Catalog, all_families: Sequence[str], regions: int
) -> Iterator[Failure]:
    """Yield why there is nothing to report about: a report of no family would look like one without uses."""
    missing = [name for name in options.families if name not in catalog.families]
    account, place = f"account {catalog.account_id}", count(regions, "region")
    if missing and all_families:
        yield Failure(
            f"families: the {account} has no image of the family {join_texts(missing)} in {place}. Its "
            f"families are {join_texts(all_families)}.",
            "Correct the names, or the account of the credentials.",
            _NO_FAMILY,
            "families",
        )
    elif not all_families:
        images = count(len(catalog.own), "image")
        yield Failure(
            f"{options.family_option}: none of the {images} of the {account} in {place} is of a family.",
            "Correct the option, or the account of the credentials.",
            _NO_FAMILY,
            options.family_option,
        )
    elif options.depth == USAGE_REPORTS and not catalog.regions:
        yield Failure(
            f"regions: the {account} has no image of a family in {join_texts(options.regions)}: AWS has no "
            "usage report of it there.",
            "Correct or leave out regions.",
            _NO_FAMILY,
            "regions",
        )


def result(
    options: AdoptionOptions, current: AdoptionState, plan: AdoptionPlan, outcome: Outcome
) -> dict[str, Any]:
    """Return the returned keys that are specific to this module."""
    if isinstance(outcome, Judgement) and outcome.current is not None and outcome.plan is not None:
        return build_result(options, outcome.current, outcome.plan)
    return build_result(options, current, plan)


FLOW: Flow[AdoptionOptions, AdoptionState] = Flow(
    AdoptionOptions,
    read_state,
    make_plan,
    apply,
    result,
    only_reads=True,
    attaches="_page",
    report=Reporting(
        build_content,
        build_document,
        compare_reports,
        replaces=frozenset({"accounts", "findings", "uses"}),
        only_in_files=frozenset({"uncounted", "uses"}),
        remember=remember,
    ),
    policy="adoption",
)

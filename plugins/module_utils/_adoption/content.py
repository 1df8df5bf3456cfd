# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Content of a report on adoption: what each account uses of which release, and what was not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._failures import Failure, summary
from .._listing import count, join_texts
from .._reports import steps
from .._reports.document import SEVERITIES, WRITTEN_AT
from .causes import UNREADABLE
from .options import AdoptionOptions
from .state import CONFIG, USAGE_REPORTS, WITHOUT_ROLES, name_no_use

# They change with time: the same state of the accounts results in the same report.
_OF_TIME = ("days_behind",)
INCOMPLETE = "incomplete"
"""The status of a report that lacks something that could not be read."""
CURVE = "curve"
"""The key with the earlier counts of current and other uses, the oldest first."""
SCOPE = "scope"
"""The key with what the report is about. Only reports of the same scope are compared."""
UNCOUNTED = "uncounted"
"""The key with the uses in earlier reports without roles, of images that the owner does not have any more."""
_LISTS = {
    "account_ids": "accounts",
    "deny_images": "denied images",
    "families": "families",
    "regions": "regions",
}
_VALUES = {"account_id": "owner", "depth": "depth"}
# A year of weekly reports.
_MOST_POINTS = 52
_NO_USE = {USAGE_REPORTS: "AWS's usage reports show no use", CONFIG: "AWS Config shows no use"}
# What a sentence names.
_NAMED = 3


def build_content(options: AdoptionOptions, returned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report on the result of ``ami_adoption``, successful or failed.

    ``status`` is ``incomplete`` if something could not be read, otherwise ``behind`` if an account uses
    another release than the current one, else ``unknown`` if it cannot be told, else ``current``, or
    ``unused`` if nothing uses an image, ``unreported`` if usage reports show nothing.
    """
    failures = _failures(returned)
    findings = [
        {**finding, "message": steps.strip_request(finding["message"])}
        for finding in returned.get("findings", ())
    ]
    if "findings" not in returned:
        findings = [_nothing_read(failure) for failure in failures]
    accounts = [
        {**account, "worst": account["worst"] and _without_time(account["worst"])}
        for account in returned.get("accounts", ())
    ]
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        counts[finding["severity"]] += 1
    content = {
        "accounts": accounts,
        "counts": counts,
        CURVE: [],
        "denied": list(returned.get("denied", ())),
        "failures": failures,
        "findings": findings,
        "limits": list(returned.get("limits", ())),
        "not_looked_at": list(returned.get("not_looked_at", ())),
        "releases": list(returned.get("releases", ())),
        SCOPE: _scope(options, returned),
        "totals": {
            name: sum(account[name] for account in accounts)
            for name in ("behind", "current", "other", "unknown")
        },
        UNCOUNTED: [],
        "uses": [_without_time(use) for use in returned.get("uses", ())],
    }
    return _sum_up(content)


def _scope(options: AdoptionOptions, returned: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the report is about. No account means all that the usage reports name."""
    return {
        "account_id": returned.get("account_id"),
        "account_ids": sorted({*options.account_ids}),
        "deny_images": sorted({*options.deny_images}),
        "depth": options.depth,
        "families": sorted({release["family"] for release in returned.get("releases", ())}),
        "regions": list(returned.get("regions", ())),
    }


def has_read(content: Mapping[str, Any]) -> bool:
    """Whether the task was not refused: it then has read the releases at least."""
    return bool(content["releases"])


def explain_other_scope(previous: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """Return in a sentence how the scope of an earlier report differs; empty if it is the same."""
    old, new = previous[SCOPE], content[SCOPE]
    texts = [f"{noun} (was {old[key]})" for key, noun in _VALUES.items() if old[key] != new[key]]
    texts += [
        f"{noun} ({_describe_difference(key, old[key], new[key])})"
        for key, noun in _LISTS.items()
        if old[key] != new[key]
    ]
    return f"Not compared with the last report, which had another scope: {', '.join(texts)}." if texts else ""


def _describe_difference(key: str, old: Sequence[str], new: Sequence[str]) -> str:
    if key == "account_ids" and not (old and new):
        return "now all that AWS reports" if old else "were all that AWS reports"
    gone, added = ([name for name in one if name not in {*other}] for one, other in ((old, new), (new, old)))
    texts = [
        f"no longer {join_texts(gone, _NAMED)}" if gone else "",
        f"now also {join_texts(added, _NAMED)}" if added else "",
    ]
    return ", ".join(text for text in texts if text)


def remember(previous: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content with what only the earlier reports in the folder know.

    These are the points of the curve, and the uses of images that nothing reports any more. A refused
    task hands on what the report before it knew.
    """
    if not has_read(content):
        known = [*previous[UNCOUNTED], *(previous["uses"] if _is_reported(previous) else ())]
        handed_on = {CURVE: _grow(previous, content), SCOPE: previous[SCOPE], UNCOUNTED: known}
        return {**content, **handed_on}
    completed = _add_uncounted(previous, content)
    if explain_other_scope(previous, content):
        return completed
    return {**completed, CURVE: _grow(previous, completed)}


def _grow(previous: Mapping[str, Any], content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the points of the curve up to the earlier report.

    An unchanged report adds no point, nor does an incomplete one: what it could not read would look like
    progress.
    """
    curve: list[Mapping[str, Any]] = list(previous[CURVE])
    has_gone = previous["totals"] != content["totals"] or content["status"] == INCOMPLETE
    if previous["status"] != INCOMPLETE and has_gone:
        curve.append({**previous["totals"], "since": previous[WRITTEN_AT]})
    return list(_thin(curve))[-_MOST_POINTS:]


def _thin(curve: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the last point of each day; of the latest days all points, as far as there is room."""
    excess = len(curve) - _MOST_POINTS
    for place, point in enumerate(curve):
        following = curve[place + 1]["since"] if place + 1 < len(curve) else ""
        if excess > 0 and following[:10] == point["since"][:10]:
            excess -= 1
        else:
            yield point


def _is_reported(content: Mapping[str, Any]) -> bool:
    """Whether only uses of images that the owner has are in it, as AWS reports them."""
    return content[SCOPE]["depth"] in WITHOUT_ROLES


def _add_uncounted(previous: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content with the reported uses of images that the owner does not have any more, as unknown.

    AWS has no usage report of a deregistered image, whose instances still run. AWS Config is not asked for
    one, except for the image that the others of a release are copies of.
    """
    old, new = previous[SCOPE], content[SCOPE]
    if not (_is_reported(previous) and _is_reported(content)) or old["account_id"] != new["account_id"]:
        return dict(content)
    images = {
        (image["region"], image["image_id"]) for release in content["releases"] for image in release["images"]
    }
    if new["depth"] == CONFIG:
        images |= {(release["region"], release["image_id"]) for release in content["releases"]}
    known = content[UNCOUNTED]
    uncounted = [
        use
        for use in (*previous[UNCOUNTED], *previous["uses"])
        if use["family"] in new["families"]
        and (use["region"], use["image_id"]) not in images
        and (not new["account_ids"] or use["account_id"] in new["account_ids"])
        and use not in known
    ]
    if not uncounted:
        return dict(content)
    totals, number = content["totals"], sum(use["number"] for use in uncounted)
    return _sum_up(
        {
            **content,
            "not_looked_at": [*_describe_uncounted(uncounted), *content["not_looked_at"]],
            "totals": {**totals, "unknown": totals["unknown"] + number},
            UNCOUNTED: [*known, *uncounted],
        }
    )


def _describe_uncounted(uses: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    numbers: Counter[tuple[str, str]] = Counter()
    accounts: dict[tuple[str, str], dict[str, None]] = {}
    for use in uses:
        image = use["image_id"], f"{use['release']} ({use['image_id']})"
        numbers[image] += use["number"]
        accounts.setdefault(image, {})[use["account_id"]] = None
    for image, number in numbers.items():
        names = [*accounts[image]]
        noun = "account" if len(names) == 1 else "accounts"
        yield (
            f"The last report showed {count(number, 'use')} of {image[1]} in {noun} "
            f"{join_texts(names, _NAMED)}. The owner does not have this image any more: they are not "
            "counted, but may still run. The depths instances and launches find them."
        )


def _without_time(use: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in use.items() if name not in _OF_TIME}


def _failures(returned: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what could not be read, without the findings that ``fail_on`` turned into failures."""
    failures = [failure for failure in steps.collect_failures([returned]) if failure["action"] != "fail_on"]
    if "findings" not in returned and not failures:
        message = returned.get("msg") or "Nothing was read."
        failures = steps.collect_failures([{"failed": True, "msg": message}])
    return failures


def _nothing_read(failure: Mapping[str, Any]) -> dict[str, Any]:
    """Return the failure as a finding: SARIF and CSV hold findings only, and would look clean without it."""
    return {
        "account_id": failure["account_id"],
        "code": UNREADABLE.code,
        "image_id": None,
        "message": failure["message"],
        "principal": None,
        "region": failure["region"],
        "remedy": failure["remedy"] or "",
        "resource": failure["action"],
        "severity": UNREADABLE.severity.label,
    }


def _sum_up(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content with its status and its summary."""
    return {**content, "status": _status(content), "summary": _summary(content)}


def _status(content: Mapping[str, Any]) -> str:
    if content["failures"]:
        return INCOMPLETE
    totals = content["totals"]
    names = ("behind", "unknown", "current")
    return next((name for name in names if totals[name]), name_no_use(content[SCOPE]["depth"]))


def describe_uses(content: Mapping[str, Any]) -> str:
    """Return the share of the current release; without any use, how far that is known."""
    if not has_read(content):
        return "nothing was read"
    totals, is_reported = content["totals"], _is_reported(content)
    counted = totals["current"] + totals["behind"] + totals["unknown"]
    if counted:
        uses = count(counted, "reported use" if is_reported else "use")
        return f"{totals['current']:,} of {uses} of the current release"
    none = _NO_USE.get(content[SCOPE]["depth"], "no use of these families was found")
    return f"{none} in what could be read" if content["failures"] else none


def describe_denied(content: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield what was found of each denied image, in a sentence, and whether it is used."""
    for denied in content["denied"]:
        image_id, number = denied["image_id"], denied["uses"]
        if number:
            uses, accounts = count(number, "use"), count(denied["accounts"], "account")
            yield f"Denied: {uses} of {image_id}, or of what comes from it, in {accounts}.", True
        elif unknown := content["totals"]["unknown"]:
            verb = "is not known: it" if unknown == 1 else "are not known: they"
            yield f"No use of {image_id} was found, but {count(unknown, 'use')} {verb} can be of it.", False
        else:
            yield f"No use of {image_id} was found in what was read.", False


def list_current(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the current release of each family, with its fault if nobody should change to it.

    Of several without a date, nothing tells which one is the newest.
    """
    newest = [each for each in content["releases"] if not each["releases_behind"] and not each["withdrawn"]]
    number = Counter(release["family"] for release in newest)
    for family in (family for family in number if number[family] > 1):
        yield family, f"not known, {number[family]:,} releases have no date"
    for release in newest:
        if number[release["family"]] == 1:
            created = f", {release['created'][:10]}" if release["created"] else ""
            fault = f", which {release['fault']}: distribute a fixed release" if release["fault"] else ""
            yield release["family"], f"{release['name']} ({release['image_id']}{created}){fault}"


def count_behind(content: Mapping[str, Any]) -> str:
    """Return how many uses are behind in how many accounts; empty without any."""
    laggards = count(sum(bool(account["behind"]) for account in content["accounts"]), "account")
    behind = content["totals"]["behind"]
    return f"{behind:,} behind in {laggards}" if behind else ""


def count_others(content: Mapping[str, Any]) -> str:
    """Return how many uses are of other images; empty without any."""
    other = content["totals"]["other"]
    return f"{other:,} of other images" if other else ""


def _summary(content: Mapping[str, Any]) -> str:
    """Return the result in sentences, with what could not be read and why."""
    unread = list(map(Failure.from_result, content["failures"]))
    accounts, scope = content["accounts"], content[SCOPE]
    used = ", ".join(
        text for text in (describe_uses(content), count_behind(content), count_others(content)) if text
    )
    lines = [*(text for text, _is_used in describe_denied(content)), f"{used[0].upper()}{used[1:]}."]
    if has_read(content):
        found, regions = count(len(accounts), "account"), count(len(scope["regions"]), "region")
        where = f"{found} in {regions} looked at"
        if not scope["account_ids"] and scope["depth"] == CONFIG:
            where = f"The aggregator has {found} in {regions}"
        elif not scope["account_ids"]:
            where = f"Usage reports of {regions} name {found}"
        unreadable = sum(bool(account["unread_regions"]) for account in accounts)
        lines.append(f"{where}, {unreadable:,} of them not read, or only in part.")
    if unknown := content["totals"]["unknown"]:
        lines.append(f"Of {count(unknown, 'use')} the release is not known.")
    if unread:
        lines.append(f"Not everything could be read: {summary(unread, 'the report')}")
    return "\n".join(lines)

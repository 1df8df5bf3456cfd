#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cleanup_report
version_added: 0.1.0
short_description: Report which AMIs were retired, and why
description:
  - Makes one report of what M(golden.images.ami_cleanup) returned, be it success or failure, and writes it as JSON, CSV,
    SARIF and HTML.
  - It says what becomes of each image, why, on what evidence, and how much storage and money that frees at most. Snapshots
    are incremental, so that AWS alone knows how much it is. Deprecating and disabling frees nothing.
  - A file is rewritten only when what it says changes, the time of writing aside.
author:
  - golden.images contributors !UNKNOWN
options:
  cleanup_result:
    description:
      - What M(golden.images.ami_cleanup) returned. If that is nothing, or a failure without results, the report has the
        status V(failed) or V(refused).
    type: dict
    required: true
  from_check_mode:
    description:
      - Whether it returned this in check mode. The report then says that it is a plan and that nothing was changed, and goes
        to the folder C(plan) in O(report_dir), so that it takes the place of no report on what was done.
    type: bool
    default: false
  prices:
    description:
      - What a GiB of snapshots costs in a month, by region; C(default) is the price of all others. AWS's prices change, so
        that none are built in.
      - Without prices the report speaks of GiB only.
    type: dict
    default: {}
  currency:
    description:
      - What the prices are in, as the report is to show it.
    type: str
    default: USD
  report_path:
    description:
      - A JSON file to write. Without it and O(report_dir) the report is only returned.
    type: path
  report_dir:
    description:
      - A folder to write C(report.json), C(report.csv), C(report.sarif) and C(report.html) to. It is made if only it is missing.
      - The report says what was decided anew since the one that is there already.
    type: path
attributes:
  check_mode:
    support: full
    description: Returns the report and writes nothing.
  diff_mode:
    support: full
    description: Shows what the report said before and says now.
seealso:
  - module: golden.images.ami_cleanup
"""

EXAMPLES = r"""
- name: Deprecate what nobody has used for 90 days
  golden.images.ami_cleanup:
    family_name_pattern: (golden-\w+)-.*
    unused_for_days: 90
    deprecate_after_days: 0
  # What was done is reported even if something failed.
  ignore_errors: true
  register: cleaned

- name: Report it
  golden.images.cleanup_report:
    cleanup_result: "{{ cleaned }}"
    from_check_mode: "{{ ansible_check_mode }}"
    prices:
      us-east-1: 0.05
      default: 0.06
    report_dir: cleanup
"""

RETURN = r"""
report:
  description: The report, as C(report.json) holds it.
  returned: success, and failure after the report was made
  type: dict
  contains:
    currency:
      description: What costs are in; null without prices.
      type: str
      returned: always
    failures:
      description: What failed, and what to do about it.
      type: list
      elements: dict
      returned: always
    grants:
      description: Grants on KMS keys that were revoked.
      type: list
      elements: dict
      returned: always
    images:
      description:
        - The images as in RV(golden.images.ami_cleanup#module:results), each also with its C(outcome), which is V(done),
          V(planned), V(not_done) or, of images that wait or are kept, V(no_action), with its C(monthly_cost), and with
          C(freed_gib), C(freed_later_gib) and C(freed_monthly_cost).
        - Sizes and costs are the most that it can be.
      type: list
      elements: dict
      returned: always
    prices:
      description: The prices.
      type: dict
      returned: always
    regions:
      description: By region the same as C(totals).
      type: dict
      returned: always
    orphan_snapshots:
      description: Snapshots of former images that were deleted. They are in no sum.
      type: list
      elements: dict
      returned: always
    status:
      description:
        - V(done), V(planned) in check mode, or V(incomplete) if a part could not be done.
        - V(refused) if nothing was done at all, since too many images would have gone, say, and V(failed) if it is not known
          what was done. These have no images.
      type: str
      returned: always
    summary:
      description: For a person, what it came to.
      type: str
      returned: always
    totals:
      description:
        - How many C(images), their C(size_gib) and C(monthly_cost), and the same C(by_decision); what is freed at most
          (C(freed_gib), C(freed_monthly_cost)), the part of it that the Recycle Bin keeps for now (C(freed_later_gib)), and
          how many images have no price (C(unpriced_images)).
      type: dict
      returned: always
    warnings:
      description: What M(golden.images.ami_cleanup) warned of, images that were spared at the last moment say.
      type: list
      elements: str
      returned: always
report_path:
  description: The JSON file, null if none was wanted.
  returned: success, and failure after the report was made
  type: str
report_dir:
  description: The folder, null if none was wanted.
  returned: success, and failure after the report was made
  type: str
  sample: cleanup
changes:
  description:
    - What is new since the report that was in the folder (C(added)) and what is not so any more (C(removed)), as sentences, and of
      when that was (C(since)). Null if there was none.
  returned: success, and failure after the report was made
  type: dict
  sample:
    added: ["eu-west-1: ami-0123456789abcdef0 (golden-web) was deregistered."]
    removed: ["eu-west-1: ami-0123456789abcdef0 (golden-web) is to be deregistered on 2026-11-23."]
    since: "2026-11-22T05:00:00+00:00"
actions:
  description: The writing of each file that needed it.
  returned: success, and failure after the report was made
  type: list
  elements: dict
  sample: [{"account_id": null, "action": "write", "region": null, "resource": "cleanup/report.html"}]
failures:
  description: Why a file could not be written, if so.
  returned: always
  type: list
  elements: dict
"""

from ansible_collections.golden.images.plugins.module_utils.cleanup.report.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.runner import run

ARGUMENT_SPEC = {
    "cleanup_result": {"type": "dict", "required": True},
    "from_check_mode": {"type": "bool", "default": False},
    "prices": {"type": "dict", "default": {}},
    "currency": {"type": "str", "default": "USD"},
    "report_path": {"type": "path"},
    "report_dir": {"type": "path"},
}


def main():
    run(FLOW, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()

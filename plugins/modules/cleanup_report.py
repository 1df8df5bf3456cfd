#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cleanup_report
version_added: 0.1.0
short_description: Report the result of an AMI cleanup
description:
  - Creates a report of the result of M(golden.images.ami_cleanup), on success or failure, and writes it as JSON, CSV, SARIF
    and HTML.
  - The report shows the decision on each image with its reasons and evidence, and the most storage and cost that is freed.
    Snapshots are incremental, so only the AWS bill shows the actual amount. Deprecating and disabling free no storage.
  - A file is rewritten only if its content changes, except for the time of writing.
author:
  - golden.images contributors !UNKNOWN
options:
  cleanup_result:
    description:
      - The result of M(golden.images.ami_cleanup). If it is empty, or a failure without results, the status of the report is
        V(failed) or V(refused).
    type: dict
    required: true
  from_check_mode:
    description:
      - Whether the result is from check mode. The report is then a plan, and is written to the directory C(plan) in
        O(report_dir), so that it does not overwrite a report on performed actions.
    type: bool
    default: false
  prices:
    description:
      - The monthly price of a GiB of snapshots, by region. C(default) is the price of all other regions. No prices are built
        in, because AWS changes them.
      - Without prices, the report has sizes in GiB only.
    type: dict
    default: {}
  currency:
    description:
      - The currency of the prices, as the report shows it.
    type: str
    default: USD
  report_path:
    description:
      - A JSON file to write. Without this option and O(report_dir), the report is only returned.
    type: path
  report_dir:
    description:
      - A directory to write C(report.json), C(report.csv), C(report.sarif) and C(report.html) to. It is created, and its
        parent too.
      - The report lists the changes since the previous report in that directory.
    type: path
  account_names:
    description:
      - Mapping of account ID to name. The HTML page shows the names of accounts with their IDs.
    type: dict
    default: {}
extends_documentation_fragment:
  - golden.images.option_forms
attributes:
  check_mode:
    support: full
    description: Returns the report and writes nothing.
  diff_mode:
    support: full
    description: Shows the previous and the new report, from verbosity 1 (C(-v)) on.
seealso:
  - module: golden.images.ami_cleanup
"""

EXAMPLES = r"""
- name: Deprecate images that were not used for 90 days
  golden.images.ami_cleanup:
    family_name_pattern: (golden-\w+)-.*
    unused_for_days: 90
    deprecate_after_days: 0
  # The result is reported even if a step failed.
  ignore_errors: true
  register: cleaned

- name: Write the cleanup report
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
  description: The report, with the same content as C(report.json).
  returned: success, and failure after the report was made
  type: dict
  sample:
    check_mode: false
    currency: USD
    failures: []
    grants: []
    images:
      - creation_date: "2026-05-08T20:39:22.385000+00:00"
        decision: deprecate
        evidence: []
        family: golden-db
        freed_gib: 0
        freed_later_gib: 0
        freed_monthly_cost: 0.0
        image_id: ami-0123456789abcdef0
        later_stages: []
        monthly_cost: 0.4
        name: golden-db-204
        next_stage: null
        next_stage_at: null
        outcome: done
        reasons: []
        recoverable_until: null
        region: us-east-1
        size_gib: 8
        snapshots: []
    kms_keys: []
    orphan_snapshots: []
    prices: {default: 0.06, us-east-1: 0.05}
    regions:
      us-east-1:
        by_decision:
          deprecate: {done: 3, images: 3, monthly_cost: 1.2, not_done: 0, size_gib: 24}
          deregister: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
          disable: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
          keep: {done: 0, images: 3, monthly_cost: 2.2, not_done: 0, size_gib: 44}
          wait: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
        freed_gib: 0
        freed_later_gib: 0
        freed_monthly_cost: 0.0
        images: 6
        monthly_cost: 3.4
        size_gib: 68
        unpriced_images: 0
    status: done
    summary: 3 of 7 images were deprecated.
    tags: {tagged: 0, untagged: 0}
    totals:
      by_decision:
        deprecate: {done: 3, images: 3, monthly_cost: 1.2, not_done: 0, size_gib: 24}
        deregister: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
        disable: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
        keep: {done: 0, images: 4, monthly_cost: 2.68, not_done: 0, size_gib: 52}
        wait: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
      freed_gib: 0
      freed_later_gib: 0
      freed_monthly_cost: 0.0
      images: 7
      monthly_cost: 3.88
      size_gib: 76
      unpriced_images: 0
    unreadable: []
    usage_reports: 0
    warnings: []
  contains:
    check_mode:
      description: Whether the cleanup ran in check mode.
      type: bool
      returned: always
    currency:
      description: The currency of the costs. Null without prices.
      type: str
      returned: always
    failures:
      description: What failed, and what to do about it.
      type: list
      elements: dict
      returned: always
    grants:
      description: The grants on KMS keys that were revoked.
      type: list
      elements: dict
      returned: always
    images:
      description:
        - The images as in RV(golden.images.ami_cleanup#module:results). Each also has its C(outcome), which is V(done),
          V(planned), V(not_done) or, for images that wait or are kept, V(no_action), its C(monthly_cost), and C(freed_gib),
          C(freed_later_gib) and C(freed_monthly_cost).
        - Sizes and costs are upper bounds.
      type: list
      elements: dict
      returned: always
    kms_keys:
      description: The KMS keys as in RV(golden.images.ami_cleanup#module:kms_keys).
      type: list
      elements: dict
      returned: always
    prices:
      description: The prices.
      type: dict
      returned: always
    regions:
      description: The same values as C(totals), by region.
      type: dict
      returned: always
    orphan_snapshots:
      description: The snapshots without an image that were deleted. The totals do not include them.
      type: list
      elements: dict
      returned: always
    status:
      description:
        - V(done), V(planned) in check mode, or V(incomplete) if a step failed.
        - V(refused) if nothing was done, for example because of too many deletions, or V(failed) if it is not known what was
          done. With these two, there are no images.
      type: str
      returned: always
    summary:
      description: The result in a few sentences.
      type: str
      returned: always
    tags:
      description:
        - How many images only got tags, the dates of stages (C(tagged)), and from how many images and snapshots tags were
          only removed (C(untagged)).
      type: dict
      returned: always
    totals:
      description:
        - The number of C(images), their C(size_gib) and C(monthly_cost), and the same C(by_decision). The most that is freed
          (C(freed_gib), C(freed_monthly_cost)), the part of it that the Recycle Bin retains for now (C(freed_later_gib)), and
          the number of images without a price (C(unpriced_images)).
      type: dict
      returned: always
    unreadable:
      description: What could not be read, as in RV(golden.images.ami_cleanup#module:unreadable).
      type: list
      elements: dict
      returned: always
    usage_reports:
      description: For how many images AWS was asked for a usage report.
      type: int
      returned: always
    warnings:
      description: The warnings of M(golden.images.ami_cleanup), for example about images that the final check skipped.
      type: list
      elements: str
      returned: always
report_path:
  description: The JSON file. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
report_dir:
  description: The directory of the reports. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
  sample: cleanup
changes:
  description: The changes since the previous report in O(report_dir). Null if there is none.
  returned: success, and failure after the report was made
  type: dict
  sample:
    added: ["us-east-1: ami-0123456789abcdef0 (golden-db-204) was deprecated."]
    removed: []
    since: "2026-11-24T12:00:00+00:00"
  contains:
    added:
      description: What is new, in sentences.
      type: list
      elements: str
      returned: always
    removed:
      description: What no longer applies, in sentences.
      type: list
      elements: str
      returned: always
    since:
      description: The time of the previous report.
      type: str
      returned: always
actions:
  description: The files that were written, or would be written in check mode.
  returned: success, and failure after the report was made
  type: list
  elements: dict
  sample: [{"account_id": null, "action": "write", "region": null, "resource": "cleanup/report.html"}]
failures:
  description: What failed, and what to do about it.
  returned: always
  type: list
  elements: dict
  contains:
    account_id:
      description: The account. Null if the failure is not about one account.
      type: str
      returned: always
    action:
      description: The AWS operation or the option that failed.
      type: str
      returned: always
    error_code:
      description:
        - AWS's error code, the name of botocore's exception, or this collection's own code in snake_case.
        - C(docs/codes.md) of this collection lists the own codes.
      type: str
      returned: always
    message:
      description: What went wrong.
      type: str
      returned: always
    region:
      description: The region. Null if the failure is not about one region.
      type: str
      returned: always
    remedy:
      description: What to do about it.
      type: str
      returned: always
    request_id:
      description: AWS's request ID. Null unless AWS returned the error.
      type: str
      returned: always
    source:
      description:
        - V(aws) if AWS returned an error, V(sdk) if botocore failed before a response, else V(collection).
      type: str
      returned: always
"""

from ansible_collections.golden.images.plugins.module_utils.cleanup.report.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_report
version_added: 0.1.0
short_description: Report who can use an account's AMIs
description:
  - Creates a report of the result of M(golden.images.ami_share_audit), whether that succeeded or failed, and writes it as
    JSON, CSV, SARIF and HTML.
  - What could not be read is part of the report, so that an incomplete audit is never reported as clean.
  - A file is rewritten only when its content changes, apart from the time of writing.
author:
  - golden.images contributors !UNKNOWN
options:
  report_path:
    description:
      - A JSON file to write. Without it and O(report_dir), the report is only returned.
    type: path
  report_dir:
    description:
      - The directory for C(report.json), C(report.csv), C(report.sarif) and C(report.html), which C(docs/reports.md) of this
        collection explains. It is created, and its parent too.
      - The files also list the changes since the previous report. Requires Jinja2.
    type: path
  account_names:
    description:
      - Mapping of account ID to name. The HTML page shows the names of accounts with their IDs.
    type: dict
    default: {}
extends_documentation_fragment:
  - golden.images.audit_result
  - golden.images.option_forms
attributes:
  check_mode:
    support: full
    description: Returns the report and writes nothing.
  diff_mode:
    support: full
    description: Shows the previous and the new content of the report, from verbosity 1 (C(-v)) on.
seealso:
  - module: golden.images.ami_share_audit
"""

EXAMPLES = r"""
- name: Audit who can use the account's images
  golden.images.ami_share_audit:
    allowed_account_ids: ["012345678901"]
  # An incomplete audit is reported, too.
  ignore_errors: true
  register: audit_result

- name: Write the report
  golden.images.audit_report:
    audit_result_var: audit_result
    report_dir: audit
"""

RETURN = r"""
report:
  description:
    - The content of C(report.json) without the C(images), of which there can be tens of thousands.
  returned: success, and failure after the report was made
  type: dict
  sample:
    account_id: "111122223333"
    counts: {high: 2, low: 0, medium: 0}
    failures: []
    findings:
      - account_id: "111122223333"
        code: unknown_account
        image_id: ami-0123456789abcdef0
        message: ami-0123456789abcdef0 (golden-web-2026.11.1) is shared with the account 123456789012.
        principal: "123456789012"
        region: eu-west-1
        remedy: "Unshare it (state: absent of ami_share), or allow it in the audit."
        resource: ami-0123456789abcdef0
        severity: high
    kms_keys:
      - aws_managed: false
        kms_key_arn: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
        region: eu-west-1
        state: Enabled
        users:
          - created_by_collection: true
            operations: [CreateGrant, Decrypt, DescribeKey, GenerateDataKey, GenerateDataKeyWithoutPlaintext, ReEncryptFrom, ReEncryptTo]
            principal: arn:aws:iam::123456789012:root
            through: grant
    not_checked: []
    regions:
      eu-west-1:
        counts: {high: 2, low: 0, medium: 0}
        image_block_managed_by: account
        image_block_public_access: block-new-sharing
        images: 1
        read: true
        shared_images: 1
        snapshot_block_managed_by: account
        snapshot_block_public_access: unblocked
    status: findings
    summary: "2 findings (2 high).\n3 images in 32 regions audited, 1 of them shared."
  contains:
    account_id:
      description: The account that owns the images. Null if it could not be read.
      type: str
      returned: always
    counts:
      description: The number of findings of each severity.
      type: dict
      returned: always
    failures:
      description: What could not be read, and what to do about it.
      type: list
      elements: dict
      returned: always
    findings:
      description: The findings, as M(golden.images.ami_share_audit) returns them.
      type: list
      elements: dict
      returned: always
    kms_keys:
      description: The keys that encrypt images, each with its C(users).
      type: list
      elements: dict
      returned: always
    not_checked:
      description: What the audit was not asked to read, V(snapshots) or V(keys).
      type: list
      elements: str
      returned: always
    regions:
      description: For each region, whether it was read, its images, its findings by severity, and its block public access settings.
      type: dict
      returned: always
    status:
      description:
        - V(incomplete) if something could not be read, otherwise V(findings) if there are any, else V(clean).
      type: str
      returned: always
    summary:
      description: The result in a few sentences, and what could not be read and why.
      type: str
      returned: always
report_path:
  description: The JSON file. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
report_dir:
  description: The directory of the reports. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
  sample: audit
changes:
  description: The changes since the previous report in O(report_dir). Null if there is none.
  returned: success, and failure after the report was made
  type: dict
  sample:
    added: ["eu-west-1: ami-0123456789abcdef0 (golden-web-2026.11.1) is shared with the account 123456789012. (unknown_account)"]
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
  sample: [{"account_id": null, "action": "write", "region": null, "resource": "audit/report.html"}]
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

from ansible_collections.golden.images.plugins.module_utils.audit.report.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()

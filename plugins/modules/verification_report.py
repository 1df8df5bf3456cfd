#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verification_report
version_added: 0.1.0
short_description: Report which accounts can launch an AMI
description:
  - Creates one report of the results of M(golden.images.ami_share_diagnose) and M(golden.images.ami_launch_probe), whether they
    succeeded or failed, and writes it as JSON, or as JSON, CSV, SARIF and HTML to a directory.
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
  level:
    description:
      - The level that every account must reach in every region.
      - V(visible) means that the account can see the image, V(authorized) that AWS would accept a launch and that the account's
        role can use the keys of an encrypted image, V(launched) that an instance was running. Only V(launched) proves the use of
        keys for certain; for V(authorized), it can be uncertain.
    type: str
    choices: [visible, authorized, launched]
    required: true
  regions:
    description:
      - The regions to verify.
    type: list
    elements: str
    required: true
  account_ids:
    description:
      - The accounts to verify in each region. The default is those in the results. An account without a result has not reached
        the level.
    type: list
    elements: str
    default: []
  diagnosis_result:
    description:
      - The result of M(golden.images.ami_share_diagnose).
    type: dict
    default: {}
  probe_result:
    description:
      - The result of M(golden.images.ami_launch_probe). Empty if nothing was launched.
    type: dict
    default: {}
  publish_uncertain:
    description:
      - Set it if the image is to be published. The regions that uncertain accounts keep from that are in the report then.
      - V(true), or a list of the accounts that may be uncertain.
    type: raw
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
    description: Shows the previous and the new content of the report, from verbosity 1 (C(-v)) on.
"""

EXAMPLES = r"""
- name: Launch the image
  golden.images.ami_launch_probe:
    images:
      us-east-1: ami-0123456789abcdef0
    account_ids: ["111111111111"]
    subnet_ids:
      us-east-1: subnet-0fedcba9876543210
  register: probe_result

- name: Write the report
  golden.images.verification_report:
    report_path: verification.json
    report_dir: verification
    level: launched
    regions: [us-east-1]
    account_ids: ["111111111111"]
    probe_result: "{{ probe_result }}"
"""

RETURN = r"""
report:
  description: The content of the file.
  returned: success
  type: dict
  sample:
    failed_regions: []
    failures: []
    level: launched
    results:
      - account_id: "111122223333"
        findings: []
        image_id: ami-0123456789abcdef0
        key_use: null
        level: launched
        principal: null
        reached: true
        region: us-east-1
        uncertain: false
    status: verified
    summary: ""
    uncertain_regions: []
  contains:
    failed_regions:
      description: The regions in which an account did not reach the level.
      type: list
      elements: str
      returned: always
    failures:
      description: What failed, and what to do about it.
      type: list
      elements: dict
      returned: always
    kept_back:
      description:
        - The C(regions) in which the image is not to be published, because it is uncertain that all accounts can use its keys, with
          C(error_code), C(message) and C(remedy).
      type: dict
      returned: if O(publish_uncertain) is set and does not accept all uncertain accounts
    level:
      description: The required level.
      type: str
      returned: always
    results:
      description:
        - For each image in each account, the proved C(level), whether it is sufficient (C(reached)), and the C(findings) with
          C(code), C(error_code), C(severity), C(message) and C(remedy).
        - C(key_use) is V(proven), V(uncertain), V(refused), V(not_checked) at the level V(visible), or null if the image is not
          encrypted or no account was asked. C(principal) is the role or user that was checked.
        - An account is C(uncertain) if only the use of keys keeps it from the level V(authorized), and it is not known to be
          refused. It has not C(reached) the level.
      type: list
      elements: dict
      returned: always
    status:
      description:
        - V(verified) if every account reached the level in every region and no instance may still be running, V(uncertain) if the
          others are only uncertain, V(failed) if no account reached it in any region, else V(incomplete).
      type: str
      returned: always
    summary:
      description: The accounts that did not reach the level and why, and other failures, in sentences.
      type: str
      returned: always
    uncertain_regions:
      description: The other regions in which an account is uncertain.
      type: list
      elements: str
      returned: always
report_path:
  description: The JSON file. Null if none was requested.
  returned: success
  type: str
report_dir:
  description: The directory of the reports. Null if none was requested.
  returned: success
  type: str
changes:
  description: The changes since the previous report in O(report_dir). Null if there is none.
  returned: success
  type: dict
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
  returned: success
  type: list
  elements: dict
  sample: [{"account_id": null, "action": "write", "region": null, "resource": "verification.json"}]
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

from ansible_collections.golden.images.plugins.module_utils.runner import run
from ansible_collections.golden.images.plugins.module_utils.verification.flow import FLOW


def main():
    run(FLOW)


if __name__ == "__main__":
    main()

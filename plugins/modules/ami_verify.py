#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_verify
version_added: 0.1.0
short_description: Verify that accounts can launch an AMI
description:
  - Proves for every image and account that the account can launch the image, at one of three levels. Fails if an account has not
    reached the level; everything else is still returned.
  - Diagnoses each image in each account, as M(golden.images.ami_share_diagnose) does. For the level V(launched), also launches it
    there and terminates the instance, as M(golden.images.ami_launch_probe) does. Needs the permissions of these modules.
  - What cannot be read or proven never counts as verified.
  - Can write a report as JSON, CSV, SARIF and HTML, whether it succeeded or failed.
  - The level V(launched) B(costs money). AWS bills at least a minute of each instance, and its volumes.
author:
  - golden.images contributors !UNKNOWN
options:
  level:
    description:
      - The level that every account must reach with every image.
      - V(visible) means that the account can see the image, V(authorized) that AWS would accept a launch and that the account's
        role can use the keys of an encrypted image, V(launched) that an instance was running.
      - For V(authorized), the use of keys is proven by dry runs of KMS, as far as that is possible without a launch. It can be
        uncertain, which does not fail the task; see RV(uncertain_regions). Only V(launched) proves it for certain.
      - In check mode, no instance is launched, and V(launched) verifies V(authorized) instead.
      - With O(parameter), V(authorized) and V(launched) also need that the account reads the image in the parameter. A
        distribution verifies before it publishes, so verify the parameter after that.
    type: str
    choices: [visible, authorized, launched]
    default: authorized
  account_ids:
    description:
      - The accounts that must be able to launch the images, each 12 digits in quotes.
      - No role is assumed for the account of the credentials.
    type: list
    elements: str
    required: true
  instance_type:
    description:
      - The instance type of launches and their dry runs. The default depends on the image's architecture, C(t3.nano),
        C(t4g.nano) or C(t2.nano).
    type: str
  wait_timeout:
    description:
      - For the level V(launched), seconds to wait until all instances of an account are running, at least 1.
    type: int
    default: 300
  publish_uncertain:
    description:
      - Set it if the images will be published. RV(kept_back) has the regions that uncertain accounts keep from that then.
      - V(true), or a list of the accounts that may be uncertain.
    type: raw
  grant_results:
    description:
      - The registered results of M(golden.images.ami_kms_grant) for the keys of the images. The one of a task that was skipped
        counts as none.
      - If one of them, or O(share_result), only plans a change in check mode, an account that does not reach the level does not
        fail the task, unless it could not be read.
    type: list
    elements: dict
    default: []
  host_account_id:
    description:
      - The account of this host, if each host of the play verifies its own. Other accounts are refused then, because every
        host would launch instances in them.
    type: str
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.report
  - golden.images.option_forms
  - golden.images.progress
  - golden.images.images_by_target
  - golden.images.shared_copies
  - golden.images.consumer_role
  - golden.images.launch
  - golden.images.parameter
  - golden.images.processes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Verifies the same, launches nothing and writes no report. Images that are null cannot be verified, which fails nothing.
  diff_mode:
    support: full
    description: Shows the previous and the new content of the report, from verbosity 1 (C(-v)) on.
notes:
  - The task is changed if it writes a report. Launched instances are terminated, and no change.
  - Launches of runs at the same time do not affect each other, also with the same image and account.
  - The instance types that an image supports are read with botocore 1.43.82 or newer. With an older one, the default of
    O(instance_type) can be a type that the image does not support.
  - KMS keys that a snapshot is associated with, beside its own key, are read with botocore 1.44.4 or newer.
seealso:
  - module: golden.images.ami_share_diagnose
  - module: golden.images.ami_launch_probe
"""

EXAMPLES = r"""
- name: Verify that AWS would accept a launch by each account
  golden.images.ami_verify:
    images:
      us-east-1: ami-0123456789abcdef0
    account_ids: ["012345678901", "111111111111"]
    consumer_role_name: golden-consumer

- name: Launch the image in the accounts
  golden.images.ami_verify:
    level: launched
    images:
      us-east-1: ami-0123456789abcdef0
    account_ids: ["012345678901", "111111111111"]
    consumer_role_name: golden-consumer
    subnet_ids:
      us-east-1:
        "012345678901": subnet-0123456789abcdef0
        "111111111111": subnet-0fedcba9876543210
    report_dir: verification
    return_report: true
"""

RETURN = r"""
level:
  description: The required level. Instead of V(launched), check mode requires V(authorized).
  returned: success, and failure after something was read, without O(return_report)
  type: str
  sample: authorized
results:
  description: The level that is proven of each image in each account.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: dict
  sample:
    - account_id: "012345678901"
      findings: []
      image_id: ami-0123456789abcdef0
      key_use: null
      level: authorized
      principal: arn:aws:iam::012345678901:role/golden-consumer
      reached: true
      region: us-east-1
      uncertain: false
  contains:
    account_id:
      description: The account.
      type: str
      returned: always
    findings:
      description:
        - Why the account did not reach a higher level, each with C(code), C(error_code), C(severity), C(message) and C(remedy). Empty
          if an instance was running.
      type: list
      elements: dict
      returned: always
    image_id:
      description: The AMI ID. Null for a copy that does not exist yet, or if the account was not asked.
      type: str
      returned: always
    key_use:
      description:
        - V(proven), V(uncertain), V(refused), V(not_checked) at the level V(visible), or null if the image is not encrypted or no
          account was asked.
      type: str
      returned: always
    level:
      description: The level that is proven. Null if none is.
      type: str
      returned: always
    principal:
      description: The ARN of the role or user that was checked. Null if none was.
      type: str
      returned: always
    reached:
      description: Whether RV(results[].level) is sufficient.
      type: bool
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    uncertain:
      description:
        - Whether only the use of keys keeps the account from the level V(authorized), and is not known to be refused. It has not
          reached the level.
      type: bool
      returned: always
status:
  description:
    - V(verified) if every account reached the level in every region and no instance may still be running, V(uncertain) if the
      others are only uncertain, V(failed) if no account reached it in any region, else V(incomplete).
  returned: success, and failure after something was read, without O(return_report)
  type: str
  sample: verified
summary:
  description: The accounts that did not reach the level and why, and other failures, in sentences.
  returned: success, and failure after something was read, without O(return_report)
  type: str
failed_regions:
  description: The regions in which an account did not reach the level.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: str
uncertain_regions:
  description: The other regions in which an account is uncertain.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: str
kept_back:
  description:
    - The C(regions) in which the image is not to be published, because it is uncertain that all accounts can use its keys, with
      C(error_code), C(message) and C(remedy). Null unless O(publish_uncertain) is set and does not accept all of them.
  returned: success, and failure after something was read, without O(return_report)
  type: dict
step_failures:
  description: What failed while images were diagnosed or launched, even if all accounts have reached the level.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: dict
verified_regions:
  description:
    - The regions in which the images can be published; O(golden.images.ami_publish#module:verify_result) reads them. Those
      in RV(failed_regions) and RV(kept_back) are missing.
    - In check mode, regions are not missing if only planned images or access can be the reason.
  returned: success, and failure after something was read
  type: list
  elements: str
  sample: [us-east-1]
report:
  description:
    - The content of C(report.json), which has RV(step_failures) as C(failures). If the task is refused, no account has reached the
      level in it. Null without O(return_report).
  returned: success, and failure after the report was made
  type: dict
  sample:
    failed_regions: []
    failures: []
    level: launched
    results:
      - account_id: "012345678901"
        findings: []
        image_id: ami-0123456789abcdef0
        key_use: null
        level: launched
        principal: arn:aws:iam::012345678901:role/golden-consumer
        reached: true
        region: us-east-1
        uncertain: false
    status: verified
    summary: ""
    uncertain_regions: []
report_path:
  description: The JSON file. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
report_dir:
  description: The directory of the reports. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
changes:
  description: The changes since the previous report in O(report_dir). Null if there is none.
  returned: success, and failure after the report was made
  type: dict
  contains:
    added:
      description: What is new, in sentences.
      type: list
      elements: str
      returned: always
    note:
      description: Why the reports are not compared, in a sentence, such as other accounts.
      type: str
      returned: if they are not compared
    removed:
      description: What no longer applies, in sentences.
      type: list
      elements: str
      returned: always
    since:
      description: The time of the previous report.
      type: str
      returned: always
report_s3_uri:
  description: The folder in S3, with a slash at its end. Null if the report was not to be uploaded, or not written.
  returned: success, and failure after the report was made
  type: str
report_url:
  description: The page of the folder in AWS's console, for users who may list the bucket. Null without a folder.
  returned: success, and failure after the report was made
  type: str
report_failures:
  description: The failures among RV(failures) to write or upload the report.
  returned: success, and failure after the report was made
  type: list
  elements: dict
actions:
  description: The files and objects of the report that were written, or would be written in check mode.
  returned: success, and failure after something was read
  type: list
  elements: dict
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
omitted:
  description:
    - The names of the values that are null because the result is large, such as C(results) or
      C(diff.state_after). Of RV(failures), at most 100 stay, the first of each code, operation and region
      before others.
  returned: if the result has more than 250,000 characters, so that AWX can store it
  type: list
  elements: str
  sample: [results]
result_path:
  description:
    - A JSON file with the whole result, in the temporary directory of the controller, which only the user
      that runs Ansible can read. In an execution environment, it is deleted with it.
    - The filter P(golden.images.whole_result#filter) returns the registered result with what the file has.
      The modules of this collection read the file of a registered result that they are given.
  returned: if values are omitted
  type: str
"""

from ansible_collections.golden.images.plugins.module_utils._runner import run
from ansible_collections.golden.images.plugins.module_utils._verification.flow import FLOW


def main():
    run(FLOW)


if __name__ == "__main__":
    main()

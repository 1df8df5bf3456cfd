#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_report
version_added: 0.1.0
short_description: Summarize the result of an AMI distribution
description:
  - Combines the results of M(golden.images.ami_copy_regions), M(golden.images.ami_kms_grant) and M(golden.images.ami_share),
    whether they succeeded or failed, in one report, and writes it as JSON, CSV, SARIF and HTML.
  - A file is rewritten only if its content changes, apart from the time of writing.
  - Needs AWS credentials and boto3 only if O(report_s3_uri) is set. The report is written, even if it cannot be uploaded.
author:
  - golden.images contributors !UNKNOWN
options:
  report_path:
    description:
      - A JSON file to write. Without it and O(report_dir), the report is only returned.
      - If no region was completed, the file stays as it is, and the report is written beside it, to C(distribution.failed.json)
        for C(distribution.json).
    type: path
  report_dir:
    description:
      - The directory for the report as JSON, CSV, SARIF and HTML, which C(docs/reports.md) of this collection explains. It is
        created, and its parent too.
      - The names of the files have the time of the report. C(latest.json), C(latest.csv), C(latest.sarif) and C(latest.html)
        are copies of the latest report whose RV(report.status) is not V(failed).
      - The files also list the changes since the previous report. Requires Jinja2.
    type: path
  return_report:
    description:
      - Whether to return the report.
    type: bool
    default: true
  copy_results:
    description:
      - The registered results of M(golden.images.ami_copy_regions) in the order of their tasks, if one starts the copies and
        another one waits for them. The last one that has copies counts, with what failed in it and after it, so that the
        report names copies that were started even if a later task was refused. Those of tasks that were skipped count as none.
    type: list
    elements: dict
    required: true
  check_results:
    description:
      - The registered results of tasks that check options and accounts before the copies, such as
        M(golden.images.distribution_check), or others in check mode. Of those that failed, the report has the failures; the
        others are ignored.
      - If one has refused O(report_path) or O(report_dir), nothing is written there.
    type: list
    elements: dict
    default: []
  source_image_id:
    description:
      - The source image, if O(copy_results) have none because the tasks were refused. The report then names what was asked for.
    type: str
  source_parameter:
    description:
      - The parameter that names the source image, in place of O(source_image_id).
    type: str
  source_filters:
    description:
      - The filters that select the source image, in place of O(source_image_id).
    type: dict
    default: {}
  source_region:
    description:
      - The region of the source image, if O(copy_results) have none.
    type: str
  regions:
    description:
      - The regions that the image should be distributed to. If some were not reached, the report lists them.
    type: list
    elements: str
    default: []
  grant_results:
    description:
      - The registered results of M(golden.images.ami_kms_grant). Those of tasks that were skipped count as none.
    type: list
    elements: dict
    default: []
  share_result:
    description:
      - The registered result of M(golden.images.ami_share). The one of a task that was skipped counts as none.
    type: dict
    default: {}
  unshare_result:
    description:
      - The registered result of M(golden.images.ami_share) with C(state=absent), if a task has removed access after O(share_result).
        Who has access is read from it, and what failed in O(share_result) stays a failure. The one of a task that was skipped
        counts as none.
    type: dict
    default: {}
  consumer_copy_result:
    description:
      - The registered result of M(golden.images.ami_copy_regions) for copies that consumers own. The one of a task that was
        skipped counts as none.
    type: dict
    default: {}
  verify_result:
    description:
      - The registered result of M(golden.images.ami_verify), also of a task that has failed. The one of a task that was skipped
        counts as none.
      - With C(publish_uncertain), the report names the regions that are not to be published.
    type: dict
    default: {}
  publish_result:
    description:
      - The registered result of M(golden.images.ami_publish). The one of a task that was skipped counts as none.
    type: dict
    default: {}
  account_ids:
    description:
      - The accounts that the image should be shared with. With these, O(org_arns) or O(org_unit_arns), the report says how many
        of them can launch it in each region.
    type: list
    elements: str
    default: []
  org_arns:
    description:
      - The organizations that the image should be shared with.
    type: list
    elements: str
    default: []
  org_unit_arns:
    description:
      - The organizational units that the image should be shared with.
    type: list
    elements: str
    default: []
  publish_account_ids:
    description:
      - The accounts that the image should be published in, besides the one that owns it. With these, the report says in how many
        accounts it is published.
    type: list
    elements: str
    default: []
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.report
  - golden.images.option_forms
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Returns the report and writes nothing. Fails if there is no bucket of O(report_s3_uri).
  diff_mode:
    support: full
    description: Shows the previous and the new content of the report, from verbosity 1 (C(-v)) on.
"""

EXAMPLES = r"""
- name: Copy
  golden.images.ami_copy_regions:
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    regions: [us-east-1, eu-west-1]
  register: copied

- name: Share
  golden.images.ami_share:
    images: "{{ copied.images }}"
    account_ids: ["012345678901"]
  register: shared

- name: Write the report
  golden.images.distribution_report:
    report_path: distribution.json
    report_dir: distribution
    copy_results: ["{{ copied }}"]
    share_result: "{{ shared }}"
    account_ids: ["012345678901"]

- name: Upload the report to the bucket of another account
  golden.images.distribution_report:
    report_dir: distribution
    report_s3_uri: s3://central-reports/golden/
    report_s3_bucket_owner: "012345678901"
    copy_results: ["{{ copied }}"]
    share_result: "{{ shared }}"
    account_ids: ["012345678901"]
"""

RETURN = r"""
report:
  description: The content of the file. Null without O(return_report).
  returned: success, and failure after the report was made
  type: dict
  sample:
    desired:
      shared_with: ["012345678901"]
    failures: []
    launch_permissions:
      - account_ids: ["012345678901"]
        org_arns: []
        org_unit_arns: []
        public: false
        regions: [eu-west-1]
    regions:
      - account_id: "111122223333"
        best_effort: false
        copy_seconds: 412
        image_id: ami-0123456789abcdef0
        kms_key_arn: null
        name: golden-web-2026.11.1-ami-0fedcba9876543210
        region: eu-west-1
        shared: true
        shared_tags: {}
        snapshot_ids: [snap-0123456789abcdef0, snap-0fedcba9876543210]
        state: available
    source_image_id: ami-0fedcba9876543210
    source_region: us-east-1
    status: distributed
    volume_permissions:
      - account_ids: ["012345678901"]
        public: false
        snapshots: {eu-west-1: [snap-0123456789abcdef0, snap-0fedcba9876543210]}
  contains:
    consumer_images:
      description: The copies that consumers own.
      type: list
      elements: dict
      returned: if consumers own copies
    desired:
      description:
        - The regions, accounts, organizations and organizational units to share the image with, the accounts to publish it in
          besides the one that owns it, and what selects an image that could not be read.
      type: dict
      returned: if options name them
      contains:
        published_in:
          description: The accounts.
          type: list
          elements: str
          returned: if O(publish_account_ids) is not empty
        regions:
          description: The regions.
          type: list
          elements: str
          returned: if O(regions) is not empty
        shared_with:
          description: The accounts, organizations and organizational units.
          type: list
          elements: str
          returned: if O(account_ids), O(org_arns) or O(org_unit_arns) is not empty
        source:
          description: What O(source_parameter) or O(source_filters) select.
          type: str
          returned: if the source image is not known
    failures:
      description: What failed, and what to do about it.
      type: list
      elements: dict
      returned: always
    launch_permissions:
      description: The consumers that the images are shared with, as M(golden.images.ami_share) returns them.
      type: list
      elements: dict
      returned: always
    published:
      description: The parameters and launch templates that name the images.
      type: list
      elements: dict
      returned: if an image was published
    regions:
      description:
        - The image of each region, and whether it is shared.
        - If a region was not completed, C(shared) is V(false). C(earlier) is the image that was shared there before, if the
          previous report has one, with its C(source_image_id) and the time of that report, C(written_at).
      type: list
      elements: dict
      returned: always
    source_image_id:
      description: The image that was distributed, or O(source_image_id). Null if it is not known.
      type: str
      returned: always
    source_region:
      description: The region of the source image.
      type: str
      returned: always
    status:
      description:
        - V(distributed) if the image is in every region and shared there, and verified and published if these steps ran, or
          V(planned) if check mode would do that.
        - V(failed) if no region was completed, which means that the image is available and shared there, else V(partial).
      type: str
      returned: always
    verification_level:
      description: The level that the accounts had to reach.
      type: str
      returned: if an image was verified
    verified:
      description: The level that each account reached with each image.
      type: list
      elements: dict
      returned: if an image was verified
    volume_permissions:
      description: The accounts that the snapshots are shared with, as M(golden.images.ami_share) returns them.
      type: list
      elements: dict
      returned: always
report_path:
  description: The JSON file. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
report_dir:
  description: The directory of the reports. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
report_files:
  description: The names of the files in O(report_dir) that have this report, those of the latest one last.
  returned: if O(report_dir) is set
  type: list
  elements: str
  sample: ["report-20261124T120000Z.json", "latest.json"]
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
  sample: s3://central-reports/golden/
report_url:
  description: The page of the folder in AWS's console, for users who may list the bucket. Null without a folder.
  returned: success, and failure after the report was made
  type: str
  sample: https://console.aws.amazon.com/s3/buckets/central-reports?prefix=golden/
report_failures:
  description: The failures among RV(failures) to write or upload the report.
  returned: success, and failure after the report was made
  type: list
  elements: dict
actions:
  description: The files that were written and uploaded, or would be in check mode.
  returned: success, and failure after the report was made
  type: list
  elements: dict
  sample: [{"account_id": null, "action": "write", "region": null, "resource": "distribution.json"}]
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

from ansible_collections.golden.images.plugins.module_utils._distribution.flow_report import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()

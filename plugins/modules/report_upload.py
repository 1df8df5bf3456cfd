#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report_upload
version_added: 0.1.0
short_description: Upload a report to S3
description:
  - Writes the files of a report, such as those of M(golden.images.distribution_report), to a folder in S3. The roles of this
    collection do this if a variable C(*_report_s3_uri) is set.
  - Each run writes all files. Earlier reports are kept only if versioning is enabled for the bucket, or if each run has a
    folder of its own.
  - The default encryption of the bucket applies. No access control list is set, and no presigned URL is made.
  - The bucket can be in any region. It must belong to the account of the credentials, unless O(report_s3_bucket_owner) is
    set, so that no report is written to a bucket of another account by mistake.
author:
  - golden.images contributors !UNKNOWN
options:
  report_s3_uri:
    description:
      - The folder in S3, as C(s3://bucket/folder/).
    type: str
    required: true
  report_s3_bucket_owner:
    description:
      - The account that the bucket must belong to, by default that of the credentials.
    type: str
  report_path:
    description:
      - The file to upload, on the host that runs the module. Its name is that of the object.
      - This or O(report_dir) is required.
    type: path
  report_dir:
    description:
      - The directory with C(report.json), C(report.csv), C(report.sarif) and C(report.html).
    type: path
  report_files:
    description:
      - The names of other files in O(report_dir) to upload instead, in this order, such as
        RV(golden.images.distribution_report#module:report_files).
    type: list
    elements: str
    default: []
requirements:
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description:
      - Uploads nothing, and needs no files. Fails if there is no such bucket.
      - Does not check whether objects may be written to the bucket, because S3 has no dry run of that.
  diff_mode:
    support: none
    description: Does not read the earlier objects.
notes:
  - Needs C(s3:PutObject) for the folder. With C(s3:ListBucket) for the bucket, S3's error shows whether the bucket exists.
  - If the bucket encrypts with a customer managed KMS key, C(kms:GenerateDataKey) for the key is needed, too.
  - O(region) can be another one than that of the bucket.
seealso:
  - module: golden.images.distribution_report
  - module: golden.images.ami_verify
"""

EXAMPLES = r"""
- name: Upload the report of an audit
  golden.images.report_upload:
    report_dir: audit
    report_s3_uri: s3://golden-images-reports/audit/

- name: Upload the report to the bucket of another account
  golden.images.report_upload:
    report_dir: audit
    report_s3_uri: s3://central-reports/golden/
    report_s3_bucket_owner: "012345678901"
"""

RETURN = r"""
report_s3_uri:
  description: The folder in S3, with a slash at its end.
  returned: success, and failure after the bucket was read
  type: str
  sample: s3://golden-images-reports/audit/
report_url:
  description: The page of the folder in AWS's console, for users who may list the bucket.
  returned: success, and failure after the bucket was read
  type: str
  sample: https://console.aws.amazon.com/s3/buckets/golden-images-reports?prefix=audit/
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region. A
      call that is repeated with the same resource, such as a grant for each account, is listed once,
      with its number as C(count).
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: [{"account_id": null, "action": "PutObject", "region": "eu-west-1", "resource": "s3://golden-images-reports/audit/report.json"}]
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
from ansible_collections.golden.images.plugins.module_utils.upload.flow import FLOW


def main():
    run(FLOW)


if __name__ == "__main__":
    main()

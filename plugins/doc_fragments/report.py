# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a module that can report its result."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  report_path:
    description:
      - A JSON file to write the report to.
    type: path
  report_dir:
    description:
      - The directory for C(report.json), C(report.csv), C(report.sarif) and C(report.html), which C(docs/reports.md) of this
        collection explains. It is created, and its parent too.
      - The files also list the changes since the previous report. A file is rewritten only when its content changes, apart from
        the time of writing. Requires Jinja2.
    type: path
  report_s3_uri:
    description:
      - The folder in S3 that the report is also uploaded to, as C(s3://bucket/folder/). Requires O(report_dir) or
        O(report_path). Not in check mode, which fails if there is no such bucket.
      - Each run writes all files. Earlier reports are kept only if versioning is enabled for the bucket, or if each run has a
        folder of its own.
      - Needs C(s3:PutObject) for the folder, and C(kms:GenerateDataKey) if the bucket encrypts with a customer managed KMS key.
        With C(s3:ListBucket) for the bucket, a bucket that does not exist is noticed before the module starts.
      - The default encryption of the bucket applies. No access control list is set, and no presigned URL is made.
    type: str
  report_s3_bucket_owner:
    description:
      - The account that the bucket of O(report_s3_uri) must belong to, by default that of the credentials.
    type: str
  return_report:
    description:
      - Whether to return the report, in place of the values that it has, too. Ansible needs minutes for the result of ten thousand
        images.
    type: bool
    default: false
  account_names:
    description:
      - Mapping of account ID to name. The HTML page shows the names of accounts with their IDs.
    type: dict
    default: {}
"""

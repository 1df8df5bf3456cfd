#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_adoption
version_added: 0.1.0
short_description: Report which accounts use which AMI
description:
  - Finds the releases of image families among the account's own AMIs, and which accounts use which of them, the accounts that are
    furthest behind first.
  - Copies of one image are one release. An account's own copies of an image, and images that it made from instances of it, count
    as the release that they come from.
  - An account or a region that cannot be read is named with the reason, fails the task, and never counts as up to date or as
    unused. What was not looked at is in RV(limits) and RV(not_looked_at).
  - Changes nothing in the accounts. With O(depth=usage_reports) it requests usage reports in the account of the credentials, which
    AWS deletes after 30 days. Can write a report as JSON, CSV, SARIF and HTML, whether it succeeded
    or failed.
author:
  - golden.images contributors !UNKNOWN
options:
  family_tag:
    description:
      - The key of a tag whose value is the image's family, as for M(golden.images.ami_cleanup).
      - At least one of O(family_tag), O(family_name_pattern), O(family_watermark) and O(family_by_source=true) is required.
    type: str
  family_name_pattern:
    description:
      - A regular expression that must match the whole name of an image. Its first group is the family. Without a group, all
        matching images are one family.
      - Names also tell the family of images that the owner has deregistered and that instances still use.
    type: str
  family_by_source:
    description:
      - Whether images without any other family form a family with all images that come from the same image, as copies of it
        or created from instances of it.
    type: bool
    default: false
  family_watermark:
    description:
      - The key of a watermark, such as C(111122223333:golden-web). Images with it that have no other family are one.
      - A watermark stays on copies of an image and on images made from its instances, whoever made them, and tells the family of
        images that are deregistered.
    type: str
  families:
    description:
      - Only these families. The default is all that the other options form.
    type: list
    elements: str
    default: []
  depth:
    description:
      - What is read of each account.
      - With V(usage_reports), nothing in the accounts themselves. AWS's usage reports of the owner's images count the instances, launch
        templates and recipes of each other account that use them. No role is needed. A report of the last day is used, or else
        requested and waited for, 15 minutes at most. Instances of the 24 hours before the oldest report, whose time RV(not_looked_at)
        has, and launch templates of the last few days before it, may be missing, and the accounts' own copies of the images are.
      - With V(config), nothing in the accounts themselves either. The instances of the owner's images and of O(deny_images) are those
        that AWS Config has recorded and O(config_aggregator) has collected. An account and a region of which the aggregator has no
        data, or none that is up to date, is unreadable. Where it has no instance at all, nothing tells whether AWS Config records
        them. RV(not_looked_at) says where, and how old the data can be.
      - With V(instances), all instances that are not terminated, with their images, even if these are deregistered or not shared
        any more.
      - With V(launches), also what the next launches take - launch templates in their default and latest version and in those
        that groups pin, Auto Scaling groups with their overrides and refreshes, fleets, Spot requests, launch configurations and
        parameters.
    type: str
    choices: [usage_reports, config, instances, launches]
    default: instances
  config_aggregator:
    description:
      - The name of an aggregator of AWS Config. Required with O(depth=config), and refused with every other depth.
    type: str
  config_aggregator_region:
    description:
      - The region of the aggregator. By default O(region).
    type: str
  config_aggregator_account_id:
    description:
      - The account of the aggregator, in which O(consumer_role_name) is assumed. By default that of the credentials.
    type: str
  account_ids:
    description:
      - The accounts to read, each 12 digits in quotes. The account of the credentials is read only if it is listed; no role is
        assumed for it.
      - Required unless O(depth=usage_reports) or O(depth=config), whose default is every account in the reports or the aggregator.
    type: list
    elements: str
    default: []
  regions:
    description:
      - The regions in which the use of images is looked for. By default all that the account is opted in to.
      - Releases are looked for in all of these, whatever regions are named.
    type: list
    elements: str
    default: []
  owner_tags:
    description:
      - Keys of tags of instances that name who is responsible. Their values are returned with the accounts that are behind.
    type: list
    elements: str
    default: []
  max_age_days:
    description:
      - The use of a release that was created more days ago is a finding, C(release_too_old).
    type: int
  max_releases_behind:
    description:
      - The use of a release that more newer ones have followed is a finding, C(release_too_far_behind). Releases of which all
        images are deprecated or disabled do not count.
    type: int
  deny_images:
    description:
      - AMI IDs, also of images that are of no family. The use of one of them, of a copy of it, or of an image that was made from
        one, is a finding, C(denied_image_used).
      - With O(depth=usage_reports), only the use of images that the account of the credentials has can be read.
    type: list
    elements: str
    default: []
  fail_on:
    description:
      - The task fails, after everything has been read, if there is a finding of this severity or a higher one.
      - What could not be read always fails it.
    type: str
    choices: [none, low, medium, high]
    default: none
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.rate
  - golden.images.report
  - golden.images.option_forms
  - golden.images.progress
  - golden.images.consumer_role
  - golden.images.processes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Reads and returns the same, writes no report and requests no usage report. Without one of the last day, it fails.
  diff_mode:
    support: partial
    description: Shows the previous and the new content of the report, from verbosity 1 (C(-v)) on.
notes:
  - The credentials are those of the account that owns the images. In each other account, it assumes O(consumer_role_name), which
    only needs to read.
  - O(region) is only used to list the regions and identify the account.
  - Instances are read with DescribeInstanceImageMetadata, a thousand in each call. AWS does not document whether it lists
    instances that AWS services manage and hide.
  - The codes of the findings are stable. C(docs/adoption.md) of this collection explains each.
  - Watermarks are read with botocore 1.43.27 or newer.
  - Launch templates that AWS services hide are read with botocore 1.42.94 or newer. With an older one, O(depth=launches) reports
    every account as unreadable.
seealso:
  - module: golden.images.ami_share_audit
  - module: golden.images.ami_cleanup
"""

EXAMPLES = r"""
- name: Report who still uses an old release
  golden.images.ami_adoption:
    family_tag: golden-family
    account_ids: ["012345678901"]
    consumer_role_name: golden-consumer
    owner_tags: [Owner]
    max_releases_behind: 0
    report_dir: adoption

- name: Report which instances AWS Config has recorded in all accounts of an organization
  golden.images.ami_adoption:
    family_tag: golden-family
    depth: config
    config_aggregator: organization
    config_aggregator_account_id: "222222222222"
    consumer_role_name: golden-consumer
    report_dir: adoption

- name: Fail if an account launches an image that nobody must use
  golden.images.ami_adoption:
    family_name_pattern: golden-(web|db)-.*
    families: [web]
    depth: launches
    account_ids: ["012345678901"]
    consumer_role_name: golden-consumer
    deny_images: [ami-0123456789abcdef0]
    fail_on: medium
"""

RETURN = r"""
account_id:
  description: The account that owns the images.
  returned: success, and failure after something was read
  type: str
  sample: "111122223333"
accounts:
  description: The accounts, those with the worst use first.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: dict
  sample:
    - account_id: "012345678901"
      behind: 3
      behind_regions: [eu-west-1]
      current: 12
      denied: 0
      other: 4
      owners: [Owner=payments]
      status: behind
      unknown: 0
      unread_regions: []
      worst:
        account_id: "012345678901"
        behind_since: "2026-11-24T18:03:56Z"
        days_behind: 7
        denied_by: []
        family: web
        image_id: ami-0123456789abcdef0
        image_name: golden-web-2026.11.1
        kind: instance
        names: [i-0123456789abcdef0, i-0fedcba9876543210, i-0a1b2c3d4e5f67890]
        number: 3
        oldest_launch: "2026-11-20T08:00:00Z"
        origin: null
        owners: [Owner=payments]
        region: eu-west-1
        release: golden-web-2026.11.1
        release_image_id: ami-0123456789abcdef0
        releases_behind: 1
        status: behind
        withdrawn: null
  contains:
    account_id:
      description: The account.
      type: str
      returned: always
    behind:
      description: Number of uses of another release than the current one.
      type: int
      returned: always
    behind_regions:
      description: The regions with such uses.
      type: list
      elements: str
      returned: always
    current:
      description: Number of uses of the current release, the newest one of its family that is not withdrawn.
      type: int
      returned: always
    denied:
      description: Number of those behind that O(deny_images) is about.
      type: int
      returned: always
    other:
      description: Number of uses of images of no family.
      type: int
      returned: always
    owners:
      description: The values of O(owner_tags) of the instances behind, as C(KEY=VALUE).
      type: list
      elements: str
      returned: always
    status:
      description:
        - V(behind) if a use is behind, else V(unreadable) if not everything could be read, else V(unknown) if the release of a use
          is not known, else V(current). V(unused) if it uses no image of the families, V(unreported) if usage reports or AWS Config
          show no use, of which they leave out some.
      type: str
      returned: always
    unknown:
      description: Number of uses whose release is not known.
      type: int
      returned: always
    unread_regions:
      description: The regions in which not everything could be read.
      type: list
      elements: str
      returned: always
    worst:
      description: The use that is furthest behind, in the form of RV(uses). Null if none is.
      type: dict
      returned: always
denied:
  description: The images of O(deny_images) whose use was looked at.
  returned: success, and failure after something was read
  type: list
  elements: dict
  contains:
    accounts:
      description: Number of accounts with such a use.
      type: int
      returned: always
    image_id:
      description: The image.
      type: str
      returned: always
    uses:
      description: Number of uses of it, of copies of it, and of images that were made from one.
      type: int
      returned: always
depth:
  description: What was read of each account, as O(depth) says.
  returned: success, and failure after something was read
  type: str
  sample: instances
findings:
  description: The findings, sorted by account, region and image, always in the same order.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: dict
  contains:
    account_id:
      description: The account that uses the image.
      type: str
      returned: always
    code:
      description: The code of the finding.
      type: str
      returned: always
      sample: release_too_far_behind
    image_id:
      description: The AMI ID of the used image. Null for what could not be read.
      type: str
      returned: always
    message:
      description: The finding as a sentence.
      type: str
      returned: always
    principal:
      description: Null.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    remedy:
      description: What to do about it.
      type: str
      returned: always
    resource:
      description: The image that the finding is about, or the AWS operation that failed.
      type: str
      returned: always
    severity:
      description: V(low), V(medium) or V(high). Each code has one.
      type: str
      returned: always
      sample: medium
limits:
  description: What a report of this depth never shows, in phrases.
  returned: success, and failure after something was read
  type: list
  elements: str
not_looked_at:
  description: What else this report does not cover, in sentences.
  returned: success, and failure after something was read
  type: list
  elements: str
regions:
  description: The regions in which the use of images was read.
  returned: success, and failure after something was read
  type: list
  elements: str
  sample: [eu-west-1, us-east-1]
releases:
  description: The releases of all families, the newest of each first.
  returned: success, and failure after something was read
  type: list
  elements: dict
  sample:
    - created: "2026-11-24T18:03:56Z"
      fault: null
      family: web
      image_id: ami-0fedcba9876543210
      images:
        - image_id: ami-0fedcba9876543210
          region: eu-west-1
      name: golden-web-2026.11.2
      region: eu-west-1
      releases_behind: 0
      severity: null
      withdrawn: null
  contains:
    created:
      description: When its first image was created. Null if AWS does not return it.
      type: str
      returned: always
    fault:
      description:
        - Why nobody should change to it, such as C(is denied) or C(has findings of Amazon Inspector) for those of the severity
          critical or high. Null if there is no reason.
      type: str
      returned: always
    family:
      description: The family.
      type: str
      returned: always
    image_id:
      description: The image that all others are copies of. It may be deregistered.
      type: str
      returned: always
    images:
      description: The images that still exist, each with C(image_id) and C(region).
      type: list
      elements: dict
      returned: always
    name:
      description: The name of its image.
      type: str
      returned: always
    region:
      description: The region of RV(releases[].image_id).
      type: str
      returned: always
    releases_behind:
      description: How many newer releases can be launched.
      type: int
      returned: always
    severity:
      description: The highest severity that Amazon Inspector reports of its images, such as V(CRITICAL). Null without one.
      type: str
      returned: always
    withdrawn:
      description: V(recalled) if an image is, V(deprecated) or V(disabled) if all images are, else null.
      type: str
      returned: always
uses:
  description:
    - The uses of images of the families, and of those of which it is not known whether they are, by account, region, image and kind.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: dict
  contains:
    account_id:
      description: The account.
      type: str
      returned: always
    behind_since:
      description: When the first newer release was created. Null if there is none.
      type: str
      returned: always
    days_behind:
      description: Whole days since then.
      type: int
      returned: always
    denied_by:
      description: The IDs in O(deny_images) of the image, its release, or an image that it was copied or made from.
      type: list
      elements: str
      returned: always
    family:
      description: The family. Null if the release is not known.
      type: str
      returned: always
    image_id:
      description: The used image, which can be the account's own.
      type: str
      returned: always
    image_name:
      description: Its name. Null if it is not known.
      type: str
      returned: always
    kind:
      description:
        - What uses it, such as V(instance) or V(launch_template).
        - In a usage report, V(reported_instance), V(reported_launch_template) or V(reported_recipe).
      type: str
      returned: always
    names:
      description:
        - The IDs of instances, otherwise the names of the resources, with the ID of those that have one, and the version of a launch
          template, such as C(web (lt-0123456789abcdef0) version 3). Empty for those of a usage report.
      type: list
      elements: str
      returned: always
    number:
      description: Their number.
      type: int
      returned: always
    oldest_launch:
      description: When the first of the instances was launched. Null for other kinds.
      type: str
      returned: always
    origin:
      description:
        - The image that the account's own image was copied or made from, or the one that this one comes from, and so on. Null if the
          account does not own the used image, if that is not known, and of the account that owns the releases.
      type: dict
      returned: always
      contains:
        evidence:
          description:
            - V(ancestry) if AWS recorded each step, V(watermark) if only a watermark has it, which images that were made from that
              one keep, or V(tag) if only C(golden.images:source) of an image tells it, which whoever owns the image can change.
          type: str
          returned: always
        image_id:
          description: The AMI ID.
          type: str
          returned: always
        region:
          description: Its region.
          type: str
          returned: always
    owners:
      description: The values of O(owner_tags), as C(KEY=VALUE).
      type: list
      elements: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    release:
      description: The name of the release. Null if it is not known.
      type: str
      returned: always
    release_image_id:
      description: The image of the release that all others are copies of. Null if it is not known.
      type: str
      returned: always
    releases_behind:
      description: How many newer releases can be launched.
      type: int
      returned: always
    status:
      description: V(current), V(behind), or V(unknown) if the release is not known.
      type: str
      returned: always
    withdrawn:
      description: V(recalled), V(deprecated), V(disabled) or V(deregistered) if the image or its whole release is, else null.
      type: str
      returned: always
report:
  description: The content of C(report.json) without the C(uses). Null without O(return_report).
  returned: success, and failure after the report was made
  type: dict
report_path:
  description: The JSON file. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
report_dir:
  description: The directory of the reports. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
  sample: adoption
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
  description:
    - The files of the report that were written and uploaded, and the usage reports that were requested for O(depth=usage_reports),
      or would be in check mode.
  returned: success, and failure after the report was made
  type: list
  elements: dict
  sample: [{"account_id": null, "action": "write", "region": null, "resource": "adoption/report.html"}]
failures:
  description: What could not be read, and the findings that O(fail_on) makes failures, with their C(code) as C(error_code).
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

from ansible_collections.golden.images.plugins.module_utils._adoption.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()

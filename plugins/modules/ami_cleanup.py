#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_cleanup
version_added: 0.1.0
short_description: Retire AMIs by policy, in every region
description:
  - Retires AMIs that the account owns, in all regions at the same time. Images are retired in stages - deprecated, disabled,
    deregistered - that follow each other by clocks of their own.
  - An image is retired only if every rule that is set lets it, and if nothing is found that uses it. What cannot be read
    counts as use.
  - Images form families. The latest of a family in a region always stay, so that a family is never emptied, unless
    O(allow_empty_family=true).
  - Snapshots go with their image, unless another image, a launch configuration, or the latest or default version of a launch
    template uses them. What could not be deleted is found and deleted by the next run.
  - In check mode the result is the plan, with what speaks for and against each image.
author:
  - golden.images contributors !UNKNOWN
options:
  regions:
    description:
      - The regions to work in. By default all that the account has opted in to.
    type: list
    elements: str
    default: []
  family_tag:
    description:
      - The key of a tag whose value names an image's family.
      - Copies without a family of their own belong to the family of the image that they are copies of. If that is
        deregistered before them, they keep its family and date as tags C(golden.images:origin-family) and
        C(golden.images:origin-created).
      - Images without a family are left alone.
    type: str
  family_name_pattern:
    description:
      - A regular expression that must match the whole name of an image. Its first group names the family; without a group
        all images that match are one family.
      - If O(family_tag) is set too, this is asked only about images without that tag.
    type: str
  family_by_source:
    description:
      - Whether images that nothing else says the family of belong to the family of the image that they come from, as copies
        of it or made of instances that were launched from it.
    type: bool
    default: false
  keep_latest:
    description:
      - How many images of each family stay in each region in any case. Images that can be launched come before others.
      - Latest is what was made last. A copy made late of an old image does not push out one made early of a newer image; both
        are kept.
      - V(0) counts as V(1), unless O(allow_empty_family=true).
    type: int
    default: 1
  allow_empty_family:
    description:
      - Whether O(keep_latest=0) may take the last image of a family.
    type: bool
    default: false
  max_age_days:
    description:
      - Only images that were made so many days ago or earlier.
    type: int
  unused_for_days:
    description:
      - Only images that were last launched so many days ago or earlier. One that was never launched counts from when it was
        made.
      - AWS reports a launch 24 hours late, so that a day is added.
    type: int
  states:
    description:
      - Only images in these states. With O(disable_after_days) disabled images are always among them.
      - Of failed images only the deregistration applies.
    type: list
    elements: str
    choices: [available, disabled, failed]
    default: [available, disabled]
  protect_tags:
    description:
      - Images with any of these tags stay, as C(key) or as C(key=value), and so do snapshots that images have left.
    type: list
    elements: str
    default: []
  deprecate_after_days:
    description:
      - After how many days as an image to be retired it is deprecated. Deprecated images still launch; those with whom they
        are shared no longer find them in lists. It takes effect an hour later, since AWS takes no date that has passed by the
        time of the last of many calls.
      - At least one stage must be named. Stages that are left out take no time; those that are due at the same time are taken
        as one, the last of them.
    type: int
  disable_after_days:
    description:
      - How many days after the stage before it an image is disabled. It cannot be launched then, and AWS takes all launch
        permissions from it for good.
    type: int
  deregister_after_days:
    description:
      - How many days after the stage before it an image is deregistered and its snapshots are deleted.
      - The dates of the stages are kept in tags C(golden.images:cleanup-*) of the image. They are taken off when the image is
        in use again, or the rules no longer choose it; its clocks then begin anew. So they do if somebody undoes a stage.
    type: int
  max_deletions:
    description:
      - How many images one run may deregister, as a number or as a percentage of the images considered. Former images whose
        snapshots O(orphan_snapshots) deletes count as well.
      - If it would be more, the module fails and nothing at all is done.
    type: raw
    default: 10%
  include_shared:
    description:
      - Whether images that are shared with others are retired, too, if it is shown that no other account uses them. A usage
        report shows it, or a look into every account with O(consumer_role_name). What shows a use counts in any case.
      - A report that is at most eight days old counts. Where there is none, one is asked for, and the image waits for a later
        run.
      - AWS's reports can miss instances of the last day and launch templates of the last few days.
      - The accounts of an organization or unit, and those that use a public image, are not known. For these only a report
        counts.
      - No report tells what others make of a snapshot. An image with a snapshot that is shared with an account that it is not
        shared with itself is not deregistered, with or without this option. Disabling takes the launch permissions of an
        image and not those of its snapshots, so that with this option these no longer count.
    type: bool
    default: false
  orphan_snapshots:
    description:
      - Whether to delete snapshots that images left which were deregistered before, by whatever means.
      - They are told by what AWS writes into the description of a snapshot that it makes for an image. Those that AWS Backup
        or Data Lifecycle Manager have tagged stay, and so do those of images in the Recycle Bin and, unless
        O(include_shared=true), those that are shared with others.
    type: bool
    default: false
  revoke_grants:
    description:
      - Whether to revoke grants on KMS keys once the images are gone for which they were given. Only grants that this
        collection has made (M(golden.images.ami_kms_grant)) are revoked, on keys under which snapshots are deleted now, and of
        these only the grants of accounts with which no image is shared that remains under the key in that region, nor a
        snapshot of one.
      - Where that is not known, all grants on the key stay, and a warning says why - an image under the key is shared with an
        organization, a unit or everybody, a copy is still being made in the region, or something cannot be read.
      - Statements in key policies stay in any case; O(golden.images.ami_kms_grant#module:state=absent) takes them back.
      - Do not run it while images are being distributed under the same keys. Their grants are made before they are shared.
    type: bool
    default: false
  tombstone_path:
    description:
      - A file on the host that runs the module to which a line of JSON is appended for each image before it is disabled or
        deregistered, with all that is lost - its attributes, tags, launch permissions, and snapshots with whom they are shared
        with.
      - With O(disable_after_days) and O(deregister_after_days) this, O(tombstone_s3_uri) or O(tombstone_ssm_path) is required.
        Several may be given. Choose what outlives the run.
      - If one cannot be written, nothing is disabled or deregistered.
    type: path
  tombstone_s3_uri:
    description:
      - Where in S3 to write the same, as C(s3://bucket/folder). Each image gets an object of its own below
        C(folder/region/image_id/).
    type: str
  tombstone_ssm_path:
    description:
      - Where in Parameter Store to write the same. Each image gets a parameter C(path/region/image_id) in the region of
        O(region).
      - A parameter holds 8 KB. An image with more tags and devices than fit is not disabled or deregistered.
    type: str
extends_documentation_fragment:
  - golden.images.consumer_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description: Plans everything and changes nothing.
  diff_mode:
    support: full
    description: Shows the considered images and the snapshots that go, before and after.
notes:
  - An instance in any state but terminated uses its image, and so do launch templates (in every version), launch
    configurations, SSM parameters of any region that are not encrypted, recipes of Image Builder, and copies that are still
    being made.
  - Never deregistered are images of AWS Backup and AWS Marketplace, images that are protected from deregistration, and those
    with a snapshot that is locked or archived.
  - That other images are copies of an image, or were made of instances of it, is no use of it. Once they are finished they
    need it no more. What families have to know of an origin DescribeImages tells, so that GetImageAncestry is not called.
  - Snapshots that go with images are tagged C(golden.images:cleanup-image-ids) before. By this the next run finds those that are left.
    A snapshot that is brought back from the Recycle Bin without its image is one of these, unless that tag is taken off it or
    one of O(protect_tags) is put on it.
  - The evidence is read again right before the first image is disabled or deregistered.
  - O(region) only says where to ask which regions there are, and where parameters of O(tombstone_ssm_path) are.
"""

EXAMPLES = r"""
- name: Deprecate all but the three latest images of each family that nobody has used for 90 days
  golden.images.ami_cleanup:
    family_name_pattern: (golden-\w+)-.*
    keep_latest: 3
    unused_for_days: 90
    deprecate_after_days: 0

- name: Retire images in stages that take four months
  golden.images.ami_cleanup:
    regions: [eu-west-1, us-east-1]
    family_tag: family
    family_by_source: true
    max_age_days: 180
    protect_tags: [legal-hold, "environment=production"]
    deprecate_after_days: 0
    disable_after_days: 90
    deregister_after_days: 30
    max_deletions: 50%
    tombstone_path: "{{ playbook_dir }}/retired-images.jsonl"
  register: cleanup

- name: Show what keeps images
  ansible.builtin.debug:
    msg: "{{ cleanup.results | rejectattr('evidence', 'equalto', []) }}"
"""

RETURN = r"""
evaluated_count:
  description: How many images the policy is about - those with a family in one of the states.
  returned: success, and failure after something was changed
  type: int
  sample: 40
regions:
  description: The regions that were worked in.
  returned: success, and failure after something was changed
  type: list
  elements: str
  sample: [eu-west-1, us-east-1]
results:
  description: What is to become of each considered image, and why.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  contains:
    creation_date:
      description: When the image was made.
      type: str
      returned: always
    decision:
      description:
        - V(deprecate), V(disable) or V(deregister) is done now. V(wait) waits for the next stage, or for what stands against
          it. V(keep) keeps the image.
      type: str
      returned: always
    evidence:
      description: What uses the image, or could not be read. The keys are C(kind), C(subject) and C(detail).
      type: list
      elements: dict
      returned: always
    family:
      description: The image's family.
      type: str
      returned: always
    image_id:
      description: The image.
      type: str
      returned: always
    name:
      description: The image's name.
      type: str
      returned: always
    next_stage:
      description: The next stage, if there is one.
      type: str
      returned: always
    next_stage_at:
      description: When it is due.
      type: str
      returned: always
    reasons:
      description: Which rules keep the image, or what stands against its deregistration.
      type: list
      elements: str
      returned: always
    recoverable_until:
      description:
        - Until when the Recycle Bin can give back an image that is deregistered now, with its snapshots. Null if it cannot, or
          if its rules could not be read.
      type: str
      returned: always
    region:
      description: The image's region.
      type: str
      returned: always
    size_gib:
      description:
        - How large the volumes of its snapshots are together, in GiB. AWS bills the blocks that changed since the snapshot
          before, so that the snapshots take up this much at most.
      type: int
      returned: always
    snapshots:
      description:
        - Of an image that is deregistered now the snapshots, each as C(snapshot_id), C(size_gib), C(keep_reason), which says why it
          stays and is empty if it goes, and C(retention_days), for which the Recycle Bin keeps it then.
      type: list
      elements: dict
      returned: always
actions:
  description: The AWS calls that changed something, or would in check mode, in the order of each region.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: [{"account_id": "111122223333", "action": "DeregisterImage", "region": "eu-west-1", "resource": "ami-0123456789abcdef0"}]
failures:
  description: What could not be done, and what to do about it.
  returned: always
  type: list
  elements: dict
  contains:
    account_id:
      description: The account.
      type: str
      returned: always
    action:
      description: The AWS call, or the option, that failed.
      type: str
      returned: always
    error_code:
      description: AWS's error code, or this collection's.
      type: str
      returned: always
    message:
      description: What went wrong.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    remedy:
      description: What to do.
      type: str
      returned: always
    request_id:
      description: AWS's request id, if AWS refused.
      type: str
      returned: always
"""

from ansible_collections.golden.images.plugins.module_utils.arguments import CONSUMER_ROLE_SPEC
from ansible_collections.golden.images.plugins.module_utils.cleanup.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.runner import run

ARGUMENT_SPEC = {
    **CONSUMER_ROLE_SPEC,
    "regions": {"type": "list", "elements": "str", "default": []},
    "family_tag": {"type": "str"},
    "family_name_pattern": {"type": "str"},
    "family_by_source": {"type": "bool", "default": False},
    "keep_latest": {"type": "int", "default": 1},
    "allow_empty_family": {"type": "bool", "default": False},
    "max_age_days": {"type": "int"},
    "unused_for_days": {"type": "int"},
    "states": {
        "type": "list",
        "elements": "str",
        "choices": ["available", "disabled", "failed"],
        "default": ["available", "disabled"],
    },
    "protect_tags": {"type": "list", "elements": "str", "default": []},
    "deprecate_after_days": {"type": "int"},
    "disable_after_days": {"type": "int"},
    "deregister_after_days": {"type": "int"},
    "max_deletions": {"type": "raw", "default": "10%"},
    "include_shared": {"type": "bool", "default": False},
    "orphan_snapshots": {"type": "bool", "default": False},
    "revoke_grants": {"type": "bool", "default": False},
    "tombstone_path": {"type": "path"},
    "tombstone_s3_uri": {"type": "str"},
    "tombstone_ssm_path": {"type": "str"},
}


def main():
    run(FLOW, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()

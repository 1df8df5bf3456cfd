# SPDX-License-Identifier: GPL-3.0-or-later

"""A read by subscript of what an answer may lack is found, in whatever way the code reaches the answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.model import StructureShape
from botocore.session import Session

from checks import responses
from checks.commands import CheckError
from checks.responses import breaches, check, operations, reads, sources
from checks.responses.models import load
from checks.responses.table import ALWAYS

MODELS = load()
READ = "plugins/module_utils/_copy/read.py"
STATE = "ec2:Image.State"


def wrote(root: Path, code: str, name: str = READ) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code, encoding="utf-8")
    return root


def found(root: Path, code: str, *always: str) -> list[str]:
    """What of the code is a breach, without the advice."""
    lines = breaches(wrote(root, code), dict.fromkeys(always, "AWS's page says so."))
    return [line.partition(" may be missing")[0].removeprefix(f"{READ}:") for line in lines]


@pytest.mark.parametrize(
    "code",
    [
        "def f(ec2):\n    return ec2.describe_images()['Images'][0].get('ImageId')",
        "def f(ec2):\n    answer = ec2.describe_images()\n    return answer['Images']",
        "def f(ec2):\n    return [p['Images'] for p in ec2.get_paginator('describe_images').paginate()]",
        "def f(ec2):\n    m = ec2.get_paginator('describe_images')\n    [p['Images'] for p in m.paginate()]",
        "def f(ec2):\n    for page in read.pages(ec2.describe_images):\n        yield page['Images']",
        "def f(owner: EC2Client):\n    return owner.describe_images()['Images']",
        "def f(clients):\n    return clients.ec2('eu-west-1').describe_images()['Images']",
        "def f(clients):\n    return clients.client('ec2', 'eu-west-1').describe_images()['Images']",
        "class A:\n    def f(self):\n        return self.ec2.describe_images()['Images']",
        "def f(ec2):\n    return g(ec2.describe_images())\ndef g(answer):\n    return answer['Images']",
        "def f(ec2):\n    g(ec2.describe_images())\ndef g(a):\n    h(a)\ndef h(a):\n    a['Images']",
        "def f(ec2):\n    ec2.describe_images()\nNAMES = {'Images': lambda answer: answer['Images']}",
    ],
)
def test_a_list_that_an_answer_may_lack(code: str, tmp_path: Path):
    (line,) = found(tmp_path, code)
    assert line.split(": ")[1] == "ec2:DescribeImagesResult.Images"


@pytest.mark.parametrize(
    "code",
    [
        "return [item['State'] for page in pages for item in page.get('Images', ())]",
        "return [i['State'] for page in pages for i in required(page, 'Images', 'DescribeImages')]",
        "return next(iter(list(pages)[0].get('Images', ())))['State']",
        "items = [item for page in pages for item in page.get('Images') or ()]\n    return items[0]['State']",
        "return (one := required(a, 'Images', 'DescribeImages'))[0]['State']",
        "return (page.get('Images')[0] if page else page.get('Images')[1])['State']",
    ],
)
def test_the_structure_of_a_member_is_followed(code: str, tmp_path: Path):
    whole = f"def f(ec2, page):\n    pages = ec2.get_paginator('describe_images').paginate()\n    {code}"
    (line,) = found(tmp_path, whole)
    assert line.split(": ")[1] == STATE
    assert found(tmp_path, whole, STATE) == []


def test_every_structure_that_can_be_meant_counts(tmp_path: Path):
    code = "def f(ec2):\n    ec2.describe_snapshots()\n    return g(ec2.describe_images())\n"
    assert found(tmp_path, f"{code}def g(item):\n    return item['State']", STATE) == [
        "5: ec2:Snapshot.State"
    ]


def test_the_answer_of_an_action_is_read_elsewhere_in_the_room(tmp_path: Path):
    wrote(tmp_path, "def f():\n    return Action(t, 'CopyImage', {})", "plugins/module_utils/_copy/plan.py")
    assert found(tmp_path, "def f(answer):\n    return answer['ImageId']") == [
        "2: ec2:CopyImageResult.ImageId"
    ]
    grant = "def f():\n    return Action(t, 'CreateGrant', {}, service='kms')"
    wrote(tmp_path, grant, "plugins/module_utils/_copy/plan.py")
    assert found(tmp_path, "def f(answer):\n    return answer['GrantId']") == [
        "2: kms:CreateGrantResponse.GrantId"
    ]


def test_the_package_aws_reads_the_answers_of_all_packages(tmp_path: Path):
    wrote(tmp_path, "def f(answer):\n    return answer['ImageId']", "plugins/module_utils/_aws/write.py")
    (line,) = breaches(wrote(tmp_path, "def f():\n    return Action(t, 'CopyImage', {})"), {})
    assert line.startswith("plugins/module_utils/_aws/write.py:2: ec2:CopyImageResult.ImageId")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("return k.get('KeyMetadata', {})['KeyId']", id="required by the model"),
        pytest.param("return k.get('KeyMetadata', {}).get('KeyState')", id="by get"),
        pytest.param("return k['KeyMetadata'] if 'KeyMetadata' in k else None", id="guarded by in"),
        pytest.param("return k.get('KeyMetadata') and k['KeyMetadata']", id="guarded by and"),
        pytest.param("if k.get('KeyMetadata'):\n        return k['KeyMetadata']", id="guarded by if"),
        pytest.param(
            "return [i['KeyState'] for i in [k] if 'KeyState' in i]", id="guarded in a comprehension"
        ),
        pytest.param(
            "return [1 for i in [k] if 'KeyState' in i if i['KeyState']]", id="guarded in a condition"
        ),
        pytest.param(
            "if a and 'KeyMetadata' in k:\n        return k['KeyMetadata']", id="guarded by one of two"
        ),
        pytest.param("return action.parameters['KeyState']", id="of an action"),
        pytest.param("return request['KeyState']", id="of a request"),
        pytest.param("x = request['Tags']\n    return [t['KeyState'] for t in x]", id="in a request"),
        pytest.param(
            "for a, t in zip(x, request['T']):\n        t['KeyState']", id="beside others in a request"
        ),
        pytest.param("for _, t in request.items():\n        t['KeyState']", id="a value of a request"),
        pytest.param("t, n = request['T'], 1\n    return t['KeyState'], n", id="unpacked from a request"),
        pytest.param("k['KeyState'] = 1", id="written"),
        pytest.param("return k['no_member']", id="ours"),
        pytest.param("return k['NoMember']", id="of no answer"),
    ],
)
def test_what_is_no_breach(code: str, tmp_path: Path):
    assert found(tmp_path, f"def f(kms, a=0, x=()):\n    k = kms.describe_key()\n    {code}") == []


@pytest.mark.parametrize(
    "code",
    [
        "if 'KeyMetadata' not in k:\n        return k['KeyMetadata']",
        "if 'KeyMetadata' in k:\n        return 1\n    else:\n        return k['KeyMetadata']",
        "return None if 'KeyMetadata' in k else k['KeyMetadata']",
        "return 'KeyMetadata' in k or k['KeyMetadata']",
        "return k['KeyMetadata'] and 'KeyMetadata' in k",
        "return k['KeyMetadata'] if 'KeyMetadata' in other else None",
        "return [i for i in k['KeyMetadata'] if 'KeyMetadata' in k]",
    ],
)
def test_other_conditions_guard_nothing(code: str, tmp_path: Path):
    (line,) = found(tmp_path, f"def f(kms, other):\n    k = kms.describe_key()\n    {code}")
    assert line.endswith("kms:DescribeKeyResponse.KeyMetadata")


def test_members_in_lower_case_are_of_the_answers_at_hand(tmp_path: Path):
    code = "def f(imagebuilder):\n    g(imagebuilder.list_image_build_versions())\n"
    code += "def g(item):\n    return [one['region'] for one in item.get('amis', ())]"
    assert found(tmp_path, code) == ["4: imagebuilder:Ami.region"]
    # The record of an image, elsewhere in the package.
    wrote(tmp_path, code.replace("['region']", ".get('region')"), "plugins/module_utils/_copy/other.py")
    assert found(tmp_path, "def f(one):\n    return one['region']") == []


def test_the_methods_of_a_session_are_no_operations(tmp_path: Path):
    code = "def f(self):\n    return self._session.get_component('data_loader')"
    assert found(tmp_path, code) == []


def test_an_error_is_read_by_the_functions_for_it(tmp_path: Path):
    (line,) = found(tmp_path, "def f(exception):\n    return exception.response['Error']")
    assert line == "2: ['Error'] of an error"


def test_a_client_whose_service_is_not_evident(tmp_path: Path):
    assert found(tmp_path, "def f(thing):\n    return thing.describe_images()['Images']") == [
        "2: name the client after its service"
    ]
    assert found(tmp_path, "def f(thing):\n    return thing.get_paginator('describe_images')") == [
        "2: name the client after its service"
    ]


@pytest.mark.parametrize(("member", "operation"), [("Image", "DescribeImages"), ("Images", "DescribeImage")])
def test_a_required_member_that_does_not_exist(member: str, operation: str, tmp_path: Path):
    code = f"def f(answer):\n    return required(answer, '{member}', '{operation}')"
    assert found(tmp_path, code) == [f"2: {operation} returns no {member}"]
    assert found(tmp_path, "def f(answer):\n    return required(answer, 'Images', 'DescribeImages')") == []


def test_an_entry_of_the_table_that_nothing_needs(tmp_path: Path):
    assert found(tmp_path, "", STATE) == [f"checks/responses/table.py: nothing reads {STATE}"]


def test_entries_of_the_table_exist_are_not_required_and_have_a_source():
    session = Session()
    for name, reason in ALWAYS.items():
        service, _, rest = name.partition(":")
        shape, member = rest.split(".")
        structure = session.get_service_model(service).shape_for(shape)
        assert isinstance(structure, StructureShape), name
        assert member in structure.members, name
        assert member not in structure.required_members, name
        assert len(reason) > 40, name


def test_the_operations_of_each_room(tmp_path: Path):
    utils = "plugins/module_utils"
    wrote(
        tmp_path,
        "def image(ec2):\n    ec2.describe_images()\ndef key(kms):\n    kms.describe_key()\n"
        "class Role:\n    def take(self):\n        return AssumeRoleCredentialFetcher()",
        f"{utils}/_aws/read.py",
    )
    wrote(
        tmp_path,
        "from .._aws import read\nfrom .._aws.read import Role\n"
        "def f(ec2):\n    read.image(ec2)\n    ec2.get_waiter('instance_running').wait()\n    Role()",
    )
    wrote(
        tmp_path,
        "def f():\n    key = 1\n    return Action(t, 'DeleteTags', {}, key)",
        f"{utils}/_share/plan.py",
    )
    wrote(
        tmp_path,
        "def f():\n    return Action(t, 'PutParameter', {}, 'x', 'ssm')",
        f"{utils}/_publish/plan.py",
    )
    wrote(tmp_path, "def f(organizations):\n    organizations.list_roots()", "plugins/inventory/accounts.py")
    wrote(tmp_path, "def f():\n    return 1", f"{utils}/_model.py")
    assert operations(tmp_path) == {
        "aws": ["ec2:DescribeImages", "kms:DescribeKey", "sts:AssumeRole"],
        "copy": ["ec2:DescribeImages", "ec2:DescribeInstances", "sts:AssumeRole"],
        "inventory": ["organizations:ListRoots"],
        "publish": ["ssm:PutParameter"],
        "share": ["ec2:DeleteTags"],
    }


def test_imports_of_a_module_by_its_full_name(tmp_path: Path):
    wrote(tmp_path, "def f(ec2):\n    ec2.describe_images()")
    full = "ansible_collections.golden.images.plugins.module_utils._copy.read"
    wrote(tmp_path, f"from {full} import f\ndef main():\n    f()", "plugins/modules/ami_copy.py")
    known = sources.read(tmp_path, MODELS)
    assert [str(one) for one in known.operations_for("modules")] == ["ec2:DescribeImages"]
    function = known.functions["plugins/modules/ami_copy.py", "main"]
    assert list(reads.Reader(known, MODELS, function).reads()) == []


def test_nothing_to_check_is_a_failure(tmp_path: Path):
    with pytest.raises(AssertionError, match="no Python"):
        breaches(tmp_path)


def test_the_check_lists_what_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    wrote(tmp_path, "def f(ec2):\n    return ec2.describe_images()['Images']")
    monkeypatch.setattr(responses, "CHECKOUT", tmp_path)
    with pytest.raises(CheckError, match=r"reads of members that an answer may lack"):
        check()
    assert f"{READ}:2: ec2:DescribeImagesResult.Images may be missing" in capsys.readouterr().out


def test_waiters_and_methods():
    running = MODELS.of_waiter("ec2", "instance_running")
    assert running is not None
    assert str(running) == "ec2:DescribeInstances"
    assert MODELS.of_waiter("ec2", "no_waiter") is None
    assert MODELS.of_waiter("ssm", "command_executed") is not None
    assert MODELS.of_waiter("kms", "any") is None
    assert MODELS.of_method("ec2", "describe_image") is None
    assert [str(one) for one in MODELS.named("DescribeKey")] == ["kms:DescribeKey"]

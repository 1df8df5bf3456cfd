# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated AWS: moto made as strict as AWS's documentation, served over HTTP. README.md shows its use.

The command `simulated-aws`, also as `python -m simulated_aws`, runs it; `client.SimulatedAws` starts and
controls it from Python; `pytest_plugin` has it as a fixture of pytest.

Files:
    __main__.py         the command line
    client.py           the client for tests and other programs: start, control, boto3 clients
    pytest_plugin.py    the fixture `simulated_aws`
    server.py           the process: one port, one event loop
    app.py              connects the parts; routes a request to the control API or to an AWS API
    control_api.py      the HTTP API below /_simulated_aws/
    settings.py         what the control API can change, such as how long a copy takes
    accounts.py         the accounts that exist
    exceptions.py       NotSimulated: valid on AWS, and not implemented here
    fixtures/           YAML documents of accounts, keys and images, and the code that loads them
    http/               what each API call passes: authentication, record, faults, throttling
    autoscaling/ cloudtrail/ ec2/ events/ iam/ imagebuilder/ kms/ organizations/ ram/ rbin/ s3/ sns/
    sqs/ ssm/ sts/
                        one package for each AWS service

In the packages of the services:
    patch_moto.py       registers the package's code in moto, in place of moto's own
    moto_responses.py   moto's request handlers with stricter checks
    moto_backend.py     moto's data store, changed where other parts of moto read from it
    actions/            one function for each action that is implemented here instead of in moto
    dispatch.py         parses a request, calls its action, and writes the response or the error
    fast_path.py        the actions that the HTTP server calls directly, without moto's slow dispatcher
    state.py            what the service stores
    errors.py           the service's errors
"""

# SPDX-License-Identifier: GPL-3.0-or-later

"""The failures of amazon.aws and community.aws in plain words, with a remedy."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import CHECK_CREDENTIALS
from ansible_collections.golden.images.plugins.module_utils._monitoring.causes import explain

PAGE = "<!DOCTYPE html>\n<html><body><h1>Gateway</h1></body></html>\n"
ERROR = "An error occurred ({}) when calling the PutRule operation{}: {}"


def test_an_answer_that_lacks_a_member() -> None:
    for message in ("Task failed: Module failed: 'CreateTopicResult'", "'CreateTopicResult'"):
        assert explain(message) == (
            "The response has no CreateTopicResult. It probably does not come from AWS.",
            "Check the network, the proxy and AWS_ENDPOINT_URL.",
        )


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            f"Could not create rule x: {ERROR.format(403, '', PAGE)}",
            "The response to PutRule does not come from AWS. It is a web page with the HTTP status 403.",
        ),
        (
            f"Task failed: Module failed: {ERROR.format(503, ' (reached max retries: 4)', PAGE)}",
            "The response to PutRule does not come from AWS. It is a web page with the HTTP status 503.",
        ),
        (ERROR.format("Unknown", "", "Unknown"), "The response to PutRule does not come from AWS."),
    ],
)
def test_a_web_page(message: str, expected: str) -> None:
    assert explain(message) == (expected, "Check the network, the proxy and AWS_ENDPOINT_URL.")


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "UnrecognizedClientException"])
def test_credentials_that_are_not_valid_may_be_a_region_that_is_not_enabled(code: str) -> None:
    _message, remedy = explain(
        ERROR.format(code, "", "The security token included in the request is invalid.")
    )
    assert remedy.startswith("Check monitor_regions and monitor_log_group_regions: ")
    assert "a region that the account has not enabled" in remedy
    assert CHECK_CREDENTIALS in remedy


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        (ERROR.format("AccessDeniedException", "", "User: x is not authorized"), "docs/iam/monitor.json"),
        (ERROR.format("AuthorizationError", "", "No."), "docs/iam/monitor.json"),
        (ERROR.format("ExpiredTokenException", "", "The token expired"), "Check the credentials"),
        ("Unable to locate credentials", "Check the credentials"),
        (ERROR.format("ThrottlingException", " (reached max retries: 4)", "Rate exceeded"), "Rerun later."),
        (ERROR.format("500", "", "Internal Server Error"), "Rerun later."),
        ('Could not connect to the endpoint URL: "https://sns.example"', "Check the network"),
    ],
)
def test_the_remedy(text: str, beginning: str) -> None:
    message, remedy = explain(f"Task failed: Module failed: {text}")
    assert message == text
    assert remedy.startswith(beginning)


def test_a_message_that_tells_all() -> None:
    assert explain("it failed") == ("it failed", "")
    text = ERROR.format("LimitExceeded", "", "You have reached the maximum limit for number of rules")
    assert explain(text) == (text, "")


def test_the_remedy_of_a_module_of_this_collection_is_not_repeated() -> None:
    text = f"No (ExpiredToken). {CHECK_CREDENTIALS}"
    assert explain(text) == (text, "")

"""GET /user/tokens/verify."""

import re

from harness import equal, expect, refused


def check_verify_tells_an_active_token(w):
    token = w.client.user.tokens.verify()
    equal(token.status, "active", "status")
    expect(re.fullmatch("[0-9a-f]{32}", token.id), f"the id is not 32 hex digits: {token.id!r}")


def check_verify_answers_in_the_v4_envelope(w):
    answer = w.get("/user/tokens/verify")
    equal(answer["success"], True, "success")
    equal(answer["errors"], [], "errors")
    equal(answer["messages"], [], "messages")


def check_verify_refuses_an_unknown_token(w):
    stranger = w.connect(token="no-such-token")
    refused(401, stranger.user.tokens.verify)

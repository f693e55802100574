"""What several tests of the whole site need."""

import io
import json
import logging

import pytest


@pytest.fixture
def log():
    """Return a function that returns the lines of the security log written since it was last called."""
    handler = logging.getLogger("bcp_board.security").handlers[0]
    before, stream = handler.stream, io.StringIO()
    handler.setStream(stream)

    def read(raw=False):
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return text if raw else [json.loads(line) for line in text.splitlines()]

    yield read
    handler.setStream(before)

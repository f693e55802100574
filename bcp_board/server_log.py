"""What gunicorn itself says, as lines of JSON like the site's own."""

import logging
import re
import sys

from gunicorn.glogging import Logger

from record.security_log import JsonLine


class ServerLine(JsonLine):
    """A line of gunicorn's log."""

    def said(self, record):
        """What gunicorn says of itself, in its words; of a request that it could not read, only why.

        What it says of one quotes it, and a first line that cannot be read may hold a one-time link.
        """
        if record.exc_info:
            return super().said(record)
        message, problem = record.getMessage(), sys.exc_info()[0]
        if problem and record.levelno < logging.ERROR:
            visitor = re.match("Invalid request from ip=(.*?): ", message)
            refused = {"event": "request not read", "outcome": "refused"}
            about = refused | {"address": visitor[1]} if visitor else {"event": "server"}
            return about | {"kind": problem.__name__}
        return {"event": "server", "said": message}


class ServerLog(Logger):
    """gunicorn's log, with every line in JSON."""

    def setup(self, cfg):
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(ServerLine())
        # What Python's own warnings say goes the same way, and not past the log.
        logging.captureWarnings(True)

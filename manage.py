#!/usr/bin/env python3
"""Run a management command of the improvement board's record."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcp_board.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import InterfaceError, OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        sys.exit(str(wrong))
    except (OperationalError, InterfaceError):
        # Without the driver's words, which name the server and may quote what was being written.
        sys.exit(
            "Stopped: the database cannot be reached, is busy, or has no room. What the command had not "
            "finished is not saved. See that it answers, and run the command again."
        )

#!/usr/bin/env python3
"""Run a management command of the improvement board's record."""

import gc
import os
import sys

if __name__ == "__main__":
    # A load makes millions of objects: to look for circles among them so often took a fifth of its time.
    gc.set_threshold(50_000)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcp_board.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import Error

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        sys.exit(str(wrong))
    except Error as error:
        from record.out_of_order import is_out_of_order

        if not is_out_of_order(error):
            raise
        # Without the driver's words, which name the server and may quote what was being written.
        sys.exit(
            "Stopped: the database cannot be reached, is busy or damaged, or has no room. What the command "
            "had not finished is not saved. See that it answers, and run the command again."
        )

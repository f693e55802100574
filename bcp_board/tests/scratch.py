"""Databases for tests that start from nothing, need several connections or lose their database.

Each is of the kind the tests are on: a SQLite file, or a database on the same PostgreSQL server.

    with new_database() as connection:
        ...  # it is the default database, for every thread, until the block ends
"""

import sqlite3
from contextlib import closing
from uuid import uuid4

from django.db import DEFAULT_DB_ALIAS, connections


class Scratch:
    def __init__(self, folder, *, template=None):
        self.name = f"scratch_{uuid4().hex}"
        self.default = connections[DEFAULT_DB_ALIAS]
        self.is_file = self.default.vendor == "sqlite"
        if self.is_file:
            self.name = str(folder / f"{self.name}.sqlite3")
            if template:
                with closing(sqlite3.connect(template.name)) as source:
                    source.execute("VACUUM INTO ?", [self.name])
        else:
            copied = f" TEMPLATE {template.name}" if template else ""
            self._on_server(f"CREATE DATABASE {self.name}{copied}")

    def __enter__(self):
        settings = connections.settings[DEFAULT_DB_ALIAS]
        self.outer, self.outer_name = connections[DEFAULT_DB_ALIAS], settings["NAME"]
        settings["NAME"] = self.name
        connections[DEFAULT_DB_ALIAS] = connections.create_connection(DEFAULT_DB_ALIAS)
        return connections[DEFAULT_DB_ALIAS]

    def __exit__(self, *_):
        connections[DEFAULT_DB_ALIAS].close()
        connections.settings[DEFAULT_DB_ALIAS]["NAME"] = self.outer_name
        connections[DEFAULT_DB_ALIAS] = self.outer

    def drop(self):
        """Take it off the server; a file goes with its folder."""
        if not self.is_file:
            self._on_server(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def _on_server(self, statement):
        with self.default._nodb_cursor() as cursor:
            cursor.execute(statement)

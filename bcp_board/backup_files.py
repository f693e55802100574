"""Backup files: whole or refused, for their owner only, encrypted to public keys, and never overwritten.

A backup is lines of text: a heading in JSON, what it holds, and last the SHA-256 of all the lines above. What
it holds is the record as lines of JSON, or a plain backup encrypted in the age format, which two programs
open without us:

    sed '1d;$d' FILE | age --decrypt --identity KEY

The SHA-256 finds damage, not fraud: whoever can write to the folder can put another backup there. Against
that there is the count and hash at the foot of every paper.
"""

import base64
import datetime
import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from pyrage import DecryptError, EncryptError, IdentityError, decrypt_io, encrypt_io, x25519

from record import ledger

PLAIN, ENCRYPTED = 1, 2
SUFFIX = ".backup"
HEADING_AT_MOST = 100_000


class Refused(Exception):
    """The backup or the restore was not done, and nothing was changed; the message says why."""


@dataclass(frozen=True)
class Backup:
    """What the heading of one file says. ``anchor`` is where the chain of history stood.

    ``erased_at`` is when words were last erased from the record by law, or None.
    """

    path: Path
    made_at: datetime.datetime
    migrations: frozenset
    anchor: ledger.Anchor
    recipients: tuple[str, ...]
    erased_at: datetime.datetime | None = None


def line_of(value):
    """``value`` as a line of a backup."""
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def write(path, heading, lines, *, recipients):
    """Write the new file ``path`` with the facts in ``heading`` and then ``lines``; return its Backup.

    It is encrypted to ``recipients``, public keys, unless there are none, and is complete when it appears
    under its name. Raises Refused if there is a file of that name already, or it cannot be written.
    """
    path = Path(path).absolute()
    try:
        handle, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "w+b") as file:
                whole = _whole({"format": PLAIN, **heading}, lines)
                if recipients:
                    _encrypt(whole, file, {"format": ENCRYPTED, **heading, "recipients": recipients})
                else:
                    file.writelines(whole)
                file.flush()
                os.fsync(file.fileno())
            os.link(unfinished, path)  # unlike renaming, it never takes the place of another file
        finally:
            os.unlink(unfinished)
        _sync_folder(path.parent)
    except FileExistsError:
        raise Refused(
            f"{path} is there already, and a backup is never overwritten. Choose another name."
        ) from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    return read(path)


def read(path):
    """The Backup at ``path``, or raise Refused unless every byte is as it was written."""
    with _open(path) as file:
        return _checked(file, path)


@contextmanager
def opened(path, *, identity=None):
    """Give the block the Backup at ``path`` and a file that stands at the first line after its heading.

    What is encrypted is decrypted, with a private key in the file ``identity``, into a file without a name:
    nothing else can open it, and it is gone when this program ends, however it ends. Raises Refused if a
    byte is not as it was written, or if there is no key or it is not the right one.
    """
    with _open(path) as file, tempfile.TemporaryFile() as plain:
        backup = _checked(file, path)
        if backup.recipients:
            _decrypt(file, plain, backup, identity)
            if _checked(plain, path) != replace(backup, recipients=()):
                raise Refused(f"The heading of {path} is not that of what is encrypted in it.")
            file = plain
        file.seek(0)
        file.readline()
        yield backup, file


def made_before(folder, moment):
    """The paths of the files in ``folder`` that say they were made before ``moment``, damaged or not."""
    found = []
    for path in sorted(Path(folder).glob(f"*{SUFFIX}")):
        try:
            with _open(path) as file:
                if _heading(file, path).made_at < moment:
                    found.append(path)
        except Refused:
            continue
    return found


def newest(folder, *, now):
    """The newest whole Backup in ``folder``, or None; one from after ``now`` counts for nothing."""
    found = []
    for path in Path(folder).glob(f"*{SUFFIX}"):
        try:
            with _open(path) as file:
                found.append((_heading(file, path).made_at, path))
        except Refused:
            continue
    for made_at, path in sorted(found, reverse=True):
        try:
            if made_at <= now:
                return read(path)
        except Refused:
            continue
    return None


def new_key(path):
    """Write a new private key to the new file ``path``, for its owner only, and return its public key.

    Raises Refused if there is a file of that name already, or it cannot be written.
    """
    key = x25519.Identity.generate()
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"# public key: {key.to_public()}\n{key}\n")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    return str(key.to_public())


class _Source:
    """Lines, as the file that pyrage reads. It keeps their error, of which pyrage keeps only the words."""

    def __init__(self, lines):
        self.lines, self.left, self.error = iter(lines), b"", None

    def read(self, size):
        try:
            self.left = self.left or memoryview(next(self.lines, b""))
        except Exception as error:
            self.error = error
            raise
        part, self.left = self.left[:size], self.left[size:]
        return bytes(part)


def _encrypt(lines, file, heading):
    file.write(line_of(heading))
    source, keys = _Source(lines), [x25519.Recipient.from_str(key) for key in heading["recipients"]]
    try:
        encrypt_io(source, file, keys, armored=True)
    except EncryptError as error:
        raise source.error or OSError(0, str(error)) from error
    file.seek(0)
    file.write(_closing_line(hashlib.file_digest(file, "sha256")))


def _decrypt(file, plain, backup, identity):
    if identity is None:
        raise Refused(f"{backup.path} is encrypted. Name the file of its private key: --identity FILE.")
    keys = _private_keys(identity)
    file.seek(0)
    try:
        # Only the heading and the SHA-256 begin with a brace.
        decrypt_io(_Source(line for line in file if not line.startswith(b"{")), plain, keys)
    except (DecryptError, OSError) as error:
        if {str(key.to_public()) for key in keys}.isdisjoint(backup.recipients):
            wanted = " or ".join(backup.recipients)
            raise Refused(
                f"{identity} holds another key than that of {backup.path}, which is encrypted to {wanted}."
            ) from error
        raise Refused(f"{backup.path} was altered after it was encrypted.") from error


def _private_keys(path):
    try:
        lines = [line.strip() for line in Path(path).read_text().splitlines()]
        keys = [x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    except (IdentityError, UnicodeDecodeError):
        keys = []
    if not keys:
        raise Refused(f"{path} holds no private key; such a key begins with AGE-SECRET-KEY-1.")
    return keys


def _open(path):
    try:
        return open(path, "rb")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


def _checked(file, path):
    """The Backup in ``file``, which is at ``path``, once its last line was found to be right."""
    found, last = hashlib.sha256(), b""
    file.seek(0)
    try:
        for line in file:
            found.update(last)
            last = line
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    if last != _closing_line(found):
        raise Refused(f"{path} is not a whole backup: it does not match the SHA-256 in its last line.")
    return _heading(file, path)


def _heading(file, path):
    """The Backup that the first line of ``file`` speaks of, true or not."""
    file.seek(0)
    try:
        heading = json.loads(file.readline(HEADING_AT_MOST))
        if heading["format"] not in (PLAIN, ENCRYPTED):
            raise Refused(
                f"{path} has the format {heading['format']}, which this copy of the site cannot read."
            )
        erased_at = heading.get("erased_at")
        return Backup(
            path=Path(path),
            made_at=datetime.datetime.fromisoformat(heading["made_at"]).astimezone(datetime.UTC),
            migrations=frozenset(tuple(name) for name in heading["migrations"]),
            anchor=ledger.Anchor.read(heading["anchor"]),
            recipients=tuple(heading.get("recipients", ())),
            erased_at=erased_at and datetime.datetime.fromisoformat(erased_at).astimezone(datetime.UTC),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Refused(f"{path} does not begin as a backup does.") from error


def _whole(heading, lines):
    """Yield the lines of a plain backup: its heading, ``lines``, and the SHA-256 of both."""
    found = hashlib.sha256()
    for line in chain([line_of(heading)], lines):
        found.update(line)
        yield line
    yield _closing_line(found)


def _closing_line(found):
    return line_of({"sha256": found.hexdigest()})


def _plain(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    raise TypeError(f"A backup has no form for {type(value).__name__}.")


def _sync_folder(folder):
    """Have the new name survive a power cut, as the content of the file already does."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

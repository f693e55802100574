"""Backup files: whole or refused, signed, for their owner only, encrypted to public keys, never overwritten.

A backup is lines of text: a heading in JSON, what it holds, and last the SHA-256 of all the lines above, with
the HMAC-SHA256 of that by a key which the server holds and a reader of the folder does not. What it holds is
the record as lines of JSON, or a plain backup compressed and then encrypted in the age format, which ordinary
programs open without us:

    sed '1d;$d' FILE | age --decrypt --identity KEY | gunzip

The SHA-256 finds damage, the HMAC whoever put another backup there.
"""

import base64
import datetime
import hashlib
import hmac
import json
import os
import re
import tempfile
import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from pyrage import EncryptError, decrypt_io, encrypt_io, x25519

from bcp_board import backup_keys
from bcp_board.backup_keys import Refused
from record import ledger

# The second is of the time before backups were compressed.
PLAIN, ENCRYPTED, COMPRESSED = 1, 2, 3
SUFFIX = ".backup"
HEADING_AT_MOST = 100_000
GZIP = zlib.MAX_WBITS | 16
AT_ONCE = 1 << 20
# The record grows fourfold when it is decompressed. What grows more than this was made to fill the disk.
GROWS_AT_MOST = 200


class NotSigned(Refused):
    """The backup is whole, but nobody who holds a key that is known here has signed it."""


@dataclass(frozen=True)
class Backup:
    """What the heading of one file says. ``anchor`` is where the chain of history stood.

    ``erased_at`` is when words were last erased from the record by law, or None. ``is_signed`` is whether
    somebody holds the key here that signed it.
    """

    path: Path
    format: int
    made_at: datetime.datetime
    migrations: frozenset
    anchor: ledger.Anchor
    recipients: tuple[str, ...]
    erased_at: datetime.datetime | None = None
    is_signed: bool = False


@dataclass(frozen=True)
class Trust:
    """Whose backups are taken: those signed with one of ``keys``, or also ``unsigned`` and foreign ones.

    What says that one of ``keys`` signed it has to hold in any case.
    """

    keys: tuple[str, ...] = ()
    unsigned: bool = False


def line_of(value):
    """``value`` as a line of a backup."""
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def write(path, heading, lines, *, recipients, signing_key):
    """Write the new file ``path`` with the facts in ``heading`` and then ``lines``; return its Backup.

    It is encrypted to ``recipients``, public keys, unless there are none, signed unless ``signing_key`` is
    empty, and complete when it appears under its name. Raises Refused if there is a file of that name
    already, or it cannot be written.
    """
    path = Path(path).absolute()
    try:
        handle, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "w+b") as file:
                os.fchmod(handle, 0o600)
                whole = _whole({"format": PLAIN, **heading}, lines, signing_key)
                if recipients:
                    heading = {"format": COMPRESSED, **heading, "recipients": recipients}
                    _encrypt(whole, file, heading, signing_key)
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
    return read(path, trust=Trust(keys=(signing_key,)) if signing_key else Trust(unsigned=True))


def read(path, *, trust):
    """The Backup at ``path``, or raise Refused unless every byte is as somebody in ``trust`` wrote it."""
    with _open(path) as file:
        return _checked(file, path, trust)


@contextmanager
def opened(path, *, trust, identity=None):
    """Give the block the Backup at ``path`` and a file that stands at the first line after its heading.

    What is encrypted is decrypted, with a private key in the key file ``identity``, into a file without a
    name: nothing else can open it, and it is gone when this program ends, however it ends. Raises Refused if
    a byte is not as it was written, if nobody in ``trust`` nor the key in ``identity`` signed it, or if there
    is no private key or it is not the right one.
    """
    key_file = backup_keys.read(identity) if identity else backup_keys.KeyFile()
    trust = replace(trust, keys=(*trust.keys, *key_file.signing))
    with _open(path) as file:
        backup = _checked(file, path, trust)
        is_encrypted = backup.format != PLAIN
        with _temporary() if is_encrypted else nullcontext(file) as plain:
            if is_encrypted:
                _decrypt(file, plain, backup, key_file=key_file, identity=identity)
                if _checked(plain, path, trust) != replace(backup, format=PLAIN, recipients=()):
                    raise Refused(f"The heading of {path} is not that of what is encrypted in it.")
            plain.seek(0)
            plain.readline()
            yield backup, plain


def headings(folder):
    """The Backups that the files in ``folder`` say they are, damaged or forged or not, the oldest first."""
    found = []
    for path in Path(folder).glob(f"*{SUFFIX}"):
        try:
            with _open(path) as file:
                found.append(_heading(file, path))
        except Refused:
            continue
    return sorted(found, key=lambda backup: (backup.made_at, backup.path))


def newest(folder, *, now, trust):
    """The newest whole Backup in ``folder``, or None; one from after ``now`` counts for nothing.

    Raises NotSigned if nobody in ``trust`` made it.
    """
    for backup in reversed(headings(folder)):
        try:
            if backup.made_at <= now:
                return read(backup.path, trust=trust)
        except NotSigned:
            raise
        except Refused:
            continue
    return None


def make_private_folder(path):
    """Make the folder ``path``, and those missing above it, for their owner only; or raise Refused."""
    try:
        for folder in [*reversed(path.parents), path]:
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)
    except OSError as error:
        raise Refused(f"{path} cannot be made: {error.strerror}.") from error


def delete(path):
    """Take away the file at ``path``, or raise Refused."""
    try:
        os.unlink(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise Refused(f"{path} cannot be deleted: {error.strerror}.") from error


@contextmanager
def _temporary():
    """A file without a name, for the block; raise Refused where there is no room for it."""
    try:
        with tempfile.TemporaryFile() as file:
            yield file
    except OSError as error:
        raise Refused(
            f"The decrypted record does not fit into the folder for temporary files: {error.strerror}. "
            "Make room there, or name another folder in TMPDIR."
        ) from error


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


class _Sink:
    """The function ``take``, as the file that pyrage writes. It keeps its error, as _Source does."""

    def __init__(self, take):
        self.take, self.error = take, None

    def write(self, data):
        try:
            self.take(data)
        except Exception as error:
            self.error = error
            raise
        return len(data)

    def flush(self):
        pass


def _encrypt(lines, file, heading, signing_key):
    file.write(line_of(heading))
    source = _Source(_compressed(lines))
    keys = [x25519.Recipient.from_str(key) for key in heading["recipients"]]
    try:
        encrypt_io(source, file, keys, armored=True)
    except EncryptError as error:
        if source.error:
            raise source.error from source.error.__cause__  # which says what failed in the database
        raise OSError(0, str(error)) from error
    file.seek(0)
    file.write(_closing_line(hashlib.file_digest(file, "sha256"), signing_key))


def _compressed(lines):
    gzip = zlib.compressobj(wbits=GZIP)
    for line in lines:
        if part := gzip.compress(line):
            yield part
    yield gzip.flush()


def _decompressor(plain, backup):
    """A function that writes to ``plain`` what is compressed in the pieces it is given, in turn."""
    gzip = zlib.decompressobj(wbits=GZIP)
    at_most = GROWS_AT_MOST * backup.path.stat().st_size

    def take(data):
        while data:
            plain.write(gzip.decompress(data, AT_ONCE))
            if plain.tell() > at_most:
                raise Refused(f"{backup.path} was made to fill the disk: what it holds is far too large.")
            if gzip.unused_data:
                raise zlib.error("more follows")
            data = gzip.unconsumed_tail

    return take


def _decrypt(file, plain, backup, *, key_file, identity):
    if identity is None:
        raise Refused(f"{backup.path} is encrypted. Name the file of its private key: --identity FILE.")
    file.seek(0)
    # Only the heading and the SHA-256 begin with a brace.
    source = _Source(line for line in file if not line.startswith(b"{"))
    sink = _Sink(_decompressor(plain, backup) if backup.format == COMPRESSED else plain.write)
    try:
        decrypt_io(source, sink, key_file.private)
    except Exception as error:  # whatever pyrage makes of what the source or the sink raised
        if isinstance(source.error, OSError):
            raise Refused(f"{backup.path} cannot be read: {source.error.strerror}.") from error
        if isinstance(sink.error, OSError | Refused):
            raise sink.error from error
        if {str(key.to_public()) for key in key_file.private}.isdisjoint(backup.recipients):
            wanted = " or ".join(backup.recipients)
            raise Refused(
                f"{identity} holds another key than that of {backup.path}, which is encrypted to {wanted}."
            ) from error
        raise Refused(f"{backup.path} was altered after it was encrypted.") from error


def _open(path):
    try:
        return open(path, "rb")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


def _checked(file, path, trust):
    """The Backup in ``file``, which is at ``path``, once its last line was found to be right."""
    found, last = hashlib.sha256(), b""
    file.seek(0)
    try:
        # Not whole lines: a file without any would be in memory whole.
        for line in iter(partial(file.readline, AT_ONCE), b""):
            found.update(last)
            last = line
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    name, signature = _signature_in(last)
    if last != line_of(_closing(found, name, signature)):
        raise Refused(f"{path} is not a whole backup: it does not match the SHA-256 in its last line.")
    keys = {backup_keys.name_of(key): key for key in trust.keys}
    if name in keys:
        if not hmac.compare_digest(signature, backup_keys.signature(keys[name], found.hexdigest())):
            raise NotSigned(f"The signature of {path} does not hold: somebody altered it or made another.")
    elif not trust.unsigned:
        raise NotSigned(
            f"{path} is not signed with a key that is known here, so whoever could write to its folder may "
            "have made it. Give its key (BACKUP_SIGNING_KEY, or --identity to restore), or add --unsigned if "
            "you know who made it."
        )
    return replace(_heading(file, path), is_signed=name in keys)


def _heading(file, path):
    """The Backup that the first line of ``file`` speaks of, true or not."""
    file.seek(0)
    try:
        heading = json.loads(file.readline(HEADING_AT_MOST))
        if heading["format"] not in (PLAIN, ENCRYPTED, COMPRESSED):
            raise Refused(
                f"{path} has the format {heading['format']}, which this copy of the site cannot read."
            )
        erased_at = heading.get("erased_at")
        return Backup(
            path=Path(path),
            format=heading["format"],
            made_at=datetime.datetime.fromisoformat(heading["made_at"]).astimezone(datetime.UTC),
            migrations=frozenset(tuple(name) for name in heading["migrations"]),
            anchor=ledger.Anchor.read(heading["anchor"]),
            recipients=tuple(map(str, heading.get("recipients", ()))),
            erased_at=erased_at and datetime.datetime.fromisoformat(erased_at).astimezone(datetime.UTC),
        )
    except (OSError, OverflowError, RecursionError, ValueError, TypeError, KeyError) as error:
        raise Refused(f"{path} does not begin as a backup does.") from error


def _whole(heading, lines, signing_key):
    """Yield the lines of a plain backup: its heading, ``lines``, and the SHA-256 of both, signed."""
    found = hashlib.sha256()
    for line in chain([line_of(heading)], lines):
        found.update(line)
        yield line
    yield _closing_line(found, signing_key)


def _closing_line(found, signing_key):
    if not signing_key:
        return line_of(_closing(found, None, None))
    signature = backup_keys.signature(signing_key, found.hexdigest())
    return line_of(_closing(found, backup_keys.name_of(signing_key), signature))


def _closing(found, name, signature):
    """What stands in the last line of a file of this digest; ``name`` is None where nobody signed it."""
    signed = {} if name is None else {"signed_with": name, "hmac": signature}
    return {"sha256": found.hexdigest(), **signed}


def _signature_in(line):
    """The name of the key and the signature in the last line of a file, or twice None."""
    try:
        closing = json.loads(line)
        name, signature = closing["signed_with"], closing["hmac"]
        is_one = re.fullmatch("[0-9a-f]{16}", name) and re.fullmatch("[0-9a-f]{64}", signature)
    except (RecursionError, ValueError, TypeError, KeyError):
        is_one = False
    return (name, signature) if is_one else (None, None)


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

"""The keys of backups: the pair that they are encrypted with, and the key that signs them.

A key file holds the private key and the signing key, and is kept away from the server. The server has the
public key, with which it can encrypt and not decrypt, and the signing key, or it could not sign.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from pyrage import IdentityError, x25519

# Comments, to the programs of the age format.
PUBLIC, SIGNING = "# public key: ", "# signing key: "


class Refused(Exception):
    """What was asked for was not done, and nothing was changed; the message says why."""


@dataclass(frozen=True)
class KeyFile:
    """What a key file holds; one from before backups were signed has no signing key."""

    private: tuple[x25519.Identity, ...] = ()
    signing: tuple[str, ...] = ()


def new(path):
    """Write the new key file ``path``, for its owner only; return the public key and the signing key.

    Raises Refused if there is a file of that name already, or it cannot be written.
    """
    pair, signing = x25519.Identity.generate(), secrets.token_hex(32)
    public = str(pair.to_public())
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(f"{PUBLIC}{public}\n{SIGNING}{signing}\n{pair}\n")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    return public, signing


def read(path):
    """The KeyFile at ``path``, or raise Refused if it holds no private key."""
    try:
        lines = [line.strip() for line in Path(path).read_text().splitlines()]
        private = [x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    except (IdentityError, UnicodeDecodeError):
        private = []
    if not private:
        raise Refused(f"{path} holds no private key; such a key begins with AGE-SECRET-KEY-1.")
    signing = [line.removeprefix(SIGNING) for line in lines if line.startswith(SIGNING)]
    return KeyFile(private=tuple(private), signing=tuple(signing))


def name_of(signing_key):
    """By what a backup says which key signed it; it tells nothing of the key."""
    return hashlib.sha256(f"signing key: {signing_key}".encode()).hexdigest()[:16]


def signature(signing_key, text):
    """What only a holder of ``signing_key`` can write below ``text``."""
    return hmac.new(signing_key.encode(), text.encode(), hashlib.sha256).hexdigest()

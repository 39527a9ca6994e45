"""Signatures of commands: Ed25519 (RFC 8032) over the canonical form (RFC 8785) of all of the command but `signature`.

Station, command_id and expiry are part of what is signed, so a signed command cannot be turned to another station or time.
Keys are PEM files as OpenSSL writes and reads them. The same keys sign recipes (see `edge.recipe.signature`).
"""

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from edge.errors import BadCommand, BadConfig
from edge.strict import read_limited

_MOST_KEY_BYTES = 4096


def open_public_key(path: Path) -> Callable[[bytes, bytes], bool]:
    """Whether the owner of the key has signed: a function of the signed bytes and the signature.

    Raises:
        BadConfig: the file cannot be read, or holds no Ed25519 public key.
    """
    raw = read_limited(path, _MOST_KEY_BYTES, BadConfig)
    try:
        key = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise BadConfig(f"{path}: is no Ed25519 public key in PEM; give the .pub file of `goodpart sign --new-key`.")

    def signed(message: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return signed


def open_private_key(path: Path) -> Callable[[bytes], bytes]:
    """Signs bytes: a function of them that gives 64 bytes.

    Raises:
        BadCommand: the file cannot be read, is encrypted, or holds no Ed25519 private key.
    """
    raw = read_limited(path, _MOST_KEY_BYTES, BadCommand)
    try:
        key = load_pem_private_key(raw, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadCommand(f"{path}: is no Ed25519 private key in PEM without passphrase; make one with --new-key.")
    return key.sign


def make_key(path: Path) -> Path:
    """Write a new private key that only its owner may read, and beside it the public one; returns the latter's path.

    Raises:
        BadCommand: one of the files is there already, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    public = path.with_name(f"{path.name}.pub")
    _write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    _write_new(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    return public


def _write_new(path: Path, raw: bytes, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(raw)
    except OSError as err:
        raise BadCommand(f"{path}: cannot be written: {err.strerror}; choose another name with --new-key.") from None

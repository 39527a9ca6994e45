"""`recipe.sig`: who vouches for a recipe. 64 bytes, Ed25519 (RFC 8032) over the bytes of `recipe.json`.

The manifest holds the sha256 of every other file, so one signature covers all of them. It is looked at before the manifest
is parsed. OpenSSL can check it, too:

    openssl pkeyutl -verify -rawin -pubin -inkey engineer.pem.pub -in recipe.json -sigfile recipe.sig

A signed command cannot pass for a recipe, nor a recipe for a command: both say in what is signed which of them they are.
"""

from collections.abc import Callable
from pathlib import Path

from edge.errors import BadRecipe
from edge.strict import read_limited

SIGNATURE_FILE = "recipe.sig"
SIGNATURE_BYTES = 64

Signed = Callable[[bytes, bytes], bool]
"""Whether the owner of the station's key has signed: of the signed bytes and the signature."""


def read_signature(folder: Path) -> bytes | None:
    """The signature of a recipe; None where it has none.

    Raises:
        BadRecipe: the file cannot be read, or is no signature.
    """
    path = folder / SIGNATURE_FILE
    if not path.exists():
        return None
    raw = read_limited(path, SIGNATURE_BYTES, BadRecipe)
    if len(raw) != SIGNATURE_BYTES:
        raise BadRecipe(f"{path}: is no signature; sign the recipe again with goodpart sign --recipe.")
    return raw


def check_signature(folder: Path, manifest: bytes, signed: Signed) -> None:
    """Refuse a recipe that the owner of the key has not signed. manifest: the bytes of its `recipe.json`.

    Raises:
        BadRecipe: it is not signed, or by somebody else, or was changed after.
    """
    signature = read_signature(folder)
    if signature is None:
        raise BadRecipe(f"{folder}: is not signed, and recipe_public_key_file asks for it; use goodpart sign --recipe.")
    if not signed(manifest, signature):
        raise BadRecipe(
            f"{folder}: was not signed by the owner of recipe_public_key_file, or was changed after; "
            "look who changed it, then sign it again with goodpart sign --recipe."
        )

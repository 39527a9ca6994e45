"""Public keys that a station file names."""

from collections.abc import Callable
from pathlib import Path

from edge.errors import BadConfig


def make_key_verifier(key: str, path: str | None) -> Callable[[bytes, bytes], bool] | None:
    """Whether the key's owner has signed: of the signed bytes and the signature; None where there is no key.

    key: of the station file, for messages.

    Raises:
        BadConfig: the key cannot be used, or the package that verifies is not installed.
    """
    if path is None:
        return None
    try:
        from edge.command.signing import open_public_key  # noqa: PLC0415 - an extra: not every station checks signatures
    except ModuleNotFoundError:
        raise BadConfig(f"{key} needs cryptography: install 'goodpart[commands]'.") from None
    return open_public_key(Path(path))

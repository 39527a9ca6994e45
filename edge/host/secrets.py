"""Passwords and tokens, from where only the right user reads them."""

import os
from pathlib import Path

from edge.errors import BadConfig

SHORTEST_TOKEN = 16
"""Characters; what is shorter can be guessed."""


def read_password(file: str | None, credential: str | None, key: str = "mqtt.password") -> str | None:
    """A password: from a file, or from a credential that systemd passes to the service (LoadCredential=).

    key: what `_file` and `_credential` are added to in the station file.

    Raises:
        BadConfig: it is not there, not readable or not text.
    """
    if file:
        return _read(f"{key}_file", Path(file))
    if credential is None:
        return None
    if not (folder := os.environ.get("CREDENTIALS_DIRECTORY")):
        raise BadConfig(
            f"{key}_credential: systemd passes no credentials to this process; add LoadCredential={credential}:FILE "
            f"to its unit, or use {key}_file."
        )
    return _read(f"{key}_credential", Path(folder) / credential)


def read_token(file: str | None, credential: str | None, key: str) -> str | None:
    """What whoever comes must know: as `read_password`, without blanks around it.

    Raises:
        BadConfig: as there, or it could be guessed.
    """
    token = read_password(file, credential, key)
    if token is None:
        return None
    token = token.strip()
    if len(token) < SHORTEST_TOKEN:
        named = f"{key}_file" if file else f"{key}_credential"
        raise BadConfig(
            f"{named}: the token has {len(token)} characters; make one of at least {SHORTEST_TOKEN}, such as with "
            "openssl rand -hex 16."
        )
    return token


def _read(key: str, path: Path) -> str:
    try:
        return path.read_text().rstrip("\r\n")
    except OSError as err:
        raise BadConfig(f"{key}: {path} cannot be read: {err.strerror}; may this user read it?") from None
    except UnicodeDecodeError:
        raise BadConfig(f"{key}: {path} is not text; write it as UTF-8.") from None

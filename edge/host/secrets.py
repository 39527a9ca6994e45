"""Passwords, from where only the right user reads them."""

import os
from pathlib import Path

from edge.errors import BadConfig


def read_password(file: str | None, credential: str | None) -> str | None:
    """The broker's password: from a file, or from a credential that systemd passes to the service (LoadCredential=).

    Raises:
        BadConfig: it is not there, not readable or not text.
    """
    if file:
        return _read("mqtt.password_file", Path(file))
    if credential is None:
        return None
    if not (folder := os.environ.get("CREDENTIALS_DIRECTORY")):
        raise BadConfig(
            f"mqtt.password_credential: systemd passes no credentials to this process; add LoadCredential={credential}:FILE "
            "to its unit, or use mqtt.password_file."
        )
    return _read("mqtt.password_credential", Path(folder) / credential)


def _read(key: str, path: Path) -> str:
    try:
        return path.read_text().rstrip("\r\n")
    except OSError as err:
        raise BadConfig(f"{key}: {path} cannot be read: {err.strerror}; may this user read it?") from None
    except UnicodeDecodeError:
        raise BadConfig(f"{key}: {path} is not text; write the password into it as UTF-8.") from None

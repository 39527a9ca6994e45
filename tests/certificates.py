"""A private CA and what it signs, made by Debian's openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Signed:
    cert: Path
    key: Path


class Authority:
    def __init__(self, folder: Path, name: str, *, days: int = 2) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.cert, self._key = folder / f"{name}-ca.pem", folder / f"{name}-ca.key"
        _openssl("req", "-x509", *_KEY, "-subj", f"/CN={name}", "-days", days, "-keyout", self._key, "-out", self.cert)

    def sign(self, name: str, *, names: str = "IP:127.0.0.1", days: int = 2) -> Signed:
        """A certificate for these names; negative days: it has expired."""
        key, request, cert, more = (self._folder / f"{name}.{kind}" for kind in ("key", "csr", "pem", "ext"))
        _openssl("req", "-new", *_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        more.write_text(f"subjectAltName={names}\n")
        issuer = ("-CA", self.cert, "-CAkey", self._key, "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, *issuer, "-days", days, "-extfile", more, "-out", cert)
        return Signed(cert, key)


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

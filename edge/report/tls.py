"""The broker's certificate is checked, and what is wrong with it is said with the mend."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadConfig

_NOT_TRUSTED = "is from a CA that is not trusted here; name that CA's file in mqtt.tls.ca_file"
_OTHER_NAME = "is not for '{host}'; set mqtt.host to a name that stands in it"
_CERTIFICATE_MENDS = {
    9: "is not valid yet; is this device's clock right?",
    10: "has expired; renew it there, or correct this device's clock",
    18: _NOT_TRUSTED,  # signed by itself
    19: _NOT_TRUSTED,  # so is the CA, which is not on the list
    20: _NOT_TRUSTED,  # its CA is unknown
    21: _NOT_TRUSTED,
    62: _OTHER_NAME,
    64: _OTHER_NAME,  # an address instead of a name
}
"""By OpenSSL's X509_V_ERR_ codes (X509_STORE_CTX_get_error)."""


NO_TLS = "it does not speak TLS at this port; correct mqtt.port, 8883 as a rule, or remove mqtt.tls"


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM. ca_file: whom to trust instead of the system's list; cert_file, key_file: who we are."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


class _Socket(ssl.SSLSocket):
    """Closed at once when TLS is not agreed on; paho would leave that to chance."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except ConnectionResetError:
            # Python looks for data before TLS begins (ssl.SSLSocket._create) and forgets the socket when that fails.
            if self.version() is None:
                self.close()
            raise


def make_context(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 or newer, certificate and host name checked.

    Raises:
        BadConfig: a file cannot be read, holds something else, or key and certificate do not belong together.
    """
    for key in ("ca_file", "cert_file", "key_file"):
        _must_be_readable(f"mqtt.tls.{key}", getattr(tls, key))
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
    except ssl.SSLError:
        raise BadConfig(f"mqtt.tls.ca_file: {tls.ca_file} holds no certificate in PEM; give the plant's CA.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _Socket
    if tls.cert_file:
        _show(context, tls.cert_file, tls.key_file)
    return context


def explain_tls(err: ssl.SSLError, host: str) -> str:
    """Why TLS was not agreed on, with the mend."""
    if isinstance(err, ssl.SSLCertVerificationError):
        mend = _CERTIFICATE_MENDS.get(err.verify_code, f"is not accepted: {err.verify_message}")
        return f"its certificate {mend.replace('{host}', host)}"
    if err.reason == "WRONG_VERSION_NUMBER":
        return NO_TLS
    return f"TLS fails: {err.reason or err}"


def _show(context: ssl.SSLContext, cert: Path, key: Path | None) -> None:
    def no_password() -> str:
        raise BadConfig(f"mqtt.tls.key_file: {key or cert} is encrypted, and nobody is there to type; give one without.")

    try:
        context.load_cert_chain(cert, key, no_password)
    except ssl.SSLError as err:
        if err.reason == "KEY_VALUES_MISMATCH":
            raise BadConfig(
                f"mqtt.tls.key_file: {key or cert} is not the key of {cert}; give the two made together."
            ) from None
        name = f"mqtt.tls.cert_file: {cert}" + (f" or mqtt.tls.key_file: {key}" if key else "")
        raise BadConfig(f"{name} holds no certificate with its key in PEM ({err.reason or 'not PEM'}).") from None


def _must_be_readable(key: str, path: Path | None) -> None:
    if path is None:
        return
    try:
        with path.open("rb"):
            pass
    except OSError as err:
        raise BadConfig(f"{key}: {path} cannot be read: {err.strerror}; may this user read it?") from None

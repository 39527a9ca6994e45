"""Whether the primary host application is there to hear us."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError


class _State(BaseModel):
    """The payload of a STATE topic (specification 3.0.0, payloads-state-birth-payload)."""

    model_config = ConfigDict(strict=True, extra="ignore")

    online: bool
    timestamp: int


@dataclass(slots=True)
class PrimaryHost:
    """What is known of one host since the connection began. name None: none is waited for, and it counts as online."""

    name: str | None
    _online: bool = False
    _since_ms: int = 0

    @property
    def online(self) -> bool:
        """Whether an edge node may be born."""
        return self.name is None or self._online

    def forget(self) -> None:
        """A connection begins: what the host said before it is not known to hold."""
        self._online, self._since_ms = False, 0

    def hear(self, raw: bytes) -> None:
        """Take a STATE message; one older than the last counts for nothing (edge-node-termination-host-offline-timestamp).

        Raises:
            ValueError: it is none of Sparkplug 3.0; in words.
        """
        try:
            state = _State.model_validate_json(raw)
        except ValidationError as err:
            first = err.errors()[0]
            raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'no JSON'}: {first['msg']}") from None
        if state.timestamp >= self._since_ms:
            self._online, self._since_ms = state.online, state.timestamp

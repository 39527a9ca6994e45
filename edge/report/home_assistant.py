"""How Home Assistant finds the station: one retained message that describes a device by the topics that are there anyway.

Device discovery, Home Assistant 2024.12 and later. Its templates read the result and status messages, so nothing more is
published for a part. Master parts of the shift check, results that come late, and pictures that are no live part leave every
sensor as it is. Where a part is NOT_DECIDABLE nobody knows whether it is a reject, and so the sensor says.
"""

import hashlib
import json
from dataclasses import dataclass

from edge.report.topics import topic
from edge.report.wire import StationName
from edge.types import Decision, Origin

SHARE_OVER_PARTS = 100
"""The reject share is an exponential mean that forgets a part after about so many."""

_Component = dict[str, str | bool | int | list[str] | list[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Discovery:
    """What is retained where."""

    topic: str
    payload: bytes

    def removal(self) -> "Discovery":
        """The empty message on which Home Assistant forgets the device and its entities."""
        return Discovery(self.topic, b"")


def discover(prefix: str, topics_prefix: str, station: StationName, version: str) -> Discovery:
    """The discovery message of a station. prefix: Home Assistant's, usually homeassistant."""
    names = (station.site, station.area, station.line, station.station)
    # A level may hold a dot, and an object id may not; the digest keeps a.b apart from a_b.
    plain = "-".join(names).replace(".", "_")
    device = f"goodpart-{plain}-{hashlib.sha256('/'.join(names).encode()).hexdigest()[:8]}"
    result, status = topic(topics_prefix, station, "result"), topic(topics_prefix, station, "status")
    components = {**_of_results(result, status), "connectivity": _connectivity(status)}
    payload = {
        "device": {
            "identifiers": [device],
            "name": f"{station.line} {station.station}",
            "manufacturer": "goodpart",
            "model": "Visual quality check",
            "sw_version": version,
            "suggested_area": station.area,
        },
        "origin": {"name": "goodpart", "sw_version": version},
        "components": {key: {"unique_id": f"{device}-{key}", "qos": 1, **c} for key, c in components.items()},
    }
    return Discovery(f"{prefix}/device/{device}/config", json.dumps(payload).encode())


def _of_results(result: str, status: str) -> dict[str, _Component]:
    ok, nok = (f"value_json.verdict == '{decision}'" for decision in (Decision.OK, Decision.NOK))
    gain = f"([value_json.seq, {SHARE_OVER_PARTS}] | min)"
    share = f"{{% set old = this.state | float(0) %}}{{{{ old + ((100 if {nok} else 0) - old) / {gain} }}}}"
    measured: _Component = {"state_class": "measurement", "suggested_display_precision": 2}
    sensors: dict[str, _Component] = {
        "verdict": {
            "name": "Verdict",
            "device_class": "enum",
            "options": [str(decision) for decision in Decision],
            "value_template": _words("value_json.verdict"),
        },
        "part": {"name": "Part", "value_template": _words("value_json.part_id")},
        "score": {"name": "Score", "value_template": _of_parts("{{ value_json.score }}"), **measured},
        "threshold": {"name": "Threshold", "value_template": _of_parts("{{ value_json.threshold }}"), **measured},
        "parts": {
            "name": "Parts",
            "state_class": "total_increasing",
            "value_template": _of_parts("{{ value_json.seq }}"),
        },
        "reject_share": {
            "name": "Reject share",
            "unit_of_measurement": "%",
            "value_template": _of_parts(share),
            **measured,
        },
        "last_result": {
            "name": "Last result",
            "device_class": "timestamp",
            "value_template": _words("value_json.taken_utc"),
        },
    }
    availability = [{"topic": status, "value_template": "{{ value_json.state }}"}]
    components: dict[str, _Component] = {key: {"platform": "sensor", **sensor} for key, sensor in sensors.items()}
    components["reject"] = {
        "platform": "binary_sensor",
        "name": "Reject",
        "device_class": "problem",
        # A payload of None is "unknown" (Home Assistant's manual of the MQTT binary sensor).
        "value_template": _of_parts(f"{{{{ 'ON' if {nok} else 'OFF' if {ok} else 'None' }}}}"),
    }
    return {key: {"state_topic": result, "availability": availability, **c} for key, c in components.items()}


def _connectivity(status: str) -> _Component:
    return {
        "platform": "binary_sensor",
        "name": "Connectivity",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": status,
        "value_template": "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
    }


_IS_NEWS = f"value_json.origin == '{Origin.LIVE}' and not value_json.purpose and not value_json.historical"


def _of_parts(template: str) -> str:
    """Nothing for what is no news of a live part, which numbers and binary sensors take as no news."""
    return f"{{% if {_IS_NEWS} %}}{template}{{% endif %}}"


def _words(value: str) -> str:
    """For those the state that is there: a sensor of words would show nothing. None is "unknown" to it."""
    kept = "this.state if this.state not in ['unknown', 'unavailable'] else 'None'"
    return f"{{% if {_IS_NEWS} %}}{{{{ {value} }}}}{{% else %}}{{{{ {kept} }}}}{{% endif %}}"

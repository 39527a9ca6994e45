"""All that is looked at, most of it by `check`."""

from pathlib import Path

from edge.app.delivery import make_broker
from edge.capture.config import CameraConfig
from edge.check import check_station
from edge.config import StationConfig, load_config
from edge.doctor.camera import try_camera, try_usb_cameras, try_user
from edge.doctor.certificates import try_certificates
from edge.doctor.speed import try_encoder
from edge.doctor.storage import claims_of, try_disks, try_judged
from edge.doctor.surroundings import try_clock, try_memory, try_temperature
from edge.doctor.symptom import State, Symptom
from edge.doctor.unit import service_of, try_unit
from edge.errors import BadRecipe, GoodpartError
from edge.recipe.manifest import MANIFEST_FILE, Manifest
from edge.strict import load_json


def examine(station_file: Path) -> list[Symptom]:
    """What `check` finds, and then what is to be known of this device."""
    found = [Symptom(f.what, State.WELL if f.ok else State.ILL, f.detail) for f in check_station(station_file)]
    found.append(try_user())
    try:
        config = load_config(station_file)
    except GoodpartError:
        return found
    camera = config.source if isinstance(config.source, CameraConfig) else None
    interval_s = camera.interval_s if camera and camera.trigger == "interval" else None
    return [
        *found,
        *try_camera(config.source),
        *try_usb_cameras(config.source),
        *try_encoder(Path(config.recipe), interval_s),
        *try_disks(claims_of(config)),
        *try_judged(config.source),
        _try_clock(Path(config.recipe)),
        try_memory(),
        try_temperature(),
        *_try_certificates(config),
        try_unit(service_of(station_file)),
    ]


def _try_clock(recipe: Path) -> Symptom:
    try:
        return try_clock(load_json(recipe / MANIFEST_FILE, Manifest, BadRecipe).made_utc)
    except BadRecipe:
        return try_clock(None)


def _try_certificates(config: StationConfig) -> list[Symptom]:
    if config.mqtt is None or config.mqtt.tls is None:
        return []
    try:
        broker = make_broker(config.mqtt, config.station)
    except GoodpartError:
        return []
    return try_certificates(broker, config.mqtt.tls)

"""Each file that the device reads, as a function of its bytes: what is valid, and what must hold of any."""

import io
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import hnswlib
import numpy as np
from PIL import Image

from edge.capture.pictures import decode_picture
from edge.command.memory import read_ledger
from edge.config import StationConfig, load_config
from edge.errors import BadConfig, BadEncoder, BadRecipe
from edge.inspect.card import CARD_FILE, EncoderCard
from edge.inspect.encoder import DEFAULT_ENCODER
from edge.inspect.view_card import ViewCard
from edge.recipe.index_file import check_index
from edge.recipe.manifest import AuditCard, BankCard, IndexCard, SearchCard, TriedCard
from edge.report.outbox.lasting import LastingOutbox
from edge.report.outbox.outbox import Answer, Entry, Fate
from edge.report.outbox.sqlite import SqliteOutbox
from edge.report.sparkplug.counter import BirthCounter
from edge.shift.card import ShiftCard
from edge.strict import Strict, load_json, load_yaml
from edge.types import Decision
from tests.fuzz import oracle
from tests.fuzz.answers import answer_of
from tests.outboxes import QUOTA, entry
from tests.results import STATION

NAME = "the-file"


@dataclass(frozen=True)
class Target:
    """feed: read these bytes, put into an empty folder, and fail if the property is broken. seeds: valid ones."""

    feed: Callable[[bytes, Path], None]
    seeds: Callable[[], Sequence[bytes]]


STATIONS: list[dict[str, Any]] = [
    {
        "station": {"site": "ulm", "area": "cells", "line": "line-1", "station": "el-camera"},
        "recipe": "recipes/cell",
        "source": {"kind": "watch", "path": "incoming", "poll_s": 0.5},
        "mqtt": {
            "host": "broker.example",
            "port": 8883,
            "tls": {"ca_file": "ca.pem"},
            "username": "u",
            "password_file": "p",
        },
        "results": {"path": "results.jsonl"},
        "evidence": {"path": "evidence", "keep": ["NOK"], "quota_mb": 100, "overlay": False},
        "prometheus": {"port": 9100, "host": "127.0.0.1"},
        "shift_check": {"samples": "shift.json", "at": ["06:00", "14:00"], "tries": 2},
        "threads": 2,
    },
    {
        "station": {"site": "ulm", "area": "cells", "line": "line-1", "station": "el-camera"},
        "recipe": "recipes/cell",
        "source": {"kind": "camera", "device": 0, "trigger": "command", "timeout_s": 2.0},
        "mqtt": {"host": "::1", "protocol": "3.1.1", "outbox": {"path": "o", "quota_mb": 8}, "close_s": 1},
        "commands": {
            "allow": ["ping", "trigger", "set_threshold", "activate_recipe"],
            "public_key_file": "k",
            "memory_file": "m",
            "threshold": {"min": 1.0, "max": 9},
        },
        "recipes": {"1.10": "recipes/other"},
        "sparkplug": {"group": "Ulm", "edge_node": "line 1", "device": "el-camera"},
        "home_assistant": {"remove": True},
        "health": {"interval_s": 5},
        "simulated": True,
    },
]


def _station(raw: bytes, folder: Path) -> None:
    path = folder / NAME
    path.write_bytes(raw)
    found = answer_of(lambda: load_yaml(path, StationConfig), NAME)
    moved = answer_of(lambda: load_config(path), NAME)
    assert (found is None) == (moved is None)
    if found is None:
        return
    plain = found.model_dump(mode="json", exclude_unset=True)
    assert oracle.says_the_same_yaml(raw, found, path.resolve().parent)
    oracle.keeps_readme(plain)
    path.write_text(json.dumps(plain))
    assert load_yaml(path, StationConfig) == found


def _json(record: type[Strict], error: type[BadConfig | BadRecipe | BadEncoder]) -> Callable[[bytes, Path], None]:
    def feed(raw: bytes, folder: Path) -> None:
        path = folder / NAME
        path.write_bytes(raw)
        if found := answer_of(lambda: load_json(path, record, error), NAME):
            assert oracle.says_the_same_json(raw, found)
            assert record.model_validate_json(found.model_dump_json()) == found

    return feed


def _ledger(raw: bytes, folder: Path) -> None:
    path = folder / NAME
    path.write_bytes(raw)
    if found := answer_of(lambda: read_ledger(path, STATION), NAME):
        assert found.station == STATION
        assert oracle.says_the_same_json(raw, found)


def _births(raw: bytes, folder: Path) -> None:
    path = folder / NAME
    path.write_bytes(raw)
    counter = answer_of(lambda: BirthCounter(path), NAME)
    if counter is None:
        return
    assert raw.strip() in [b"%d" % number for number in range(256)] or int(raw) < 256
    assert counter.next() == (int(raw) + 1) % 256


def _picture(raw: bytes, _folder: Path) -> None:
    pixels = answer_of(lambda: decode_picture(raw, NAME), NAME)
    if pixels is None:
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    assert pixels.size > 0
    if raw.startswith(b"\x89PNG"):
        with Image.open(io.BytesIO(raw)) as other:
            assert (np.asarray(other.convert("RGB"))[..., ::-1] == pixels).all(), "another decoder sees another picture"


INDEX = IndexCard(m=4, ef_construction=20, ef=10, stride=1)
_AUDIT = AuditCard(pictures=1, tried=(TriedCard(search="hnsw", time=1, recall=1),), verified=1)
BANK = BankCard(vectors=60, dim=5, sketch_dim=5, patches=60, radius=1, search=SearchCard(index=INDEX, audit=_AUDIT))


def bank_vectors() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(BANK.vectors, BANK.sketch_dim)).astype(np.float32)


def index_bytes() -> bytes:
    index = hnswlib.Index("l2", BANK.sketch_dim)
    index.init_index(BANK.vectors, M=INDEX.m, ef_construction=INDEX.ef_construction, random_seed=1)
    index.add_items(bank_vectors(), num_threads=1)
    with tempfile.TemporaryDirectory() as folder:
        index.save_index(f"{folder}/index")
        return Path(folder, "index").read_bytes()


def _index(raw: bytes, folder: Path) -> None:
    """What is found sound, hnswlib searches without a fault, and finds vectors that are there."""
    answer_of(lambda: check_index(raw, BANK, INDEX), "bank.hnsw")
    try:
        check_index(raw, BANK, INDEX)
    except BadRecipe:
        return
    (folder / NAME).write_bytes(raw)
    index = hnswlib.Index("l2", BANK.sketch_dim)
    index.load_index(str(folder / NAME), max_elements=BANK.vectors)
    index.set_ef(INDEX.ef)
    labels, _ = index.knn_query(np.vstack([bank_vectors(), 100 * bank_vectors()]), k=1, num_threads=1)
    assert (labels < BANK.vectors).all()


def outbox_bytes() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "outbox")
        outbox = SqliteOutbox(path, QUOTA)
        outbox.put([entry(seq, decision) for seq, decision in enumerate([*Decision, *Decision])])
        outbox.settle([Answer(row.id, fate, "why") for row, fate in zip(outbox.take(2), Fate, strict=False)])
        outbox.close()
        return path.read_bytes()


def _outbox(raw: bytes, folder: Path) -> None:
    """Whatever stood there: results go in, come out with all that can be read, and the books are right."""
    path = folder / NAME
    path.write_bytes(raw)
    outbox = answer_of(lambda: LastingOutbox(path, QUOTA), NAME)
    if outbox is None:
        return
    try:
        before = outbox.account
        outbox.put([entry(100, Decision.NOK)])
        rows = outbox.take(1000)
        assert all(type(each) is kind for row in rows for each, kind in zip(_values(row.entry), _KINDS, strict=True))
        assert entry(100, Decision.NOK) in [row.entry for row in rows] or not rows
        outbox.put([])
        rows += outbox.take(1000)
        assert entry(100, Decision.NOK) in [row.entry for row in rows]
        outbox.settle([Answer(row.id, Fate.DELIVERED) for row in rows])
        account = outbox.account
        assert account.put == before.put + 1, account
        assert outbox.take(1000) == []
    finally:
        outbox.close()


_KINDS = (Decision, str, int, bytes, float)


def _values(row: Entry) -> tuple[object, ...]:
    return row.verdict, row.boot_id, row.seq, row.payload, row.queued_mono_s


def _pictures() -> list[bytes]:
    rng = np.random.default_rng(0)
    colour = cv2.GaussianBlur(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8), (0, 0), 1.5)
    images = [(".png", colour), (".png", colour[..., 0]), (".jpg", colour), (".bmp", colour), (".tiff", colour)]
    return [cv2.imencode(suffix, pixels)[1].tobytes() for suffix, pixels in [*images, (".webp", colour)]]


def _shift_card() -> bytes:
    sample = {"kind": "good", "score": 1.5}
    samples = [{"name": "g", "expected": "OK", **sample}, {"name": "r", "expected": "NOK", **sample}]
    sealed = {"recipe_name": "cell", "recipe_id": "0" * 64, "made_utc": "2026-11-24T06:00:00Z"}
    return json.dumps({"format": "goodpart.shift/1", **sealed, "samples": samples}).encode()


def _view_card() -> bytes:
    limits = {"largest_shift_px": 9.5, "largest_rotation_deg": 10, "scale_min": 0.9, "scale_max": 1.1}
    alignment = {"method": "template", "largest_outside": 0.1, "least_agreement": 0.5, **limits}
    roi = {"x": 1, "y": 2, "width": 30, "height": 40}
    picture = {"width": 160, "height": 120}
    return json.dumps({"picture": picture, "roi": roi, "alignment": alignment, "tiles": {"rows": 2, "overlap": 8}}).encode()


def _ledger_seed() -> bytes:
    deed = {"command_id": "c-1", "digest": "0" * 64, "issued_utc": "2026-11-24T06:00:00Z", "boot_id": "b", "code": "OK"}
    ledger = {"station": STATION.model_dump(), "deeds": [deed], "forgotten_utc": "2026-11-23T06:00:00+01:00"}
    return json.dumps(ledger).encode()


TARGETS = {
    "station": Target(_station, lambda: [json.dumps(station).encode() for station in STATIONS] + [_as_written()]),
    "encoder card": Target(_json(EncoderCard, BadEncoder), lambda: [(DEFAULT_ENCODER / CARD_FILE).read_bytes()]),
    "view card": Target(_json(ViewCard, BadRecipe), lambda: [_view_card()]),
    "shift card": Target(_json(ShiftCard, BadConfig), lambda: [_shift_card()]),
    "commands done": Target(_ledger, lambda: [_ledger_seed()]),
    "births": Target(_births, lambda: [b"0\n", b"255\n", b" 17 "]),
    "picture": Target(_picture, _pictures),
    "index": Target(_index, lambda: [index_bytes()]),
    "outbox": Target(_outbox, lambda: [outbox_bytes()]),
}
"""By the name that `with_atheris.py` knows."""


def _as_written() -> bytes:
    return b"""# as people write it
station: {site: ulm, area: cells, line: line-1, station: el-camera}
recipe: recipes/cell
source: {kind: watch, path: incoming}
mqtt:
  host: broker.example
  close_s: 2.5e0
results: {path: 'results.jsonl'}
evidence:
  keep:
  - NOK
"""

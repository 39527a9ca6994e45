"""Whether the disks have room for all that a station may keep."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.capture.config import SourceConfig, WatchConfig
from edge.capture.judged import excess_bytes, held_bytes, places
from edge.config import StationConfig
from edge.doctor.symptom import Symptom, ill, well, worry
from edge.errors import BadConfig
from edge.report.config import OutboxConfig

_FEW_FILES = 10_000
"""Evidence makes two files a part; below this many the disk is full of names before it is full of bytes."""

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Claim:
    """What may be kept in a folder, in bytes. key: of its quota; kept: what is there already."""

    key: str
    folder: Path
    quota: int
    kept: int

    @property
    def still(self) -> int:
        """What may come."""
        return max(0, self.quota - self.kept)


def claims_of(config: StationConfig) -> list[Claim]:
    """All of a station's. A folder that nobody names is said by `check`."""
    found: list[Claim] = []
    if isinstance(source := config.source, WatchConfig):
        folder = Path(source.path)
        found.append(Claim("source.quota_mb", folder, source.quota_mb * 1_000_000, held_bytes(folder)))
    if config.mqtt and isinstance(outbox := config.mqtt.outbox, OutboxConfig):
        path = Path(str(outbox.path))
        kept = sum(_size(Path(f"{path}{end}")) for end in ("", "-wal"))
        found.append(Claim("mqtt.outbox.quota_mb", path.parent, outbox.quota_mb * _MIB, kept))
    if config.evidence:
        try:
            folder = Path(config.evidence.folder)
        except BadConfig:
            return found
        kept = sum(_size(Path(at, name)) for at, _, names in os.walk(folder) for name in names)
        found.append(Claim("evidence.quota_mb", folder, config.evidence.quota_mb * 1_000_000, kept))
    return found


def try_disks(claims: Sequence[Claim]) -> list[Symptom]:
    """One symptom for each file system."""
    disks: dict[int, list[Claim]] = {}
    for claim in claims:
        folder = next(there for there in (claim.folder, *claim.folder.parents) if there.exists())
        disks.setdefault(folder.stat().st_dev, []).append(Claim(claim.key, folder, claim.quota, claim.kept))
    return [_try_disk(on_it) for on_it in disks.values()]


def try_judged(source: SourceConfig) -> list[Symptom]:
    """How much of a watched folder's judged files is kept; nothing for other sources."""
    if not isinstance(source, WatchConfig):
        return []
    folder = Path(source.path)
    held = held_bytes(folder)
    words = f"processed/ and failed/ in {folder} hold {held // 1_000_000:,} MB of {source.quota_mb:,} (source.quota_mb)"
    if links := [place.name for place in places(folder) if place.is_symlink()]:
        return [worry("judged", f"{words}; {' and '.join(links)} is a link, and nobody removes what grows behind it.")]
    if too_much := excess_bytes(held, source.quota_mb * 1_000_000):
        goes = f"the line removes about {-(-too_much // 1_000_000):,} MB, the oldest first"
        return [worry("judged", f"{words}; {goes}: set it higher, or move away what is to be kept.")]
    return [well("judged", words)]


def _try_disk(claims: Sequence[Claim]) -> Symptom:
    folder, keys = claims[0].folder, " + ".join(claim.key for claim in claims)
    found = os.statvfs(folder)
    if found.f_flag & os.ST_RDONLY:
        return ill(
            "disk", f"{folder} is mounted read-only: of old, or because the disk fails; look at dmesg, then remount it."
        )
    free, still = found.f_bavail * found.f_frsize, sum(claim.still for claim in claims)
    words = f"{folder}: {free // _MIB:,} MiB free, {still // _MIB:,} MiB may come ({keys})"
    if free < still:
        return ill("disk", f"{words}; make room, or lower a quota.")
    # File systems that make inodes as they go say 0 of 0.
    if found.f_files and found.f_favail < _FEW_FILES:
        return worry(
            "disk", f"{words}, but room for {found.f_favail:,} more files only; remove small files, or format it anew."
        )
    return well("disk", words)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

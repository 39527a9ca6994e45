"""FOLDER on a command line becomes pictures with the group each belongs to.

A folder is one of four things. A plain one holds pictures, and its name is their group. An evaluation set holds ``good/``
and a folder for each kind of defect, whose names are the groups. A watch folder of a device holds ``processed/`` and
``failed/``, which are the groups, and perhaps pictures that wait to be judged; these take the folder's own name. A device's
evidence holds a folder for each day, which are the groups; its overlays show what another picture shows already, and are
left out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calibration.evaluate.folders import GOOD, kinds_in
from edge.capture.pictures import SUFFIXES, list_pictures
from edge.errors import BadConfig
from edge.evidence.names import OVERLAY, RAW, is_day

_OF_A_DEVICE = frozenset({"processed", "failed"})


@dataclass(frozen=True, slots=True)
class Grouped:
    """A picture file. kind: the last name of its group; test_set: the evaluation set it belongs to, if it does."""

    path: Path
    group: str
    kind: str
    test_set: Path | None = None


@dataclass(frozen=True, slots=True)
class _Bin:
    folder: Path
    kind: str
    test_set: Path | None


def pictures_in(folders: Sequence[Path]) -> list[Grouped]:
    """All pictures of all folders; groups that would share a name although they come from two folders are told apart.

    A group is called by its folder's name, or, where another has that name too, by the last two or all parts of its path.

    Raises:
        BadConfig: a folder is missing, empty, or given twice.
    """
    bins = [each for folder in folders for each in _bins(folder)]
    names = _names(bins)
    found: dict[Path, Grouped] = {}
    for each, name in zip(bins, names, strict=True):
        for path in list_pictures(each.folder):
            if _is_overlay(path):
                continue
            if twin := found.get(path.resolve()):
                raise BadConfig(f"{path}: is given twice, also as {twin.path}; name each folder once.")
            found[path.resolve()] = Grouped(path, name, each.kind, each.test_set)
    return list(found.values())


def groups_of(pictures: Sequence[Grouped]) -> dict[str, int]:
    """How many pictures each group has, in the order in which they were given."""
    return dict(Counter(picture.group for picture in pictures))


def _bins(folder: Path) -> list[_Bin]:
    try:
        entries = list(folder.iterdir())
    except OSError as err:
        raise BadConfig(f"{folder}: cannot be listed: {err.strerror}; give a folder of pictures.") from None
    inside = {p.name for p in entries if p.is_dir()}
    pictures = any(p.suffix.lower() in SUFFIXES and p.is_file() for p in entries)
    if inside & _OF_A_DEVICE:
        own = [_Bin(folder, _name(folder), None)] if pictures else []
        judged = [_Bin(folder / name, name, None) for name in sorted(inside & _OF_A_DEVICE) if _holds_any(folder / name)]
        if not own + judged:
            raise BadConfig(f"{folder}: the device has put no pictures there yet; give another folder.")
        return own + judged
    if days := sorted(name for name in inside if is_day(name) and _holds_any(folder / name)):
        return [_Bin(folder / day, _name(folder), None) for day in days]
    if pictures and GOOD not in inside:
        return [_Bin(folder, _name(folder), None)]
    if not inside:
        return [_Bin(folder, _name(folder), None)]  # whose listing says in words that it is empty
    return [_Bin(folder / kind, kind, folder) for kind in kinds_in(folder)]


def _is_overlay(path: Path) -> bool:
    stem = path.name.removesuffix(OVERLAY)
    return stem != path.name and path.with_name(stem + RAW).is_file()


def _holds_any(folder: Path) -> bool:
    return any(p.suffix.lower() in SUFFIXES for p in folder.iterdir())


def _name(folder: Path) -> str:
    return folder.resolve().name or str(folder)


def _names(bins: Sequence[_Bin]) -> list[str]:
    """The shortest of kind, last two parts and whole path that no other folder has."""
    ways = [
        [each.kind for each in bins],
        ["/".join(each.folder.resolve().parts[-2:]) for each in bins],
        [str(each.folder.resolve()) for each in bins],
    ]
    counts = [Counter(names) for names in ways]
    return [
        next((names[i] for names, count in zip(ways, counts, strict=True) if count[names[i]] == 1), ways[-1][i])
        for i in range(len(bins))
    ]

"""The list of pictures to leave out: a text file, one file name a line; what follows # is for people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calibration.goods import Good
from edge.errors import BadConfig
from edge.host.files import write_through

_HEAD = (
    "# Pictures to leave out, for `goodpart calibrate build --exclude`: one file name a line.\n"
    "# Look at each; delete the line of a picture that is good.\n"
)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One picture and every reason against it, in words."""

    good: Good
    reasons: tuple[str, ...]


def entry(path: Path, *, alone: bool, option: str) -> str:
    """How a list names a picture: by its file's name, or by its path where that is not its own or begins like a comment.

    alone: whether no other picture has that name; option: what an error calls the list.

    Raises:
        BadConfig: the name cannot stand on a line.
    """
    said = path.name if alone and not path.name.startswith("#") else str(path.absolute())
    if said != said.strip() or "\n" in said:
        raise BadConfig(f"{option}: the file name {path.name!r} cannot stand on a line; rename the file.")
    return said


def list_text(exclusions: Sequence[Exclusion], everything: Sequence[Good]) -> str:
    """The file's text. everything: all goods; where two folders hold one name, the path stands for it.

    Raises:
        BadConfig: a file name cannot stand on a line.
    """
    names = Counter(good.path.name for good in everything)
    lines = [_HEAD]
    for exclusion in exclusions:
        path = exclusion.good.path
        first, *more = exclusion.reasons
        lines += [f"\n# {first}\n", *(f"# {reason}\n" for reason in more)]
        lines.append(f"{entry(path, alone=names[path.name] == 1, option='--exclude-list')}\n")
    return "".join(lines)


def write_list(path: Path, exclusions: Sequence[Exclusion], everything: Sequence[Good]) -> None:
    """Write the list; a file that was there is replaced.

    Raises:
        BadConfig: the file cannot be written.
    """
    text = list_text(exclusions, everything)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_through(path, text.encode())
    except (OSError, UnicodeEncodeError) as err:
        raise BadConfig(f"--exclude-list: {path} cannot be written: {err}.") from None


def read_list(path: Path) -> tuple[str, ...]:
    """The entries, in their order.

    Raises:
        BadConfig: the file cannot be read.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as err:
        raise BadConfig(f"--exclude: {path} cannot be read: {err.strerror}.") from None
    except UnicodeDecodeError:
        raise BadConfig(f"--exclude: {path} is no text in UTF-8; give a list of file names, one a line.") from None
    lines = [line.strip() for line in text.splitlines()]
    return tuple(line for line in lines if line and not line.startswith("#"))


def left_out(entries: Sequence[str], goods: Sequence[Good], named: str) -> frozenset[Path]:
    """Paths of the goods that the entries of a list mean: file names, or paths where there is a slash.

    named: the list, as an error calls it.

    Raises:
        BadConfig: an entry means no picture, or two.
    """
    out = set()
    for entry in entries:
        if "/" in entry:
            hits = [good.path for good in goods if good.path.resolve() == Path(entry).resolve()]
        else:
            hits = [good.path for good in goods if good.path.name == entry]
        if not hits:
            raise BadConfig(f"--exclude: {named} names {entry}, which is not among the goods; correct or delete the line.")
        if len(hits) > 1:
            raise BadConfig(f"--exclude: {named} names {entry}, which is {hits[0]} and {hits[1]}; write the path.")
        out.add(hits[0])
    return frozenset(out)

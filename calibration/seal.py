"""A recipe folder appears whole or not at all, with the sha256 of every file in its manifest."""

import io
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadConfig
from edge.host.files import write_through
from edge.recipe.manifest import MANIFEST_FILE, FileCard, Manifest, sha256
from edge.types import Floats


def npy_bytes(array: Floats | NDArray[np.int32]) -> bytes:
    """An array as the bytes of a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def may_write(out: Path, *, force: bool) -> None:
    """Refuse early what `seal` would refuse late.

    Raises:
        BadConfig: `out` exists and is not to be replaced, or is no recipe.
    """
    if not out.exists():
        return
    if not (out / MANIFEST_FILE).is_file():
        raise BadConfig(f"--out: {out} exists and is not a recipe; choose another folder.")
    if not force:
        raise BadConfig(f"--out: {out} is a recipe already; choose another folder, or replace it with --force.")


def file_cards(files: dict[str, bytes]) -> dict[str, FileCard]:
    """What the manifest says of its files."""
    return {name: FileCard(sha256=sha256(raw), bytes=len(raw)) for name, raw in files.items()}


def seal(out: Path, manifest: Manifest, files: dict[str, bytes], *, force: bool) -> None:
    """Write `files` and the manifest that lists them to a folder beside `out`, then rename it into place.

    Raises:
        BadConfig: `out` may not be written (see `may_write`), or the disk refuses.
    """
    may_write(out, force=force)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as err:
        raise BadConfig(f"--out: {out} cannot be written: {err.strerror}.") from None
    try:
        for name, raw in {**files, MANIFEST_FILE: manifest.model_dump_json(indent=1).encode()}.items():
            write_through(draft / name, raw)
        draft.chmod(0o755)
        if out.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
            out.rename(old / out.name)
            draft.rename(out)
            shutil.rmtree(old)
        else:
            draft.rename(out)
    except OSError as err:
        raise BadConfig(f"--out: {out} cannot be written: {err.strerror}.") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)

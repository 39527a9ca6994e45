"""Recipes kept on the device: a folder for each, named by its id, whole or not there.

::

    slots.json        who judges (see `edge.recipe.slots`)
    3f0c…/            a recipe, its files and its signature
    .draft-…          one that is being added or removed, swept away by the next who does
    lock, adding      held by the process that judges or changes slots.json; by whoever adds or removes for a moment
"""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge.errors import BadConfig, BadRecipe
from edge.host.files import (
    give_folder_to_owner_of,
    hindrance,
    make_folder,
    may_be_there,
    put_in_place,
    sync_folder,
    write_through,
)
from edge.host.locks import locked
from edge.recipe.manifest import MANIFEST_FILE, Manifest, read_verified, sha256
from edge.recipe.signature import SIGNATURE_FILE, Signed, read_signature
from edge.recipe.slots import Held
from edge.strict import MAX_JSON_BYTES, load_json, read_limited

_DRAFT = ".draft-"
_ID_LENGTH = 64
_DAMAGED = "damaged"
"""Stands for a name that cannot be read."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One recipe of the store.

    bytes: of all its files; signed: whether there is a signature, by whomever; fault: why its manifest cannot be read, empty
    where it can.
    """

    recipe: Held
    added_utc: datetime
    bytes: int
    signed: bool
    fault: str = ""


class RecipeStore:
    """The folder. What is in it was verified when it was added, and is verified again when it is opened.

    Where it is missing, looking finds nothing in it and leaves it so.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def try_out(self) -> None:
        """Whether recipes could be added; only looks.

        Raises:
            BadConfig: the folder cannot be made or written.
        """
        if why := hindrance(self.folder, folder=True):
            raise BadConfig(f"recipe_store.path: {self.folder} cannot be made or written: {why}; choose another folder.")

    def make(self) -> None:
        """The folder, where it is missing.

        Raises:
            BadConfig: it cannot be made or written.
        """
        self.try_out()
        try:
            make_folder(self.folder)
        except OSError as err:
            raise BadConfig(
                f"recipe_store.path: {self.folder} cannot be made: {err.strerror}; choose another folder."
            ) from None

    def path_of(self, recipe: Held) -> Path:
        """Its folder."""
        return self.folder / recipe.id

    def add(self, source: Path, signed: Signed | None = None) -> Held:
        """Copy a recipe into the store, exactly the bytes that were verified; one that is there becomes the newest.

        Raises:
            BadRecipe: it is not as it was sealed, or not signed; or the disk refuses.
        """
        manifest, identity, files = read_verified(source, signed)
        raw = read_limited(source / MANIFEST_FILE, MAX_JSON_BYTES, BadRecipe)
        if sha256(raw) != identity:
            raise BadRecipe(f"{source}: was changed while it was being read; add it when nobody writes it.")
        recipe = Held(id=identity, name=manifest.name)
        signature = read_signature(source)
        with self._adding():
            if self.path_of(recipe).is_dir():
                self._renew(recipe, signature)
            else:
                with_signature = {SIGNATURE_FILE: signature} if signature else {}
                self._write(recipe, {**files, MANIFEST_FILE: raw, **with_signature})
        return recipe

    def all(self) -> list[Kept]:
        """What is there, the newest first.

        Raises:
            BadRecipe: this user may not look.
        """
        try:
            there = list(self.folder.iterdir()) if may_be_there(self.folder) else []
        except OSError as err:
            raise BadRecipe(
                f"recipe_store.path: {self.folder} cannot be looked into: {err.strerror}; try as root or as its owner."
            ) from None
        found = [path for path in there if path.is_dir() and len(path.name) == _ID_LENGTH]
        return sorted(map(_look_at, found), key=lambda kept: kept.added_utc, reverse=True)

    def find(self, word: str) -> Held:
        """The recipe with this name, or whose id begins so.

        Raises:
            BadRecipe: there is none, or more than one.
        """
        found = [kept.recipe for kept in self.all() if kept.recipe.name == word or kept.recipe.id.startswith(word)]
        if not found:
            raise BadRecipe(f"{word}: is not in the recipe store {self.folder}; add it with goodpart recipe add.")
        if len(found) > 1:
            raise BadRecipe(f"{word}: is {' and '.join(map(str, found))} in the recipe store; name one by its id.")
        return found[0]

    def remove(self, recipe: Held) -> None:
        """Take a recipe out.

        Raises:
            BadRecipe: the disk refuses.
        """
        with self._adding():
            self._drop(self.path_of(recipe))

    def prune(self, keep: int, spared: Collection[Held]) -> None:
        """Leave those that are spared, and of the others the newest, `keep` in all where that is enough.

        Raises:
            BadRecipe: the disk refuses.
        """
        needed = {recipe.id for recipe in spared}
        others = [kept.recipe for kept in self.all() if kept.recipe.id not in needed]
        with self._adding():
            for recipe in others[max(0, keep - len(needed)) :]:
                self._drop(self.path_of(recipe))

    @contextmanager
    def _adding(self) -> Iterator[None]:
        try:
            make_folder(self.folder)
            with locked(self.folder / "adding", wait=True):
                for left in self.folder.glob(f"{_DRAFT}*"):
                    shutil.rmtree(left)
                yield
        except OSError as err:
            raise BadRecipe(
                f"recipe_store: {self.folder} cannot be written: {err.strerror}; make room or mend it."
            ) from None

    def _write(self, recipe: Held, files: dict[str, bytes]) -> None:
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=self.folder))
        try:
            # First: its files follow it.
            give_folder_to_owner_of(self.folder, draft)
            for name, raw in files.items():
                write_through(draft / name, raw)
            draft.chmod(0o755)
            sync_folder(draft)
            draft.rename(self.path_of(recipe))
            sync_folder(self.folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _renew(self, recipe: Held, signature: bytes | None) -> None:
        folder = self.path_of(recipe)
        if signature:
            put_in_place(folder / SIGNATURE_FILE, signature)
        os.utime(folder)

    def _drop(self, folder: Path) -> None:
        # Renamed first, so that a power cut leaves a whole recipe or none.
        gone = self.folder / f"{_DRAFT}{folder.name}"
        folder.rename(gone)
        sync_folder(self.folder)
        shutil.rmtree(gone)


def _look_at(folder: Path) -> Kept:
    name, fault = _DAMAGED, ""
    try:
        name = load_json(folder / MANIFEST_FILE, Manifest, BadRecipe).name
    except BadRecipe as err:
        fault = str(err)
    return Kept(
        recipe=Held(id=folder.name, name=name),
        added_utc=datetime.fromtimestamp(folder.stat().st_mtime, UTC),
        bytes=sum(path.stat().st_size for path in folder.iterdir()),
        signed=(folder / SIGNATURE_FILE).exists(),
        fault=fault,
    )

"""Recipes on the disk of a device: whole or not there, whatever happens, and never more than are kept."""

import errno
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.errors import BadRecipe, InUse
from edge.recipe.manifest import MANIFEST_FILE, read_verified
from edge.recipe.signature import SIGNATURE_FILE
from edge.recipe.slot_file import owning, read_slots, write_slots
from edge.recipe.slots import Slots
from edge.recipe.store import RecipeStore
from tests.asking import KEY, verify
from tests.recipes import resealed

ROOT = Path(__file__).parents[2]
LIFE = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from edge.recipe.slot_file import write_slots
from edge.recipe.slots import Slots
from edge.recipe.store import RecipeStore

def life():
    store = RecipeStore(Path(sys.argv[1]))
    first, second, third = (store.add(Path(path)) for path in sys.argv[2:5])
    slots = Slots(good=first)
    write_slots(store.folder, slots)
    slots = slots.activated(second, datetime.now(UTC), running=True)
    write_slots(store.folder, slots)
    write_slots(store.folder, slots.confirmed())
    store.remove(third)
"""
KILLED_AT_EACH_STEP = (
    LIFE
    + """
from edge.recipe.manifest import read_verified
from edge.recipe.slot_file import read_slots

def killed_at(step):
    left = step
    def watch(event, given):
        nonlocal left
        changes = event in {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}
        if changes or (event == "open" and given[2] & os.O_ACCMODE):
            left -= 1
            if left < 0:
                os._exit(9)
    sys.addaudithook(watch)
    life()
    os._exit(0)

folder, step, seen = Path(sys.argv[1]), 0, set()
while True:
    pid = os.fork()
    if pid == 0:
        killed_at(step)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    slots = read_slots(folder) if folder.exists() else None
    seen.add("none" if slots is None else "trial" if slots.trial else "proved" if slots.previous else "good")
    for path in folder.iterdir() if folder.exists() else ():
        if len(path.name) == 64:
            assert read_verified(path)[1] == path.name
    for held in slots.all if slots else ():
        assert (folder / held.id).is_dir(), (step, held)
    if code == 0:
        break
    step += 1
    import shutil; shutil.rmtree(folder, ignore_errors=True)
print(step, *sorted(seen))
"""
)


@pytest.fixture(scope="module")
def three(recipe_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The store opens no file but the manifest, so the others may be short."""
    folder = tmp_path_factory.mktemp("three")
    files = {path.name: path.name.encode() for path in recipe_dir.iterdir() if path.name != MANIFEST_FILE}
    return [resealed(recipe_dir, folder / name, files, name=name) for name in ("one", "two", "three")]


@pytest.fixture
def store(tmp_path: Path) -> RecipeStore:
    store = RecipeStore(tmp_path / "store")
    store.make()
    return store


def test_what_is_added_is_the_same_recipe_and_is_found_by_name_and_by_id(three: list[Path], store: RecipeStore) -> None:
    one, two, again = store.add(three[0]), store.add(three[1]), store.add(three[0])
    assert again == one
    assert read_verified(store.path_of(one))[1] == one.id == read_verified(three[0])[1]
    assert [kept.recipe for kept in store.all()] == [one, two], "adding it again made it the newest"
    assert store.find("two") == store.find(two.id[:9]) == two
    with pytest.raises(BadRecipe, match="is not in the recipe store"):
        store.find("three")


def test_an_altered_recipe_is_not_added_and_leaves_nothing(three: list[Path], store: RecipeStore, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(three[0], tmp_path / "broken"))
    (broken / "scale.npy").write_bytes(b"other")
    with pytest.raises(BadRecipe, match="not the file that was sealed"):
        store.add(broken)
    assert store.all() == []


def test_the_oldest_go_but_never_what_is_needed(three: list[Path], store: RecipeStore) -> None:
    one, two, last = (store.add(path) for path in three)
    for age, held in enumerate((last, two, one)):
        os.utime(store.path_of(held), (1e9 - age, 1e9 - age))
    store.prune(2, [one])
    assert {kept.recipe for kept in store.all()} == {one, last}
    store.prune(1, [one, last])
    assert {kept.recipe for kept in store.all()} == {one, last}


def test_a_signature_is_kept_and_a_new_one_takes_its_place(three: list[Path], store: RecipeStore, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(three[0], tmp_path / "mine"))
    raw = (mine / MANIFEST_FILE).read_bytes()
    for key in (Ed25519PrivateKey.from_private_bytes(b"x" * 32), KEY):
        (mine / SIGNATURE_FILE).write_bytes(key.sign(raw))
        held = store.add(mine)
    assert read_verified(store.path_of(held), verify)[1] == held.id
    with pytest.raises(BadRecipe, match="is not signed, and recipe_public_key_file asks for it"):
        store.add(three[1], verify)


def test_a_recipe_whose_manifest_is_damaged_is_shown_and_can_be_removed(three: list[Path], store: RecipeStore) -> None:
    held = store.add(three[0])
    (store.path_of(held) / MANIFEST_FILE).write_bytes(b"\0" * 100)
    assert "damaged, or from another version" in store.all()[0].fault
    store.remove(store.find(held.id[:12]))
    assert store.all() == []


def test_one_process_judges_with_a_store(store: RecipeStore) -> None:
    with owning(store.folder), pytest.raises(InUse, match="send it the command"), owning(store.folder):
        pass
    with owning(store.folder):
        pass


def test_a_state_that_cannot_be_read_names_the_mend_and_is_not_guessed(store: RecipeStore) -> None:
    assert read_slots(store.folder) is None
    (store.folder / "slots.json").write_text('{"format": "goodpart.slots/2"}')
    with pytest.raises(BadRecipe, match="Without the file the station begins with recipe:"):
        read_slots(store.folder)


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_leaves_the_old_state_and_no_half_recipe(
    three: list[Path], store: RecipeStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    good = Slots(good=store.add(three[0]))
    write_slots(store.folder, good)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call if call == "fsync" else "replace", full)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(BadRecipe, match="No space left on device; make room"):
        store.add(three[1])
    with pytest.raises(BadRecipe, match="No space left on device; make room"):
        write_slots(store.folder, good.activated(store.find("one").model_copy(update={"id": "f" * 64}), NOW, running=True))
    monkeypatch.undo()
    assert read_slots(store.folder) == good
    assert sorted(path.name for path in store.folder.iterdir()) == sorted(["adding", "slots.json", good.good.id])


NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_process_killed_at_any_step_leaves_a_readable_state_and_whole_recipes(three: list[Path], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EACH_STEP, tmp_path / "store", *three],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    steps, *states = done.stdout.split()
    assert int(steps) > 50
    assert states == ["good", "none", "proved", "trial"]


def test_nothing_has_its_name_before_the_disk_has_its_bytes(three: list[Path], tmp_path: Path) -> None:
    """What a power cut may take back is what was not synced; so every file is, and its folder, before the rename."""
    said = tmp_path / "strace"
    calls = "trace=openat,write,fsync,rename,renameat,renameat2"
    life = [sys.executable, "-c", LIFE + "life()", tmp_path / "store", *three]
    subprocess.run(["strace", "-f", "-qq", "-y", "-e", calls, "-o", said, *life], check=True, cwd=ROOT)
    store, dirty, renames, pending = str(tmp_path / "store"), set[str](), 0, ""
    for line in said.read_text().splitlines():
        if f"{store}" not in line:
            continue
        if pending:
            assert f"<{pending}>" in line, "fsync of the folder comes next, so that the new name is on the disk"
            pending = ""
        if found := re.search(r'openat\(.*"([^"]+)", O_WRONLY\|O_CREAT', line):
            dirty |= {found[1], str(Path(found[1]).parent)}
        elif found := re.search(r"fsync\(\d+<([^>]+)>", line):
            dirty.discard(found[1])
        elif found := re.search(r'rename(?:at2?)?\(.*?"([^"]+)".*?"([^"]+)"', line):
            renames += 1
            source = found[1]
            unsynced = {path for path in dirty if path == source or Path(source) in Path(path).parents}
            assert not unsynced, line
            pending = store
    assert renames == 3 + 3 + 1, "three recipes, three states, one that is removed"

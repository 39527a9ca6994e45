"""A recipe that kills, hangs or starves whoever opens it is one refusal, and the line lives."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import BadRecipe
from edge.recipe.opener import Opener
from edge.recipe.recipe import open_recipe
from edge.recipe.rehearsal import Patience, rehearse
from tests.recipes import crashing, resealed


def test_a_recipe_that_opens_is_known_by_its_id(recipe_dir: Path) -> None:
    assert rehearse(recipe_dir, 1) == open_recipe(recipe_dir).id


def test_a_recipe_that_crashes_its_parser_is_refused_with_the_signal(recipe_dir: Path, tmp_path: Path) -> None:
    wicked = crashing(recipe_dir, tmp_path / "wicked", tmp_path)
    with pytest.raises(BadRecipe, match=r"opened it first ended with SIG(SEGV|ABRT|BUS)"):
        Opener(threads=1).open_new(wicked)


def test_what_this_device_computes_otherwise_is_refused_in_its_own_words(recipe_dir: Path, tmp_path: Path) -> None:
    golden = (recipe_dir / "golden-2.png").read_bytes()
    other = resealed(recipe_dir, tmp_path / "other", {"golden-1.png": golden})
    with pytest.raises(BadRecipe, match=r"golden picture golden-1.png scores .* do not use it"):
        rehearse(other, 1)


def test_a_recipe_that_never_ends_to_open_is_given_up(recipe_dir: Path, tmp_path: Path) -> None:
    endless = Path(shutil.copytree(recipe_dir, tmp_path / "endless"))
    (endless / "bank.npy").unlink()
    os.mkfifo(endless / "bank.npy")  # nobody ever writes to it
    with pytest.raises(BadRecipe, match="could not be opened within 2 s"):
        rehearse(endless, 1, Patience(wall_s=2))


def test_a_recipe_that_computes_for_ever_is_ended_by_the_system(recipe_dir: Path) -> None:
    with pytest.raises(BadRecipe, match=r"ended with (SIGXCPU|SIGKILL)"):
        rehearse(recipe_dir, 1, Patience(cpu_s=0))


def test_the_process_can_take_no_more_memory_than_a_recipe_of_its_size_needs_and_leaves_no_core(recipe_dir: Path) -> None:
    code = f"""if True:
        import resource
        from pathlib import Path
        from edge.recipe.child import limit
        limit(Path({str(recipe_dir)!r}), threads=1, cpu_s=60, wall_s=60)
        print(resource.getrlimit(resource.RLIMIT_CORE))
        try:
            bytearray(8 * 1024**3)
        except MemoryError:
            print("refused")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(0, 0)", "refused"]

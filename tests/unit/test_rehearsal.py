"""A recipe that kills, hangs or starves whoever opens it is one refusal, and the line lives."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.errors import BadRecipe
from edge.recipe.opener import Opener
from edge.recipe.recipe import open_recipe
from edge.recipe.rehearsal import Patience, rehearse
from tests.recipes import resealed, unsound


def test_a_recipe_that_opens_is_known_by_its_id(recipe_dir: Path) -> None:
    assert rehearse(recipe_dir, 1) == open_recipe(recipe_dir).id


@contextmanager
def struck(number: signal.Signals) -> Iterator[None]:
    """The first process that opens a recipe meanwhile gets this signal, as if its parser had brought it."""

    def strike() -> None:
        while not (found := children()):
            time.sleep(0.01)
        os.kill(found.pop(), number)

    blow = threading.Thread(target=strike)
    blow.start()
    yield
    blow.join()


def children() -> set[int]:
    """Processes of ours that open a recipe."""
    ours = {int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}
    return {pid for pid in ours if b"edge.recipe.child" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def test_a_recipe_that_crashes_its_parser_is_refused_with_the_signal(recipe_dir: Path) -> None:
    with struck(signal.SIGSEGV), pytest.raises(BadRecipe, match="opened it first ended with SIGSEGV"):
        Opener(threads=1).open_new(recipe_dir)


def test_an_index_that_would_crash_its_parser_never_reaches_it(recipe_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="is no sound index"):
        Opener(threads=1).open_new(unsound(recipe_dir, tmp_path / "wicked", tmp_path))


def test_what_this_device_computes_otherwise_is_refused_in_its_own_words(recipe_dir: Path, tmp_path: Path) -> None:
    golden = (recipe_dir / "golden-2.png").read_bytes()
    other = resealed(recipe_dir, tmp_path / "other", {"golden-1.png": golden})
    with pytest.raises(BadRecipe, match=r"golden picture golden-1.png scores .* do not use it"):
        rehearse(other, 1)


def test_a_recipe_that_never_ends_to_open_is_given_up(recipe_dir: Path) -> None:
    with struck(signal.SIGSTOP), pytest.raises(BadRecipe, match="could not be opened within 2 s"):
        rehearse(recipe_dir, 1, Patience(wall_s=2))


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


def test_where_memory_runs_out_the_process_is_ended_before_the_line(recipe_dir: Path) -> None:
    code = f"""if True:
        from pathlib import Path
        from edge.recipe.child import limit
        limit(Path({str(recipe_dir)!r}), threads=1, cpu_s=60, wall_s=60)
        print(Path("/proc/self/oom_score_adj").read_text())
    """
    before = Path("/proc/self/oom_score_adj").read_text()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1000"]
    assert Path("/proc/self/oom_score_adj").read_text() == before


def test_the_process_can_take_less_than_its_control_group_may(recipe_dir: Path) -> None:
    code = f"""if True:
        import resource
        from pathlib import Path
        from edge.recipe.child import limit
        limit(Path({str(recipe_dir)!r}), threads=1, cpu_s=60, wall_s=60, group=400 * 1024**2)
        print(resource.getrlimit(resource.RLIMIT_DATA)[0] // 1024**2)
        try:
            bytearray(310 * 1024**2)
        except MemoryError:
            print("refused")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["300", "refused"]


FORBIDDING = """
import ctypes, os, platform, struct, sys
from edge.recipe.rehearsal import rehearse
from pathlib import Path

# seccomp(2): the number of the call, and EPERM where it is setpriority's; anything else passes.
number = {"x86_64": 141, "aarch64": 140}[platform.machine()]
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, ctypes.get_errno()
try:
    os.nice(1)
except PermissionError:
    print(rehearse(Path(sys.argv[1]), 1))
"""


def test_a_sandbox_that_forbids_to_change_priorities_refuses_no_recipe(recipe_dir: Path) -> None:
    command = [sys.executable, "-c", FORBIDDING, str(recipe_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, open_recipe(recipe_dir).id), done.stderr

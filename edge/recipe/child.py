"""The process that opens a new recipe first: `python -m edge.recipe.child FOLDER THREADS CPU_S WALL_S`.

It may die in place of the line: hnswlib and onnxruntime parse what somebody else made, and a recipe whose hashes agree can
still hold what makes them crash, loop or ask for all memory. Exit code 0: its id is on standard output; 3: why not, in a
sentence.
"""

import resource
import signal
import sys
from pathlib import Path

from edge.host.machine import memory_max
from edge.host.priority import die_first, step_back

REFUSED = 3

_BYTES, _BYTES_PER_THREAD, _TIMES_ITS_FILES = 2 * 1024**3, 128 * 1024**2, 8
"""Address space. A recipe of 20,000 vectors takes 0.6 GB of it on one thread, and 0.1 GB for each further one, most of it
never touched; its arrays are held at most a few times while they are read."""

_SHARE_OF_GROUP = 0.75
"""Of what the service's control group may take: a quarter stays for the line, of which 165 MiB of 2 GiB are usual. It limits
what is written to and not address space, most of which threads reserve and never touch."""

_LATE_S = 10
"""So long after its parent should have ended it, the process ends by itself: the parent may be gone."""


def main() -> int:
    """Limit this process, then open the recipe as the line would, and reproduce its golden pictures."""
    folder, threads, cpu_s, wall_s = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    limit(folder, threads, cpu_s, wall_s, memory_max())
    # Only now: what is imported runs within the limits, too.
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    from edge.errors import GoodpartError  # noqa: PLC0415
    from edge.recipe.recipe import open_recipe  # noqa: PLC0415

    threadpool_limits(1)  # as the line does
    try:
        recipe = open_recipe(folder, threads)
        recipe.reproduce_golden()
    except GoodpartError as err:
        sys.stdout.write(str(err))
        return REFUSED
    except MemoryError:
        sys.stdout.write(
            f"{folder}: takes more memory than a recipe of its size may, or than MemoryMax= of the service leaves it; build "
            f"it again, or raise that."
        )
        return REFUSED
    sys.stdout.write(recipe.id)
    return 0


def limit(folder: Path, threads: int, cpu_s: int, wall_s: int, group: int | None = None) -> None:
    """Take from this process what opening a recipe does not need, for good.

    group: bytes that it and its parent may take together; None: as many as there are.
    """
    die_first()
    files = sum(path.stat().st_size for path in folder.iterdir())
    space = _BYTES + threads * _BYTES_PER_THREAD + _TIMES_ITS_FILES * files
    data = space if group is None else min(space, int(_SHARE_OF_GROUP * group))
    most_of_each = {
        resource.RLIMIT_AS: space,
        resource.RLIMIT_DATA: data,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in most_of_each.items():
        # A limit that the service manager has set lower stays.
        hard = resource.getrlimit(which)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (limit, limit))
    signal.alarm(wall_s + _LATE_S)
    # Parts are judged meanwhile.
    step_back()


if __name__ == "__main__":
    sys.exit(main())

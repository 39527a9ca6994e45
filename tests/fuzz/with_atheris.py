"""Look further than hypothesis does, led by which lines are reached.

``python -m tests.fuzz.with_atheris TARGET --minutes M``. Needs atheris (wheels for x86-64 only) beside the environment of
the tests, and is no part of them. Ends with a traceback and the bytes at the first input that breaks the property;
`--corpus` keeps what was found to be worth trying for the next time.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["edge", "yaml"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help="folder of inputs, made if it is not there")
    asked = parser.parse_args()
    corpus = asked.corpus or Path(tempfile.mkdtemp())
    corpus.mkdir(parents=True, exist_ok=True)
    target = TARGETS[asked.target]
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)

    def feed(raw: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            target.feed(raw, Path(folder))

    options = [f"-max_total_time={round(60 * asked.minutes)}", f"-seed={asked.seed}", "-max_len=65536", "-timeout=25"]
    # A fork of libFuzzer; it wants the name of the program first.
    atheris.Setup([sys.argv[0], *options, "-rss_limit_mb=2048", "-print_final_stats=1", str(corpus)], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

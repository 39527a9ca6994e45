"""What counting costs the line: the board's additions for one part, as a ratio to the encoder's run of one picture.

    python -m tests.bench.health

Also what a full window of latencies costs whoever reads it, once a minute or at each scrape. One thread each.
"""

import statistics
import timeit
from collections.abc import Callable

import numpy as np

from edge.health.board import Board
from edge.health.window import SIZE
from edge.inspect.encoder import DEFAULT_ENCODER, Encoder, read_encoder
from edge.types import Decision, Reason, Verdict

ROUNDS, PARTS, RUNS = 15, 20_000, 5


def each(action: Callable[[], object], number: int) -> float:
    """Seconds of one."""
    return timeit.timeit(action, number=number) / number


def main() -> None:
    encoder = Encoder(*read_encoder(DEFAULT_ENCODER))
    encoder.buffer[:] = np.random.default_rng(0).integers(0, 256, encoder.buffer.shape, dtype=np.uint8)
    verdict = Verdict(Decision.OK, Reason.WITHIN_THRESHOLD)
    board = Board()

    def count() -> None:
        board.begin()
        board.told(verdict, 1.0, 1.1, pictured=True, sample=False)

    for _ in range(SIZE):
        count()
    encoder.encode()
    rounds = [(each(encoder.encode, RUNS), each(count, PARTS), each(board.inspect_s.quantiles, RUNS)) for _ in range(ROUNDS)]
    encode_s, count_s, read_s = (statistics.median(column) for column in zip(*rounds, strict=True))
    part = f"{count_s * 1e6:.2f} µs of {encode_s * 1e3:.1f} ms"
    print(f"counting one part: {count_s / encode_s:.6f} of the encoder's run ({part})")
    print(f"quantiles of {SIZE} values: {read_s / encode_s:.3f} of the encoder's run, on the reader's thread")


if __name__ == "__main__":
    main()

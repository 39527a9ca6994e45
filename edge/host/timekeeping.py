"""Whether the wall clock can be believed."""

import ctypes

_TIME_ERROR = 5
_TIMEX_BYTES = 512
"""More than any architecture's struct timex; its first member, `modes`, is zero: only ask."""


def clock_is_synchronised() -> bool:
    """Whether the kernel holds its clock for synchronised, as time services tell it (adjtimex(2)); False where unknown."""
    state = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return 0 <= state < _TIME_ERROR

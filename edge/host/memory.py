"""Memory that was freed, back to the system."""

import ctypes


def give_back_memory() -> None:
    """Let the C library return what it keeps of freed memory, by malloc_trim(3); nothing where it has no such call.

    glibc keeps an arena for threads that come and go. Without this, 25 recipes opened one after the other, each in a thread
    of its own, left 324 MB resident where one takes 147 MB; with it, 167 MB.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)

"""Whether the clock is disciplined is asked of the kernel, seldom."""

from edge.host.time_sync import ClockSync, ask_kernel


def test_the_kernel_is_asked_again_when_the_answer_is_old() -> None:
    answers = iter([True, False, None])
    now_s = 100.0
    sync = ClockSync(lambda: next(answers), lambda: now_s)
    assert [sync(), sync()] == [True, True]
    now_s += 9.9
    assert sync() is True
    now_s += 0.1
    assert sync() is False
    now_s += 1000
    assert sync() is None


def test_asking_the_kernel_changes_nothing_and_answers_yes_no_or_nothing() -> None:
    first = ask_kernel()
    assert first in {True, False, None}
    assert ask_kernel() is first

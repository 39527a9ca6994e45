"""A schedule is what its seed makes it: whole, within bounds, and the same again."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.schedule import CLOCK_HOURS, SLOW_BYTES_PER_S, Kind, episodes, one_round

seeds, lengths = st.integers(0, 2**32), st.floats(0.1, 100)


@given(seeds, lengths)
def test_a_round_has_every_kind_once_and_two_at_once_somewhere(seed: int, longest_s: float) -> None:
    plan = one_round(seed, longest_s)
    assert sorted(fault.kind for episode in plan for fault in episode.faults) == sorted(Kind)
    assert any(len(episode.faults) == 2 for episode in plan)


@given(seeds, lengths)
def test_two_at_once_overlap_and_have_different_victims(seed: int, longest_s: float) -> None:
    for episode in islice(episodes(seed, longest_s), 30):
        assert episode.rest_s > 0
        first, *others = episode.faults
        assert first.begins_s == 0
        for second in others:
            assert first.begins_s < second.begins_s < first.ends_s
            assert second.kind.victim != first.kind.victim


@given(seeds, lengths)
def test_faults_keep_within_their_bounds(seed: int, longest_s: float) -> None:
    for episode in islice(episodes(seed, longest_s), 30):
        for fault in episode.faults:
            assert longest_s / 2 <= fault.lasts_s <= longest_s
            match fault.kind:
                case Kind.CLOCK_AHEAD | Kind.CLOCK_BACK:
                    assert CLOCK_HOURS[0] <= abs(fault.amount) <= CLOCK_HOURS[1]
                    assert (fault.amount > 0) == (fault.kind is Kind.CLOCK_AHEAD)
                case Kind.LINK_SLOW:
                    assert SLOW_BYTES_PER_S[0] <= fault.amount <= SLOW_BYTES_PER_S[1]
                case _:
                    assert fault.amount == 0


@given(seeds)
def test_the_same_seed_makes_the_same_list_and_begins_it_with_a_round(seed: int) -> None:
    once, again = (list(islice(episodes(seed, 3.0), 40)) for _ in range(2))
    assert once == again
    first = one_round(seed, 3.0)
    assert once[: len(first)] == first


@given(seeds, st.sets(st.sampled_from(sorted(Kind)), min_size=1))
def test_what_cannot_be_done_here_is_left_out(seed: int, kinds: set[Kind]) -> None:
    plan = one_round(seed, 3.0, kinds)
    assert {fault.kind for episode in plan for fault in episode.faults} == kinds


def test_different_seeds_make_different_lists() -> None:
    assert len({tuple(one_round(seed, 3.0)) for seed in range(50)}) == 50

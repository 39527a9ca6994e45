"""Two kinds of pictures in one folder are told apart, and one kind is not cut in two."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from calibration.audit.groups import groups
from calibration.audit.seen import Seen
from calibration.goods import Good
from edge.capture.fitness import Look

LOOK = Look(160, 120, 110.0, 30.0, 0.0, 0.1, 0.0)
NOTHING = np.zeros((128, 128), np.float32)


def seen(*looks: Look) -> list[Seen]:
    """Pictures that were read, without their files."""
    goods = [Good(Path(f"{i}.png"), str(i), str(i)) for i in range(len(looks))]
    return [Seen(good, False, good.sha256, look, 0.0, 0.5, NOTHING) for good, look in zip(goods, looks, strict=True)]


def cloud(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 32)).astype(np.float32)


def test_one_cloud_of_varying_size_and_light_is_one_group() -> None:
    rng = np.random.default_rng(0)
    looks = [replace(LOOK, width=int(rng.integers(200, 300)), brightness=float(rng.uniform(80, 160))) for _ in range(80)]
    assert groups(seen(*looks), cloud(80), np.arange(80), 0).groups == ()


def test_two_products_are_two_groups_by_their_looks() -> None:
    embeddings = cloud(60)
    embeddings[40:, :8] += 8
    found = groups(seen(*[LOOK] * 60), embeddings, np.arange(60), 0)
    assert found.by == "looks"
    assert [set(group.numbers) for group in found.groups] == [set(range(40)), set(range(40, 60))]
    assert set(found.groups[1].shown) <= set(range(40, 60))


def test_two_lights_and_two_sizes_are_groups_though_the_parts_look_alike() -> None:
    lights = [replace(LOOK, brightness=(80.0 if i % 2 else 160.0) + i % 7) for i in range(40)]
    found = groups(seen(*lights), cloud(40), np.arange(40), 0)
    assert (found.by, sorted(group.brightness for group in found.groups)) == ("brightness", [83.0, 163.0])
    sizes = [replace(LOOK, width=160 if i % 2 else 320) for i in range(40)]
    found = groups(seen(*sizes), cloud(40), np.arange(40), 0)
    assert (found.by, sorted(group.size for group in found.groups)) == ("size", [(160, 120), (320, 120)])


def test_pictures_that_were_left_aside_are_in_no_group() -> None:
    embeddings = cloud(60)
    embeddings[30:] += 20
    numbers = np.array([*range(25), *range(30, 55)])
    assert {i for group in groups(seen(*[LOOK] * 60), embeddings, numbers, 0).groups for i in group.numbers} == set(numbers)


def test_an_odd_picture_is_no_group() -> None:
    embeddings = cloud(60)
    embeddings[59] += 50
    assert groups(seen(*[LOOK] * 60), embeddings, np.arange(60), 0).groups == ()

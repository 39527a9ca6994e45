"""A part that moved is found to less than a pixel, or it is said why not."""

import re

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import BadConfig
from edge.inspect.align import open_aligner
from edge.inspect.geometry import motion_of, scaling, translation
from edge.inspect.refine import Alignment, NotAligned
from edge.inspect.view_card import AlignmentMethod
from edge.types import Doubles, Pixels
from tests.moved import BOX, HEIGHT, STILL, WIDTH, error_px, grey, limits, move, see, tilt

METHODS: list[AlignmentMethod] = ["template", "keypoints"]
PHOTOGRAPHS = ["brick", "coins", "page", "camera", "gravel"]
MOVEMENTS = {
    "template": [STILL, move((7.3, -11.6)), move((-9.4, 4.2), 3), move((5.5, 6.5), -8)],
    "keypoints": [STILL, move((7.3, -11.6), 25, 1.1), move((-9.4, 4.2), -8, 0.9), tilt(move((5.5, 6.5), 8))],
}

LENIENT = [
    open_aligner(
        limits(method, least_agreement=0.01, largest_outside=0.9, scale_min=0.01, scale_max=99.0), grey(see("page")), BOX
    )
    for method in METHODS
]


def aligner(method: AlignmentMethod, photograph: str, **changed: float):
    return open_aligner(limits(method, **changed), grey(see(photograph)), BOX)


def brightened(pixels: Pixels, share: float) -> Pixels:
    return np.clip(pixels * share, 0, 255).astype(np.uint8)


def noisy(pixels: Pixels) -> Pixels:
    noise = np.random.default_rng(0).normal(0, 8, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
@pytest.mark.parametrize("method", METHODS)
def test_known_movements_are_found_to_less_than_a_pixel(method: AlignmentMethod, photograph: str) -> None:
    align = aligner(method, photograph)
    for movement in MOVEMENTS[method]:
        assert error_px(align(see(photograph, movement)), movement) < 1


@pytest.mark.parametrize("change", [lambda p: brightened(p, 0.7), lambda p: brightened(p, 1.3), noisy])
@pytest.mark.parametrize("method", METHODS)
def test_light_and_noise_do_not_move_the_part(method: AlignmentMethod, change) -> None:
    for photograph in PHOTOGRAPHS:
        movement = MOVEMENTS[method][-1]
        assert error_px(aligner(method, photograph)(change(see(photograph, movement))), movement) < 1


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_part_is_not_aligned(method: AlignmentMethod) -> None:
    for photograph in PHOTOGRAPHS:
        align = aligner(method, photograph)
        for other in PHOTOGRAPHS:
            assert other == photograph or isinstance(align(see(other)), NotAligned)


def test_a_large_defect_does_not_move_the_part() -> None:
    movement = move((-9.4, 4.2), 3)
    for photograph in PHOTOGRAPHS:
        spoilt = see(photograph, movement).copy()
        spoilt[75:155, 165:240] = 255
        assert error_px(aligner("template", photograph)(spoilt), movement) < 1


@pytest.mark.parametrize("method", METHODS)
def test_a_half_hidden_part_is_refused_or_found_never_misplaced(method: AlignmentMethod) -> None:
    movement = move((7.3, -11.6), 3)
    align_limits = {"scale_min": 0.97, "scale_max": 1.03}
    for photograph in PHOTOGRAPHS:
        hidden = see(photograph, movement).copy()
        hidden[:, WIDTH // 2 :] = 30
        found = aligner(method, photograph, **align_limits)(hidden)
        assert isinstance(found, NotAligned) or error_px(found, movement) < 3


@pytest.mark.parametrize(
    ("movement", "changed", "words"),
    [
        (move((20, 0)), {"largest_shift_px": 18.0}, r"shift 20\.\d px is beyond 18\.0 px"),
        (move((0, 0), 6), {"largest_rotation_deg": 5.0}, r"rotation 6\.0° is beyond 5\.0°"),
        (move((0, 0), 0, 1.1), {"scale_max": 1.05}, r"scale 1\.\d+ to 1\.1\d* is beyond 0\.800 to 1\.050"),
        (
            move((-80, 0)),
            {"largest_outside": 0.05, "largest_shift_px": 90.0},
            r"(9|10)\.\d % .* outside the picture, beyond 5\.0 %",
        ),
        (STILL, {"least_agreement": 0.9999}, r"agreement 0\.9\d+ with the reference is below 1\.00"),
    ],
)
def test_each_limit_says_in_numbers_how_it_was_passed(movement: Doubles, changed: dict[str, float], words: str) -> None:
    found = aligner("keypoints", "brick", **changed)(noisy(see("brick", movement)))
    assert isinstance(found, NotAligned)
    assert re.search(words, found.detail), found.detail


@pytest.mark.parametrize("method", METHODS)
def test_pictures_without_a_part_are_refused_and_break_nothing(method: AlignmentMethod) -> None:
    align = aligner(method, "coins")
    shape = (HEIGHT, WIDTH, 3)
    stripes = np.zeros(shape, np.uint8)
    stripes[::8] = 255
    squares = np.zeros(shape, np.uint8)
    squares[40:80, 40:80] = 255
    noise = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    mirrored = np.ascontiguousarray(see("coins")[:, ::-1])
    for pixels in (np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), stripes, squares, noise, mirrored):
        assert isinstance(align(pixels), NotAligned)


@pytest.mark.parametrize("method", METHODS)
def test_a_part_on_a_plain_ground_is_found(method: AlignmentMethod) -> None:
    plain = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    reference, picture = plain.copy(), plain.copy()
    part = see("coins")[80:160, 100:220]
    reference[80:160, 100:220] = part
    picture[87:167, 91:211] = part
    found = open_aligner(limits(method), grey(reference), BOX)(picture)
    assert error_px(found, translation(-9, 7)) < 1


@pytest.mark.parametrize("method", METHODS)
def test_a_small_part_of_a_large_picture_is_found(method: AlignmentMethod) -> None:
    """The reference is embedded in a picture sixteen times as large."""
    reference, picture = (np.zeros((4 * HEIGHT, 4 * WIDTH, 3), np.uint8) for _ in range(2))
    movement = move((7.3, -11.6), 3)
    for canvas, part in ((reference, see("brick")), (picture, see("brick", movement))):
        canvas[500 : 500 + HEIGHT, 700 : 700 + WIDTH] = part
    box = BOX.model_copy(update={"x": BOX.x + 700, "y": BOX.y + 500})
    found = open_aligner(limits(method), grey(reference), box)(picture)
    assert isinstance(found, Alignment), found
    back = translation(-700, -500) @ found.to_picture @ translation(700, 500)
    assert error_px(Alignment(back, found.motion, found.agreement), movement) < 1


@pytest.mark.parametrize("method", METHODS)
def test_the_same_picture_gives_the_same_transform(method: AlignmentMethod) -> None:
    picture = noisy(see("gravel", move((7.3, -11.6), 3)))
    first, again = aligner(method, "gravel")(picture), aligner(method, "gravel")(picture)
    assert isinstance(first, Alignment)
    assert isinstance(again, Alignment)
    np.testing.assert_array_equal(first.to_picture, again.to_picture)


@pytest.mark.parametrize("method", METHODS)
def test_a_reference_with_nothing_to_align_by_is_refused(method: AlignmentMethod) -> None:
    with pytest.raises(BadConfig, match="flat"):
        open_aligner(limits(method), np.full((HEIGHT, WIDTH), 90, np.uint8), BOX)
    ramp = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    if method == "keypoints":
        with pytest.raises(BadConfig, match="key points"):
            open_aligner(limits(method), ramp, BOX)


def test_motion_is_read_off_the_transform() -> None:
    motion = motion_of(move((3, 4), 7, 1.1), BOX, WIDTH, HEIGHT)
    assert motion is not None
    assert motion.shift_px == pytest.approx(5)
    assert motion.rotation_deg == pytest.approx(7)
    assert (motion.scale_min, motion.scale_max, motion.outside) == pytest.approx((1.1, 1.1, 0), abs=1e-6)
    away = motion_of(translation(-160, 0), BOX, WIDTH, HEIGHT)
    assert away is not None
    assert away.outside == pytest.approx(0.5)


@pytest.mark.parametrize(
    "transform",
    [
        np.full((3, 3), np.nan),
        np.zeros((3, 3)),
        scaling(-1, 1),
        scaling(1, 0),
        np.array([[1, 0, 0], [0, 1, 0], [-1 / 150, 0, 1]]),
    ],
)
def test_no_motion_is_read_off_a_transform_that_mirrors_folds_or_flattens(transform: Doubles) -> None:
    assert motion_of(transform, BOX, WIDTH, HEIGHT) is None


def test_a_colour_part_is_aligned_by_its_grey_picture() -> None:
    movement = move((7.3, -11.6), 3)
    tinted = (see("brick", movement) * (0.8, 1.0, 0.9)).astype(np.uint8)
    assert cv2.absdiff(tinted[..., 0], tinted[..., 1]).max() > 0
    assert error_px(aligner("template", "brick")(tinted), movement) < 1


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), boxes=st.integers(1, 40))
def test_no_picture_breaks_an_aligner(seed: int, boxes: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = np.full((HEIGHT, WIDTH, 3), rng.integers(0, 256), np.uint8)
    for x0, y0, x1, y1 in rng.integers(0, (WIDTH, HEIGHT, WIDTH, HEIGHT), (boxes, 4)):
        pixels[min(y0, y1) : max(y0, y1), min(x0, x1) : max(x0, x1)] = rng.integers(0, 256)
    for align in LENIENT:
        assert isinstance(align(pixels), Alignment | NotAligned)

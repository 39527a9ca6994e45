"""goodpart calibrate study repeatability | agreement | samples."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.known import Known
    from calibration.study.agreement import Agreement
    from calibration.study.repeatability import Repeatability
    from calibration.study.trials import Part

_recipe_argument = click.argument("recipe", type=click.Path(path_type=Path))
_folder_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
_part_pattern_option = click.option(
    "--part-pattern", help="Regular expression for file names with a group `part`  [default: PART__anything]"
)


@click.group()
def study() -> None:
    """Measure the measuring system: do repeats agree, does the device agree with the reference and with people?

    \b
    repeatability   how much a part's score varies from picture to picture, and which verdicts that turns
    agreement       AIAG's attribute agreement analysis: effectiveness, misses, false alarms, kappa
    samples         the golden samples and red rabbits that `goodpart run` asks for at the start of a shift
    """  # noqa: D301 - click wants the backspace character itself


@study.command()
@_recipe_argument
@_folder_argument
@_part_pattern_option
@as_json_option
@page_option
def repeatability(recipe: Path, folder: Path, part_pattern: str | None, as_json: bool, page: Path | None) -> None:
    """Compare repeated pictures of the same parts in DIR, judged with RECIPE as the device would.

    Lay each part down anew for each picture, and name them PART__1.png, PART__2.png and so on; ten parts or more, three
    pictures of each, some of them near the threshold. The answer is the standard deviation of repeats and of parts, the
    verdicts that flip, and the band around the threshold in which a repeat may flip: a gray zone to send to a person.

    \b
    goodpart calibrate study repeatability recipes/cell repeats/
    """  # noqa: D301 - click wants the backspace character itself
    from calibration.goods import PART_PATTERN
    from calibration.known import known_among
    from calibration.page.render import write_page
    from calibration.progress import steps
    from calibration.study.page import repeatability_page
    from calibration.study.repeatability import study_repeatability
    from calibration.study.trials import judge_parts, pictures_in
    from calibration.study.words import repeatability_in_words
    from edge.recipe.recipe import open_recipe

    opened, pictures = open_recipe(recipe), pictures_in(folder, part_pattern or PART_PATTERN)
    with steps() as shown:
        parts = judge_parts(opened, pictures, shown)
    found = study_repeatability(parts, opened.manifest.threshold)
    known = known_among(opened.manifest.goods, (picture.file for picture in pictures))
    written = page_path(page, "repeatability", recipe)
    write_page(repeatability_page(found, known, opened), written)
    click.echo(_repeatability_as_json(found, known, written) if as_json else repeatability_in_words(found, known, written))


@study.command()
@_recipe_argument
@_folder_argument
@click.option(
    "--appraisers", type=click.Path(path_type=Path), help="CSV of what people said: part, appraiser, trial, verdict."
)
@_part_pattern_option
@as_json_option
@page_option
def agreement(
    recipe: Path, folder: Path, appraisers: Path | None, part_pattern: str | None, as_json: bool, page: Path | None
) -> None:
    """Compare RECIPE's answers, and people's, with what the parts in DIR are known to be (AIAG MSA, attribute study).

    DIR holds good/ and one folder for each kind of defect; several pictures of a part, PART__1.png, PART__2.png and so on,
    are its trials. Take 50 parts or more, a quarter of them defective, some that people argue about, three trials each.

    \b
    goodpart calibrate study agreement recipes/cell parts/ --appraisers inspectors.csv
    inspectors.csv:  part,appraiser,trial,verdict
                     cell0404,anna,1,NOK
    """  # noqa: D301 - click wants the backspace character itself
    from calibration.goods import PART_PATTERN
    from calibration.known import known_among
    from calibration.page.render import write_page
    from calibration.progress import steps
    from calibration.study.agreement import study_agreement
    from calibration.study.appraisers import read_appraisers
    from calibration.study.page import agreement_page
    from calibration.study.trials import judge_parts, labelled_pictures_in
    from calibration.study.words import agreement_in_words
    from edge.recipe.recipe import open_recipe

    opened, pictures = open_recipe(recipe), labelled_pictures_in(folder, part_pattern or PART_PATTERN)
    names = list(dict.fromkeys(picture.part for picture in pictures))
    people = read_appraisers(appraisers, names) if appraisers else {}
    with steps() as shown:
        parts = judge_parts(opened, pictures, shown)
    known = known_among(opened.manifest.goods, (picture.file for picture in pictures))
    found = study_agreement(parts, opened.manifest.threshold, people, known)
    written = page_path(page, "agreement", recipe)
    write_page(agreement_page(found, opened), written)
    click.echo(_agreement_as_json(found, known, written) if as_json else agreement_in_words(found, written))


@study.command()
@_recipe_argument
@_folder_argument
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default="shift.json",
    show_default=True,
    help="File of samples to write, for `shift_check` in the station file.",
)
@_part_pattern_option
@as_json_option
@page_option
def samples(recipe: Path, folder: Path, out: Path, part_pattern: str | None, as_json: bool, page: Path | None) -> None:
    """Seal the master parts in DIR that a station's shift begins with.

    DIR holds pictures of physical parts that are kept at the station: golden samples in good/, red rabbits in one folder for
    each kind of defect. Each must come out as what it is with RECIPE, or nothing is written. The page is the sheet for the
    operator. The station file then asks for them:

    \b
    shift_check: {samples: shift.json, at: ["06:00", "14:00", "22:00"], tries: 3}
    """  # noqa: D301 - click wants the backspace character itself
    from calibration.goods import PART_PATTERN
    from calibration.known import known_among
    from calibration.page.render import write_page
    from calibration.progress import steps
    from calibration.study.page import samples_page
    from calibration.study.samples import cautions_about, seal_samples, write_samples
    from calibration.study.trials import judge_parts, labelled_pictures_in
    from calibration.study.words import samples_in_words
    from edge.recipe.recipe import open_recipe

    opened, pictures = open_recipe(recipe), labelled_pictures_in(folder, part_pattern or PART_PATTERN)
    with steps() as shown:
        parts = judge_parts(opened, pictures, shown)
    card = seal_samples(parts, opened)
    write_samples(card, out)
    known = known_among(opened.manifest.goods, (picture.file for picture in pictures))
    cautions, written = cautions_about(parts, opened.manifest.threshold, known), page_path(page, "samples", recipe)
    write_page(samples_page(card, parts, cautions, opened), written)
    click.echo(card.model_dump_json() if as_json else samples_in_words(card, cautions, out, written))


def _repeatability_as_json(found: "Repeatability", known: "Known", page: Path) -> str:
    from calibration.known import as_record, warnings
    from calibration.study.words import repeatability_notes

    agreeing, repeats = found.agreeing
    return json.dumps(
        {
            **asdict(found.components),
            "study_variation": found.components.study_variation,
            "ndc": found.components.ndc,
            "threshold": found.threshold,
            "band": found.band,
            "repeat_below": found.below,
            "repeat_above": found.above,
            "sides_differ": found.differ,
            "agreeing": agreeing,
            "repeats": repeats,
            "flipping": [part.name for part in found.flipping],
            "in_band": [part.name for part in found.in_band],
            "known": as_record(known),
            "notes": [*repeatability_notes(found), *warnings(known)],
            "parts": _parts_as_json(found.parts),
            "page": str(page),
        }
    )


def _agreement_as_json(found: "Agreement", known: "Known", page: Path) -> str:
    from calibration.known import as_record

    appraisals = [
        {**asdict(a), "grades": a.grades, "grade": a.grade, "kappa_with_device": found.with_device.get(a.name)}
        for a in found.appraisals
    ]
    return json.dumps(
        {
            "appraisals": appraisals,
            "known": as_record(known),
            "cautions": found.cautions,
            "parts": _parts_as_json(found.parts),
            "page": str(page),
        }
    )


def _parts_as_json(parts: "tuple[Part, ...]") -> list[dict[str, object]]:
    return [
        {
            "part": part.name,
            "kind": part.kind,
            "trials": [
                {"path": str(t.picture.path), "verdict": t.verdict.decision, "reason": t.verdict.reason, "score": t.score}
                for t in part.trials
            ],
        }
        for part in parts
    ]

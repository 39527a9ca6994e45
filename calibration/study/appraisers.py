"""What human inspectors said of the same parts: a CSV file with the columns part, appraiser, trial, verdict."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.errors import BadConfig
from edge.strict import read_limited
from edge.types import Decision

DEVICE = "device"
"""What goodpart is called beside the inspectors."""

Answers = Mapping[str, tuple[Decision, ...]]
"""One appraiser's answers to each part, by its name, in the order of trials."""

_COLUMNS = ("part", "appraiser", "trial", "verdict")
_MAX_BYTES = 16 * 1024 * 1024


def read_appraisers(path: Path, parts: Sequence[str]) -> dict[str, Answers]:
    """Each appraiser's answers to every part. Columns are separated by commas or semicolons.

    Raises:
        BadConfig: the file cannot be read, a line is wrong, a trial is given twice, or an appraiser left out a part.
    """
    said: dict[str, dict[str, dict[int, Decision]]] = {}
    for line, row in _rows(path):
        part, appraiser, trial, decision = _answer(row, f"--appraisers: {path} line {line}", set(parts))
        trials = said.setdefault(appraiser, {}).setdefault(part, {})
        if trial in trials:
            raise BadConfig(f"--appraisers: {path} line {line}: {appraiser}'s trial {trial} of part {part} is given twice.")
        trials[trial] = decision
    if not said:
        raise BadConfig(f"--appraisers: {path} holds no answers; add a line for each part, appraiser and trial.")
    for appraiser, answers in said.items():
        if missing := [part for part in parts if part not in answers]:
            raise BadConfig(
                f"--appraisers: {path}: {appraiser} did not judge {len(missing)} of {len(parts)} parts, the first "
                f"{missing[0]}; add these lines."
            )
    return {
        appraiser: {part: tuple(trials[number] for number in sorted(trials)) for part, trials in answers.items()}
        for appraiser, answers in said.items()
    }


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        # A spreadsheet marks UTF-8 with a first character that is no part of the header.
        lines = read_limited(path, _MAX_BYTES, BadConfig).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise BadConfig(f"--appraisers: {path} is not text in UTF-8; save it as CSV UTF-8.") from None
    reader = csv.reader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    head = [cell.strip().lower() for cell in next(reader, [])]
    if sorted(head) != sorted(_COLUMNS):
        raise BadConfig(f"--appraisers: {path}: the first line must name the columns {', '.join(_COLUMNS)}.")
    rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(cell.strip() for cell in row)]
    for line, row in rows:
        if len(row) != len(_COLUMNS):
            raise BadConfig(f"--appraisers: {path} line {line}: has {len(row)} columns; {len(_COLUMNS)} are wanted.")
    return [(line, dict(zip(head, row, strict=True))) for line, row in rows]


def _answer(row: dict[str, str], where: str, parts: set[str]) -> tuple[str, str, int, Decision]:
    if row["part"] not in parts:
        raise BadConfig(f"{where}: there are no pictures of part {row['part']}; correct the name.")
    if not row["appraiser"] or row["appraiser"] == DEVICE:
        raise BadConfig(f"{where}: '{row['appraiser']}' cannot be an appraiser's name; give another.")
    if not (row["trial"].isascii() and row["trial"].isdigit()):
        raise BadConfig(f"{where}: trial '{row['trial']}' is no number; count trials from 1.")
    try:
        decision = Decision(row["verdict"].upper())
    except ValueError:
        raise BadConfig(f"{where}: verdict '{row['verdict']}' is neither OK, NOK nor NOT_DECIDABLE.") from None
    return row["part"], row["appraiser"], int(row["trial"]), decision

"""goodpart teach: what a station was taught; and teaching while it is stopped."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.errors import BadConfig

if TYPE_CHECKING:
    from edge.config import StationConfig
    from edge.teach.config import TeachConfig
    from edge.teach.teacher import Teacher

_CONFIG = click.argument("config", type=click.Path(path_type=Path))
_WHO = click.option("--who", required=True, help="Who decides it.")
_REASON = click.option("--reason", required=True, help="Why.")


@click.group()
def teach() -> None:
    """Rejected parts that people accept: what counts as good at the station of CONFIG, more of it, or less."""


@teach.command("list")
@_CONFIG
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each entry, without the patches.")
def list_entries(config: Path, as_json: bool) -> None:
    """Print the ledger of CONFIG, also while the station runs: what was taught and taken back, by whom and why."""
    from edge.config import load_config
    from edge.teach.entry import TaughtEntry
    from edge.teach.ledger import in_force, read_account

    limits = _limits(load_config(config))
    _say_where(limits)
    account = read_account(Path(str(limits.file)))
    for entry in account.entries:
        holds = entry in in_force(account.entries, entry.recipe_id)
        if as_json:
            click.echo(json.dumps(entry.model_dump(mode="json", exclude={"patches"}) | {"in_force": holds}))
            continue
        words = (
            f"{entry.time_utc:%Y-%m-%d %H:%M}  recipe {entry.recipe_id[:12]}  {entry.evidence}  {entry.who}: {entry.reason}"
        )
        if isinstance(entry, TaughtEntry):
            scores = f"{len(entry.places)} patches, score {entry.score_before:.4g} became {entry.score_after:.4g}"
            click.echo(f"{'taught' if holds else 'was taught'}  {words}  ({scores})")
        else:
            click.echo(f"taken back  {words}")
    if account.torn:
        click.echo("the last entry is torn and not in force", err=True)


@teach.command()
@_CONFIG
@click.argument("part")
@_WHO
@_REASON
def add(config: Path, part: str, who: str, reason: str) -> None:
    """Count PART as good: the id of its result, or the path of its picture within the evidence folder.

    The station must be stopped; a running one takes the signed command `teach`.
    """
    _echo(config, lambda teacher: teacher.accept(part, who, reason))


@teach.command()
@_CONFIG
@click.argument("part", required=False)
@_WHO
@_REASON
def undo(config: Path, part: str | None, who: str, reason: str) -> None:
    """Take PART back, or the last one that was taught for the recipe of CONFIG.

    The station must be stopped; a running one takes the signed command `unteach`.
    """
    _echo(config, lambda teacher: teacher.undo(who, reason, part))


def _limits(config: "StationConfig") -> "TeachConfig":
    if config.teach is None:
        raise BadConfig("teach: is missing from the station file; add teach: {}.")
    return config.teach


def _say_where(limits: "TeachConfig") -> None:
    """The state folder of the service decides, and a person in a shell should see that it does."""
    click.echo(f"ledger: {limits.file}", err=True)


def _echo(path: Path, work: Callable[["Teacher"], str]) -> None:
    """Do it with the recipe of the station file, and print the sentence."""
    import logging

    from threadpoolctl import threadpool_limits

    from edge.app.recipes import make_opener, recipe_in_use
    from edge.app.teach import make_rejects, open_teacher
    from edge.command.controls import Controls
    from edge.config import load_config
    from edge.events import Events

    logging.disable(logging.WARNING)  # the sentence says it
    config = load_config(path)
    limits = _limits(config)
    _say_where(limits)
    assert config.evidence is not None  # noqa: S101 - the configuration says so
    threadpool_limits(1)  # as `run` does
    controls = Controls(make_opener(config).open(recipe_in_use(config)))
    rejects = make_rejects(config, limits, config.evidence, unknown_too=True)
    teacher = open_teacher(config, limits, config.evidence, controls, rejects, Events())
    try:
        click.echo(work(teacher))
    finally:
        teacher.close()

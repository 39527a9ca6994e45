"""Options that every calibration command has."""

from pathlib import Path

import click

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")

page_option = click.option(
    "--page", type=click.Path(path_type=Path), help="HTML page to write  [default: COMMAND-NAME.html in this folder]"
)


def page_path(given: Path | None, command: str, subject: Path) -> Path:
    """Where a command writes its page: as asked for, else named after the command and the folder it was about."""
    return given or Path(f"{command}-{subject.resolve().name}.html")

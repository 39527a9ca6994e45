"""goodpart calibrate: the line engineer's commands, found by name and imported only when asked for."""

from importlib import import_module
from importlib.util import find_spec

import click

from edge.errors import BadConfig

_EXTRA = {"bokeh": "bokeh", "jinja2": "jinja2", "rich": "rich", "scipy": "scipy", "sklearn": "scikit-learn"}

_COMMANDS = (
    "collect",
    "audit",
    "build",
    "threshold",
    "evaluate",
    "study",
    "map",
    "similar",
    "fiftyone",
    "compare",
    "drift",
)
"""In the order of a day's work; each is an object of its name in the file of its name in `calibration/commands`."""

_FILES = {"map": "atlas"}
"""Commands whose name Python uses itself, and what file and object are called instead."""


class _Commands(click.Group):
    """Imports one command at a time, and says which extra is missing instead of an ImportError."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        name = _FILES.get(cmd_name, cmd_name)
        command = getattr(import_module(f"calibration.commands.{name}"), name)
        assert isinstance(command, click.Command)  # noqa: S101 - our own file
        return command

    def invoke(self, ctx: click.Context) -> object:
        if missing := [package for module, package in _EXTRA.items() if find_spec(module) is None]:
            raise BadConfig(f"calibrate needs {', '.join(missing)}; install them with: pip install 'goodpart[calibrate]'.")
        return super().invoke(ctx)


@click.group(cls=_Commands)
def calibrate() -> None:
    """Turn good parts into a recipe with a threshold one can sign for."""

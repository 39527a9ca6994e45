"""goodpart demo."""

from importlib.util import find_spec
from pathlib import Path

import click

from edge.errors import BadConfig

_EXTRA = {"amqtt": "amqtt", "elpv_dataset": "elpv-dataset", "rich": "rich", "sklearn": "scikit-learn"}


@click.command()
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    help="Folder for all it makes.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Chooses the cells.")
def demo(out: Path, seed: int) -> None:
    """Judge real solar cells end to end: recipe, device loop, MQTT, results.

    Takes 240 good monocrystalline cells of the public data set elpv-dataset, builds a recipe, starts a broker in this
    process, runs `goodpart run` as the line device would, and shows each message as a separate subscriber receives it.
    """
    if missing := [package for module, package in _EXTRA.items() if find_spec(module) is None]:
        raise BadConfig(f"demo needs {', '.join(missing)}; install them with: pip install 'goodpart[demo]'.")
    from calibration.demo.show import show

    show(out, seed)

"""The house stands as drawn: who may import whom, how large a room may be, what is documented."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edge.cli import goodpart

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {"edge": {"edge"}, "calibration": {"calibration", "edge"}, "export": {"export", "edge"}}
OURS = set(MAY_IMPORT)
NOT_ON_THE_DEVICE = {"torch", "sklearn", "scipy", "onnx", "rich", "bokeh", "jinja2", "amqtt", "calibration", "export"}
LONGEST_FILE = 320


def python_files(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("package", sorted(OURS))
def test_packages_import_only_in_the_drawn_direction(package: str) -> None:
    for path in python_files(package):
        assert imports_of(path) & OURS <= MAY_IMPORT[package], path


def test_the_device_imports_nothing_heavy() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in python_files("edge")
    ]
    code = f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {name.split(".")[0] for name in loaded} & NOT_ON_THE_DEVICE


def test_no_file_is_two_ideas_long() -> None:
    for path in python_files("edge", "calibration", "export", "tests"):
        assert len(path.read_text().splitlines()) <= LONGEST_FILE, path


def all_commands() -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []

    def walk(name: str, command: click.Command) -> None:
        if not isinstance(command, click.Group) or command.invoke_without_command:
            found.append((name, command))
        if isinstance(command, click.Group):
            context = click.Context(command)
            for child in command.list_commands(context):
                walk(f"{name} {child}", command.get_command(context, child) or pytest.fail(child))

    walk("goodpart", goodpart)
    return found


def test_every_command_teaches_in_its_help_and_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for name, command in all_commands():
        assert command.help, name
        assert name in readme, name
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"


def test_readme_names_only_commands_and_files_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    known = {name for name, _ in all_commands()}
    for line in re.findall(
        r"^\$? ?(goodpart (?:calibrate (?:study )?|export (?=inspect)|recipe |teach )?[a-z]+)", readme, re.MULTILINE
    ):
        assert line in known, line
    for path in re.findall(r"`((?:edge|calibration|export|tests|systemd|\.ci)/[\w./@-]+)`", readme):
        assert (ROOT / path).exists(), path


def test_every_fault_in_the_readme_names_its_test() -> None:
    readme = (ROOT / "README.md").read_text()
    table = readme[readme.index("| what happens | what the device says and does |") :].split("\n\n")[0]
    for row in table.splitlines()[2:]:
        named = re.fullmatch(r"\| .+ \| .+ \| (`[\w/]+\.py`(?:, `[\w/]+\.py`)*) \|", row)
        assert named, row
        for path in re.findall(r"[\w/.]+", named[1]):
            assert (ROOT / "tests" / path).is_file(), row


def test_figures_in_the_readme_name_a_bench_that_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    for path in re.findall(r"tests/bench/\w+\.py", readme):
        assert (ROOT / path).is_file(), path

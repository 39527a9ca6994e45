"""goodpart sign: a command that an engineer vouches for."""

import sys
from pathlib import Path

import click

from edge.errors import BadCommand, BadConfig


@click.command()
@click.argument("command", type=click.Path(path_type=Path, allow_dash=True), required=False)
@click.option("-k", "--key", type=click.Path(path_type=Path), help="Private key to sign with, PEM.")
@click.option(
    "--new-key", type=click.Path(path_type=Path), help="Make a key instead: FILE to keep, FILE.pub for the stations."
)
@click.option(
    "--valid-s",
    default=300.0,
    show_default=True,
    type=click.FloatRange(1, 86_400),
    help="Seconds until it expires, where COMMAND does not say when.",
)
def sign(command: Path | None, key: Path | None, new_key: Path | None, valid_s: float) -> None:
    """Sign the JSON file COMMAND ("-" is standard input) and print it on one line, ready to publish.

    `format`, `command_id`, `issued_utc` and `expires_utc` are filled in where they are missing; what is there stays.

    \b
    goodpart sign --new-key engineer.pem              # once; engineer.pem.pub is commands.public_key_file
    echo '{"command": "set_threshold", "threshold": 9, "min": 8, "max": 12, "recipe_id": "3f0c…",
           "station": {"site": "ulm", "area": "cells", "line": "line-1", "station": "el-camera"}}' |
      goodpart sign - --key engineer.pem |
      mosquitto_rr -V 5 -t goodpart/v1/ulm/cells/line-1/el-camera/command -e goodpart/answers/1 -s
    """  # noqa: D301 - click wants the backspace character itself
    try:
        from edge.command.signing import make_key
    except ModuleNotFoundError:
        raise BadConfig("goodpart sign needs cryptography: install 'goodpart[commands]'.") from None
    if new_key and not (command or key):
        click.echo(
            f"{new_key}: keep it to yourself; {make_key(new_key)}: commands.public_key_file of the stations", err=True
        )
    elif command and key and not new_key:
        click.echo(_signed(_read(command), key, valid_s))
    else:
        raise BadCommand("give either COMMAND and --key, or --new-key alone.")


def _read(command: Path) -> bytes:
    from edge.strict import MAX_YAML_BYTES, read_limited

    return sys.stdin.buffer.read() if str(command) == "-" else read_limited(command, MAX_YAML_BYTES, BadCommand)


def _signed(raw: bytes, key: Path, valid_s: float) -> str:
    from edge.command.draft import complete, signed
    from edge.command.signing import open_private_key
    from edge.host.clock import utc_now

    return signed(complete(raw, utc_now(), valid_s), open_private_key(key)).decode()

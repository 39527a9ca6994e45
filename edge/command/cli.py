"""goodpart sign: a command or a recipe that an engineer vouches for."""

import sys
from pathlib import Path

import click

from edge.errors import BadCommand, BadConfig, BadRecipe


@click.command()
@click.argument("command", type=click.Path(path_type=Path, allow_dash=True), required=False)
@click.option(
    "-r", "--recipe", type=click.Path(path_type=Path), help="Recipe folder to sign instead: writes its recipe.sig."
)
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
def sign(command: Path | None, recipe: Path | None, key: Path | None, new_key: Path | None, valid_s: float) -> None:
    """Sign the JSON file COMMAND ("-" is standard input) and print it on one line, ready to publish.

    `format`, `command_id`, `issued_utc` and `expires_utc` are filled in where they are missing; what is there stays.

    \b
    goodpart sign --new-key engineer.pem              # once; engineer.pem.pub is commands.public_key_file
    echo '{"command": "set_threshold", "threshold": 9, "min": 8, "max": 12, "recipe_id": "3f0c…",
           "station": {"site": "ulm", "area": "cells", "line": "line-1", "station": "el-camera"}}' |
      goodpart sign - --key engineer.pem |
      mosquitto_rr -V 5 -t goodpart/v1/ulm/cells/line-1/el-camera/command -e goodpart/answers/1 -s

    \b
    goodpart sign --recipe recipes/cell --key engineer.pem
                                                      # for stations with recipe_public_key_file: engineer.pem.pub;
                                                      # sign again what `calibrate threshold --out` has written
    """  # noqa: D301 - click wants the backspace character itself
    try:
        from edge.command.signing import make_key
    except ModuleNotFoundError:
        raise BadConfig("goodpart sign needs cryptography: install 'goodpart[commands]'.") from None
    if new_key and not (command or key or recipe):
        click.echo(
            f"{new_key}: keep it to yourself; {make_key(new_key)}: commands.public_key_file of the stations", err=True
        )
    elif command and key and not (new_key or recipe):
        click.echo(_signed(_read(command), key, valid_s))
    elif recipe and key and not (new_key or command):
        click.echo(_sign_recipe(recipe, key))
    else:
        raise BadCommand("give either COMMAND and --key, or --recipe and --key, or --new-key alone.")


def _read(command: Path) -> bytes:
    from edge.strict import MAX_YAML_BYTES, read_limited

    return sys.stdin.buffer.read() if str(command) == "-" else read_limited(command, MAX_YAML_BYTES, BadCommand)


def _sign_recipe(folder: Path, key: Path) -> str:
    from edge.command.signing import open_private_key
    from edge.host.files import put_in_place
    from edge.recipe.manifest import MANIFEST_FILE, read_verified, sha256
    from edge.recipe.signature import SIGNATURE_FILE
    from edge.strict import MAX_JSON_BYTES, read_limited

    signs = open_private_key(key)
    manifest, identity, _ = read_verified(folder)
    raw = read_limited(folder / MANIFEST_FILE, MAX_JSON_BYTES, BadRecipe)
    if sha256(raw) != identity:
        raise BadRecipe(f"{folder}: was changed while it was being read; sign it when nobody writes it.")
    try:
        put_in_place(folder / SIGNATURE_FILE, signs(raw))
    except OSError as err:
        raise BadCommand(
            f"{folder / SIGNATURE_FILE}: cannot be written: {err.strerror}; sign a copy of the recipe."
        ) from None
    return (
        f"{folder}: {manifest.name} {identity[:12]} is signed; stations check it with recipe_public_key_file: {key.name}.pub"
    )


def _signed(raw: bytes, key: Path, valid_s: float) -> str:
    from edge.command.draft import complete, signed
    from edge.command.signing import open_private_key
    from edge.host.clock import utc_now

    return signed(complete(raw, utc_now(), valid_s), open_private_key(key)).decode()

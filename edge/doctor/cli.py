"""`goodpart doctor`: what is wrong with a station, and the mend."""

import json
import sys
from pathlib import Path

import click

EXIT_WELL, EXIT_ILL = 0, 2


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--sandbox", is_flag=True, help="Look from inside goodpart@NAME.service, NAME being that of CONFIG; as root.")
def doctor(config: Path, as_json: bool, sandbox: bool) -> None:
    """Say what is wrong with the station of CONFIG and this device, and how to mend it: 0 nothing, 2 something.

    Tries what `goodpart check` tries before a shift, and then the device: compiled packages, user and camera, CPU and the
    encoder's speed beside its certificate, disks, clock, memory, heat, certificates that end soon, and the service.
    """
    from edge.doctor.native import try_native
    from edge.doctor.symptom import State

    if sandbox:
        from edge.doctor.sandbox import enter

        enter(config, ["--json"] if as_json else [])
    found = [try_native()]
    if found[0].state is State.WELL:
        # Not before: on the wrong CPU these imports may end the process.
        from edge.doctor.doctor import examine

        found += examine(config)
    if as_json:
        click.echo(json.dumps([{"what": s.what, "state": s.state, "detail": s.detail} for s in found]))
    else:
        words = {State.WELL: "ok", State.WORRY: "warn", State.ILL: "FAIL"}
        width = max(len(symptom.what) for symptom in found)
        for symptom in found:
            click.echo(f"{words[symptom.state]:<4}  {symptom.what:<{width}}  {symptom.detail}")
    sys.exit(EXIT_ILL if any(symptom.state is State.ILL for symptom in found) else EXIT_WELL)

"""Where a service keeps what it keeps, as the service and as a shell see it."""

from pathlib import Path

import pytest

from edge.host.state import state_folder


def test_a_shell_finds_the_state_folder_of_the_service_that_runs_the_station_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    stations, states = tmp_path / "etc", tmp_path / "lib"
    (states / "cell").mkdir(parents=True)
    stations.mkdir()
    (tmp_path / "link").symlink_to(stations)
    assert state_folder(stations / "cell.yaml", stations, states) == states / "cell"
    assert state_folder(tmp_path / "link" / "cell.yaml", stations, states) == states / "cell"
    assert state_folder(stations / "new.yaml", stations, states) is None, "its service has never run"
    assert state_folder(tmp_path / "cell.yaml", stations, states) is None, "no service runs this file"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/goodpart/other")
    assert state_folder(stations / "cell.yaml", stations, states) == Path("/var/lib/goodpart/other")

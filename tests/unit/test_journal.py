"""Lines of the journal, with their fields."""

import logging
import os
import socket
from pathlib import Path

import pytest

from edge.events import EventCode, Events
from edge.host.journal import JournalHandler, journal_listens, priority_of, to_datagram


def test_an_entry_is_written_as_the_protocol_says() -> None:
    # The second field as in the example of systemd.io/JOURNAL_NATIVE_PROTOCOL.
    assert to_datagram({"PRIORITY": "3", "MESSAGE": "foo\nbar"}) == b"PRIORITY=3\nMESSAGE\n\x07\0\0\0\0\0\0\0foo\nbar\n"


def test_an_event_is_found_by_its_code_and_station(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "journal"))
        handler = JournalHandler({"GOODPART_STATION": "ulm/cells/line-1/el-camera"}, str(tmp_path / "journal"))
        log = logging.getLogger("edge.events")
        log.addHandler(handler)
        try:
            Events().say(EventCode.CAMERA_LOST, "camera 0 is lost")
        finally:
            log.removeHandler(handler)
            handler.close()
        fields = dict(line.split("=", 1) for line in journal.recv(65536).decode().splitlines())
    assert fields["MESSAGE"] == "camera 0 is lost"
    assert (fields["PRIORITY"], fields["SYSLOG_IDENTIFIER"]) == ("3", "goodpart")
    assert (fields["GOODPART_EVENT"], fields["GOODPART_STATION"]) == ("CAMERA_LOST", "ulm/cells/line-1/el-camera")
    assert fields["CODE_FILE"].endswith("edge/events.py")


def test_what_the_journal_does_not_take_goes_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handler = JournalHandler({}, str(tmp_path / "gone"))
    handler.emit(logging.LogRecord("x", logging.WARNING, "x.py", 1, "two\nlines", (), None))
    handler.close()
    assert capsys.readouterr().err == "<4>two\n<4>lines\n"


def test_the_journal_listens_only_where_standard_error_is_its_stream(capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        found = os.fstat(2)
        assert not journal_listens({})
        assert not journal_listens({"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + 1}"})


@pytest.mark.parametrize(("level", "priority"), [(50, 2), (40, 3), (30, 4), (20, 6), (10, 7)])
def test_priorities_are_those_of_syslog(level: int, priority: int) -> None:
    assert priority_of(level) == priority

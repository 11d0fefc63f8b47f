"""What is said, where, and in which form."""

import json
import logging
import os
import pty
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from molcaption import log
from molcaption.errors import CannotWriteError

pytestmark = pytest.mark.usefixtures("clean_logging")
OURS = logging.getLogger("molcaption.somewhere")
THEIRS = logging.getLogger("somebody.else")


def talk() -> None:
    for logger, name in ((OURS, "our"), (THEIRS, "their")):
        logger.debug("%s detail", name)
        logger.info("%s news", name)
        logger.warning("%s worry", name)
        logger.error("%s failure", name)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["our news", "warning: our worry", "error: our failure", "error: their failure"]),
        ({"quiet": True}, ["warning: our worry", "error: our failure"]),
        ({"verbose": 1}, ["our detail", "our news", "warning: our worry", "error: our failure",
                          "warning: their worry", "error: their failure"]),
        ({"verbose": 2}, ["our detail", "our news", "warning: our worry", "error: our failure",
                          "their detail", "their news", "warning: their worry",
                          "error: their failure"]),
    ],
)  # fmt: skip
def test_levels(
    options: dict[str, int], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(**options)  # type: ignore[arg-type]
    talk()
    out, err = capsys.readouterr()
    assert err.splitlines() == expected
    assert not out


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(log_format="json")
    OURS.info("wrote %d rows", 3, extra={"fields": {"n": 3, "path": Path("x")}})
    line = json.loads(capsys.readouterr().err)
    assert line.pop("ts").endswith("+00:00")
    assert line == {"level": "info", "event": "wrote 3 rows", "logger": "molcaption.somewhere",
                    "n": 3, "path": "x"}  # fmt: skip


def test_log_file_has_more_than_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.log"
    file.write_text("an earlier run\n")
    log.configure(quiet=True, log_file=file)
    talk()
    try:
        raise ValueError("deep")
    except ValueError:
        OURS.exception("failed")
    text = file.read_text()
    assert text.startswith("an earlier run\n")
    for part in ("our detail", "warning: their worry", "Traceback", "ValueError: deep"):
        assert part in text
    assert "their news" not in text
    assert "Traceback" not in capsys.readouterr().err


def test_log_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(CannotWriteError, match="cannot write the log: Is a directory"):
        log.configure(log_file=tmp_path)


def test_configuring_twice_says_things_once(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    log.configure()
    OURS.info("once")
    assert capsys.readouterr().err == "once\n"


def test_warnings_of_packages_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log.configure()
        warnings.warn("about code", stacklevel=1)
        assert not capsys.readouterr().err
        log.configure(verbose=1)
        warnings.warn("about code", stacklevel=1)
        assert "about code" in capsys.readouterr().err


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(log.time, "monotonic", clock)
    return clock


def test_progress_is_a_line_a_minute(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    with log.progress(1000, "captioning", done=100) as shown:
        for _ in range(30):
            clock.now += 10
            shown.advance(20)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5  # 300 seconds
    assert lines[0] == "captioning 220/1000 (22%), 2/s, 0:06:30 left"


def test_progress_of_a_stream_knows_no_end(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(log_format="json")
    with log.progress(None, "reading") as shown:
        clock.now += 60
        shown.advance(30)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["n"], line["total"], line["rate"]) == (
        "reading 30, 0.5/s",
        30,
        None,
        0.5,
    )


def test_progress_is_silent_when_quiet(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(quiet=True)
    with log.progress(10, "captioning") as shown:
        clock.now += 600
        shown.advance(5)
    assert not capsys.readouterr().err


def on_a_terminal(*options: str, **environment: str) -> str:
    """What a small job writes to a stderr that is a terminal."""
    script = f"""
import logging
from molcaption import log
log.configure({", ".join(options)})
with log.progress(3, "captioning") as shown:
    shown.advance(2)
    logging.getLogger("molcaption").info("half [bold]way")
    shown.advance()
logging.getLogger("molcaption").info("done")
"""
    main, other = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    try:
        subprocess.run(
            [sys.executable, "-c", script], cwd=Path(__file__).parents[1], stderr=other,
            env={**variables, "TERM": "xterm", **environment}, check=True, timeout=60,
        )  # fmt: skip
        return os.read(main, 1 << 16).decode()
    finally:
        os.close(main)
        os.close(other)


def test_bar_on_a_terminal() -> None:
    said = on_a_terminal()
    assert "\x1b" in said
    assert "captioning" in said
    assert "half [bold]way" in said
    assert said.rstrip().endswith("done")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_bar_without_colours(environment: dict[str, str]) -> None:
    assert on_a_terminal(**environment).split("\r\n") == ["half [bold]way", "done", ""]


def test_no_bar_in_json() -> None:
    lines = on_a_terminal("log_format='json'").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["half [bold]way", "done"]

"""How a run ends: every way a command can fail becomes one line on stderr and an exit code.

Typer carries its own copy of click, whose errors are not the installed click's; so the app runs
with `standalone_mode=False` and `run` turns whatever comes out into one line and an exit code.
"""

import errno
import logging
import re
import signal
import sys
from types import FrameType

import typer

from molcaption import log
from molcaption.errors import CannotWriteError, MissingError, MolcaptionError

_log = logging.getLogger(__name__)
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def run(app: typer.Typer, arguments: list[str] | None = None) -> int:
    """Run `app` on `arguments` (those of the process by default); the exit code.

    Every error ends as one line on stderr; `--debug` shows the traceback as well.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    log.configure(quiet=True, debug=debug)  # until the command's own options are read
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        result = app(arguments, prog_name="molcaption", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        if code == 128 + signal.SIGINT:  # Typer has caught the KeyboardInterrupt
            _log.error("interrupted")
        return code
    except Exception as error:  # noqa: BLE001  the last one to catch anything
        return _report(error, debug)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    finally:
        signal.signal(signal.SIGTERM, previous)


def _terminate(number: int, frame: FrameType | None) -> None:
    """SIGTERM as an exception, so that open outputs are cleaned up on the way out."""
    _log.error("terminated")
    raise SystemExit(128 + number)


def _report(error: Exception, debug: bool) -> int:
    """Say what went wrong in one line; the exit code."""
    if isinstance(error, typer.TyperException):
        _log.error("%s", _usage(error))
        return int(error.exit_code)
    known = _known(error)
    if known is not None:
        _log.error("%s", known, exc_info=error if debug else None)
        return known.exit_code
    advice = "" if debug else "; this is a bug: --debug shows the traceback to report with it"
    text = " ".join(str(error).split())
    _log.error("%s: %s%s", type(error).__name__, text, advice, exc_info=error)
    return 1


def _known(error: Exception) -> MolcaptionError | None:
    """The error as one that a user can act on, if it is one."""
    if isinstance(error, MolcaptionError):
        return error
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        if package != "molcaption":
            return MissingError(f"{package} is not installed; this needs "
                                "pip install 'molcaption[train]'")  # fmt: skip
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return CannotWriteError(f"{error.filename or 'output'}: {error.strerror}")
    return None


def _usage(error: Exception) -> str:
    """Typer's message in one line, and where to read on."""
    message = " ".join(error.format_message().split())  # type: ignore[attr-defined]
    message = re.sub(r" ?\(Possible options: (.*)\)$", r". Did you mean \1?", message)
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "molcaption"
    stop = "" if message.endswith((".", "?", ")")) else "."
    return f"{message}{stop} See `{path} --help`."

"""Captions already made, on disk: what an interrupted run goes on from, and what runs may share.

A caption is a function of the canonical SMILES, the model and the options, so captions are kept
under a context (a hash of model and options) and the SMILES; a changed model or option finds
nothing. SQLite, because it survives ``kill -9`` at any moment, takes two processes at once, answers
by key without reading the file, and comes with Python.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from molcaption.engine.runtimes import Generation
from molcaption.errors import BadDataError, CannotWriteError

_log = logging.getLogger(__name__)
APPLICATION_ID = 0x6D6C6361
"""Stands in the header of a store (SQLite's ``application_id``, "mlca"), so that nobody else's
database is ever taken for one."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS captions (
    context TEXT NOT NULL, smiles TEXT NOT NULL,
    text TEXT NOT NULL, confidence REAL, ended INTEGER NOT NULL,
    PRIMARY KEY (context, smiles)
) WITHOUT ROWID
"""
_COMMIT_EVERY = 64
_WAIT_S = 60.0
"""How long one process waits for another's transaction; each takes milliseconds."""
_VARIABLES = 500
"""SQLite allows 999 variables in one statement, in old builds."""


class CaptionStore:
    """Captions by SMILES within one context.

    Args:
        database: an open connection.
        context: of model and options; captions of other contexts are not seen.
    """

    def __init__(self, database: sqlite3.Connection, context: str) -> None:
        self._database = database
        self._context = context
        self._added: list[tuple[str, Generation]] = []

    def known(self, smiles: Sequence[str]) -> dict[str, Generation]:
        """Those of ``smiles`` that have a caption, with it."""
        self.commit()
        found = {}
        for start in range(0, len(smiles), _VARIABLES):
            part = smiles[start : start + _VARIABLES]
            rows = self._database.execute(
                "SELECT smiles, text, confidence, ended FROM captions WHERE context = ? "
                f"AND smiles IN ({','.join('?' * len(part))})",
                (self._context, *part),
            )
            for key, text, confidence, ended in rows:
                found[key] = Generation(text, confidence, bool(ended))
        return found

    def add(self, smiles: str, caption: Generation) -> None:
        """Keep one caption; on disk after at most 63 more, or `commit`."""
        self._added.append((smiles, caption))
        if len(self._added) >= _COMMIT_EVERY:
            self.commit()

    def commit(self) -> None:
        """Put on disk what was added."""
        rows = [(self._context, s, c.text, c.confidence, int(c.ended)) for s, c in self._added]
        with self._database:
            self._database.executemany(
                "INSERT OR IGNORE INTO captions VALUES (?, ?, ?, ?, ?)", rows
            )
        self._added = []


@contextmanager
def open_store(
    path: Path | None, context: str, *, temporary: bool = False
) -> Iterator[CaptionStore]:
    """The store at ``path``, made if it is not there; None is one that nobody will find again.

    What was added is kept if the block is left by an exception, of whatever kind.

    Args:
        temporary: the file goes when the block succeeds, or is left without a caption in it.

    Raises:
        CannotWriteError: the folder is missing or read-only, the disk is full, or a file that is no
            store is in the way.
        BadDataError: the file is damaged.
    """
    done = False
    with _explained(path):
        database = sqlite3.connect("" if path is None else path, timeout=_WAIT_S)
        with contextlib.closing(database):
            _claim(database, path)
            store = CaptionStore(database, context)
            try:
                yield store
                done = True
            finally:
                store.commit()
                n_kept = database.execute("SELECT count(*) FROM captions").fetchone()[0]
                if path is not None and temporary:
                    if done or not n_kept:
                        path.unlink()
                    else:
                        _log.info("%s: keeps %d captions for the next run", path, n_kept)


def remove_store(path: Path) -> None:
    """Delete the store at ``path``; anything else that lies there stays."""
    with contextlib.suppress(OSError, sqlite3.DatabaseError):
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as database:
            ours = _application_id(database) == APPLICATION_ID
        if ours:
            path.unlink()


def _claim(database: sqlite3.Connection, path: Path | None) -> None:
    """Make a new database a store; two processes may do so at once.

    Raises:
        CannotWriteError: it is somebody else's.
    """
    database.execute("BEGIN IMMEDIATE")
    n_tables = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if n_tables and _application_id(database) != APPLICATION_ID:
        raise _foreign(path)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(_SCHEMA)
    database.commit()


def _application_id(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA application_id").fetchone()[0])


def _foreign(path: Path | None) -> CannotWriteError:
    return CannotWriteError(
        f"{path}: is in the way, expected nothing there or a store of captions; move it, or give "
        "another output"
    )


@contextmanager
def _explained(path: Path | None) -> Iterator[None]:
    """SQLite's errors in one line each."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise CannotWriteError(f"{path or 'temporary file'}: cannot write: {error}") from error
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise _foreign(path) from error
        raise BadDataError(f"{path}: damaged ({error}); delete it to start afresh") from error

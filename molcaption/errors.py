"""Errors that a user can act on, each with the exit code that a shell script sees.

The codes are those of BSD ``sysexits.h``, so that cron jobs and workflow managers can tell
"bad data" from "try again later". An error is one line: what, where, got, expected, what to do.
"""


class MolcaptionError(Exception):
    """Base of every error that is the world's fault and not a bug; never raised itself."""

    exit_code = 1


class UsageError(MolcaptionError):
    """The command line contradicts itself."""

    exit_code = 2


class BadDataError(MolcaptionError):
    """The input exists but cannot be read as what it claims to be."""

    exit_code = 65


class NoInputError(MolcaptionError):
    """An input file is missing, unreadable or empty."""

    exit_code = 66


class MissingError(MolcaptionError):
    """A package, device or model that the command needs is not there."""

    exit_code = 69


class CannotWriteError(MolcaptionError):
    """The output cannot be written, or writing would destroy something."""

    exit_code = 73


class LockedError(MolcaptionError):
    """Another run holds the output; try again later."""

    exit_code = 75


class BadRecipeError(MolcaptionError):
    """A recipe is malformed or names something that does not exist."""

    exit_code = 78

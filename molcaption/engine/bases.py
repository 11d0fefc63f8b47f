"""Which weights a bridge and an adapter were trained on: they are worth nothing on others.

A path does not tell, since what it names may be replaced or moved. The digest of the weight files
does.
"""

from pathlib import Path

from molcaption.engine.hashes import contents_sha256
from molcaption.engine.model_dir import BackboneSource
from molcaption.errors import BadDataError
from molcaption.nn.pretrained import weight_files


def identified(path: str, quantization: str) -> BackboneSource:
    """The backbone at ``path`` with the digest of its weights; without, where there are none yet.

    A hub model that was never loaded here is such a one.
    """
    files = weight_files(path)
    return BackboneSource(path, quantization, contents_sha256(files) if files else "")


def check_same_base(made_on: BackboneSource, now: BackboneSource, directory: Path) -> None:
    """Refuse what lies in ``directory`` if it was made on other weights than those of ``now``.

    Raises:
        BadDataError: the digests differ.
    """
    if made_on.sha256 and now.sha256 and made_on.sha256 != now.sha256:
        raise BadDataError(
            f"{directory}: made for the backbone {made_on.path} (weights {made_on.sha256[:8]}), "
            f"but {now.path} holds others ({now.sha256[:8]}); bring the former back, or run "
            "`molcaption align` again with --fresh"
        )

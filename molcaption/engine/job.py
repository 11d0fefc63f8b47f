"""What a captioning command asks for, and what is loaded for it when it is first needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from molcaption.claims import Lexicon, load_lexicon, settle
from molcaption.data.rerun import run_key
from molcaption.engine.captioning import LoadedCaptioner, load_captioner
from molcaption.engine.outputs import metadata_of
from molcaption.engine.runtimes import Beams, model_hash


@dataclass(frozen=True)
class Job:
    """The options of a command, as for `molcaption.caption.caption`.

    ``dataclasses.replace(job)`` has the options alone, without what was loaded: that can be sent to
    another machine.

    Attributes:
        reading: options for `read_records`.
        window: records that go through the stations together.
    """

    model: Path
    memory: str | Path | None
    memory_styles: Sequence[str] | None
    columns: str | None
    reading: Mapping[str, Any]
    draws: int | None
    beams: Beams
    mend: bool
    batch_size: int
    window: int
    max_new_tokens: int | None
    threads: int | None
    workers: int | None
    molecule_timeout: float | None

    @cached_property
    def lexicon(self) -> Lexicon:
        """The concepts that claims are made of."""
        return settle(load_lexicon())

    @cached_property
    def captioner(self) -> LoadedCaptioner:
        """The model, and the memory beside it."""
        return load_captioner(
            self.model, self.lexicon, memory=self.memory, memory_styles=self.memory_styles,
            draws=self.draws, beams=self.beams, mend=self.mend, batch_size=self.batch_size,
            max_new_tokens=self.max_new_tokens, threads=self.threads,
        )  # fmt: skip

    @cached_property
    def decisive(self) -> dict[str, Any]:
        """Options that decide a caption."""
        return {
            "model": model_hash(self.model),
            "lexicon": self.lexicon.hash,
            "draws": self.draws,
            "beams": self.beams.width,
            "length_penalty": self.beams.length_penalty,
            "mend": self.mend,
            "max_new_tokens": self.max_new_tokens,
            "memory_styles": self.memory_styles,
        }

    @cached_property
    def context(self) -> str:
        """Hash of all that decides a caption, the memory included."""
        return str(run_key([] if self.memory is None else [self.memory], self.decisive))

    def key(self, files: Sequence[str | Path], **more: Any) -> str | None:
        """Hash of all that decides an output; see `run_key`.

        Args:
            files: inputs, and the memory.
            more: what else decides it.
        """
        options = {**self.decisive, **self.reading, "columns": self.columns, **more}
        return run_key(files, options)

    def metadata(self, inputs: Sequence[str | Path], key: str | None) -> dict[str, str]:
        """What a Parquet file of the output says about its making."""
        return metadata_of(self.captioner, self.lexicon, inputs, self.memory, key)

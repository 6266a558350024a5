"""An empty folder to run a page's examples in."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["working_folder"]


@contextlib.contextmanager
def working_folder(files: Iterable[tuple[str, str]] = ()) -> Iterator[None]:
    """Work in a new folder that holds these files, given as (content, name)."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as way_back:
        way_back.callback(os.chdir, before)
        os.chdir(folder)
        for content, name in files:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(content, encoding="utf-8")
        yield

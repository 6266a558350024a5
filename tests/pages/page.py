"""A page's files, scripts and commands, run again in order in one empty folder.

- A block that begins with `# NAME.yaml` or `# NAME.py` is a file.
- Other `python` blocks run; a `text` block right after one is what it prints.
- `$ …` in a `console` block is a command, with its output below.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

from tests.audit.stamps import steady
from tests.pages.typist import InProcess, Typist

__all__ = ["rendered", "run_here"]

_BLOCK = re.compile(
    r"^```(?P<kind>yaml|python|console)\n(?P<body>.*?)^```\n(?:(?P<mark>\n```text\n)(?P<shown>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
_FILE = re.compile(r"# ([\w./-]+\.(?:yaml|py))\n")
_SECONDS = re.compile(r"\bin \d+\.\d s$", re.MULTILINE)
_COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)$", re.MULTILINE)


def rendered(text: str) -> str:
    """The page as it would be if everything were typed now, in this process."""
    before, kept = Path.cwd(), os.environ.get("NEBULA_CACHE")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as way_back:
        way_back.callback(os.chdir, before)
        os.chdir(folder)
        os.environ["NEBULA_CACHE"] = ":memory:"
        try:
            return run_here(text, InProcess())
        finally:
            os.environ.pop("NEBULA_CACHE")
            if kept is not None:
                os.environ["NEBULA_CACHE"] = kept


def run_here(text: str, typist: Typist) -> str:
    """The page as it would be if this typist typed everything into the present folder."""
    known = dict[str, str]()

    def again(block: re.Match[str]) -> str:
        kind, body = block["kind"], block["body"]
        if kind == "console":
            commands = _COMMAND.findall(body)
            body = "".join(f"$ {command}\n{_output(typist.command(command), known)}" for command in commands)
            return f"```console\n{body}```\n"
        if (name := _FILE.match(body)) is not None:
            Path(name[1]).parent.mkdir(parents=True, exist_ok=True)
            Path(name[1]).write_text(body, encoding="utf-8")
            return block[0]
        if kind != "python":
            return block[0]
        printed = _output(typist.script(body), known)
        if block["mark"] is None:
            return block[0]
        return f"```python\n{body}```\n{block['mark']}{printed}```\n"

    return _BLOCK.sub(again, text)


def _output(text: str, known: dict[str, str]) -> str:
    lines = [line.rstrip() + "\n" for line in text.splitlines()]
    return _SECONDS.sub("in 0.1 s", steady("".join(lines), known))

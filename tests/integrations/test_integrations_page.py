"""docs/integrations.md shows what happens; `python -m tests.integrations.test_integrations_page` writes it anew."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "integrations.md"
_BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```$(?P<between>\n\n```text\n)?(?(between)(?P<shown>.*?)(?=^```$))",
    re.MULTILINE | re.DOTALL,
)


def rendered(text: str) -> str:
    """The page with its pieces of code run again in order."""
    names: dict[str, Any] = {"__name__": "page"}

    def again(block: re.Match[str]) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(block["code"], names)  # noqa: S102 - the page's own code
        shown = f"\n\n```text\n{said.getvalue()}" if block["between"] else ""
        return f"```python\n{block['code']}```{shown}"

    return _BLOCK.sub(again, text)


@pytest.mark.filterwarnings("ignore")
def test_every_example_gives_the_output_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.integrations.test_integrations_page`"
    assert text.count("```text\n") >= 5


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

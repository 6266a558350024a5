"""docs/losses-speed.md names the rows beyond the aim; `python -m tests.losses.test_speed_page` writes them anew."""

from __future__ import annotations

import re

from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "losses-speed.md"
TABLE = ROOT / "benchmarks" / "results" / "losses.md"
_REACHED = re.compile(r"(?<=<!-- reached -->\n).*?(?=<!-- end -->)", re.DOTALL)


def rendered(text: str) -> str:
    """The page with the first lines of the stored table."""
    reached = "\n".join(TABLE.read_text(encoding="utf-8").splitlines()[:2])
    return _REACHED.sub(lambda _: f"{reached}\n", text)


def test_the_page_says_what_the_table_says() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert _REACHED.search(text)
    assert rendered(text) == text, "run `python -m tests.losses.test_speed_page`"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

"""The page of a decision stands alone, says what the trace says, and escapes what it is given."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nebula
from nebula.audit.html.page import decision_page
from nebula.audit.masking import mask
from nebula.audit.reading import Entry
from nebula.decision.trace import DecisionTrace, Note
from nebula.errors import NebulaError
from nebula.page.document import write_page
from nebula.profiling.model import DataProfile
from tests.audit.samples import decide
from tests.proof.random_profiles import profiles

ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "section", "h1", "h2", "p", "code", "strong", "span", "dl", "dt",
    "dd", "ul", "li", "div", "table", "thead", "tbody", "tr", "th", "td", "br", "figure", "figcaption", "svg", "rect",
    "line", "circle", "text",
}  # fmt: skip


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that tags close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.said: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return "".join(self.said)


def page_of(trace: DecisionTrace, **masked: str) -> str:
    return decision_page(Entry(7, "log.jsonl:7", trace, masked))


@pytest.fixture(scope="module")
def trace() -> DecisionTrace:
    return nebula.select(np.random.default_rng(0).poisson(3.0, 200), name="visits").trace


def test_it_says_what_the_trace_says(trace: DecisionTrace) -> None:
    read = Reader(page_of(trace))
    assert trace.spec is not None
    for said in (trace.spec.loss, trace.because, trace.id, trace.policy.digest, "record7"):
        assert said in read.text
    for rule in trace.rules:
        assert rule.id in read.text
        assert rule.condition in read.text
    for edge in trace.boundaries:
        assert edge.fact in read.text
    counts = [len(rule.comparisons) for rule in trace.rules]
    decided = sum(len(rule.comparisons) for rule in trace.rules if rule.id == trace.rule_id)
    assert sum(pair == ("class", "comparison") for pair in read.attributes) == sum(counts) + decided
    assert read.tags.count("figure") == 3


def test_it_loads_and_runs_nothing(trace: DecisionTrace) -> None:
    page = page_of(trace)
    read = Reader(page)
    assert set(read.tags) <= ALLOWED
    names = {name for name, _ in read.attributes}
    assert not names & {"src", "href", "style", "action", "srcset"}
    assert not [name for name in names if name.startswith("on")]
    assert not re.search(r"url\(|@import|https?://", page)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in read.attributes


HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</style><img src=x onerror=alert(1)>",
        '" onload="x',
        "&lt;b&gt;",
        "]]>",
        "<!--",
        "`",
    ]
)


@settings(max_examples=30)
@given(name=HOSTILE, because=HOSTILE, note=HOSTILE)
def test_whatever_it_is_given_stays_text(name: str, because: str, note: str) -> None:
    changed: dict[str, Any] = {"because": because, "notes": (Note(kind="warning", text=note),)}
    trace = decide(name=name).trace.model_copy(update=changed)
    page = page_of(trace, **{name: note})
    read = Reader(page)
    assert set(read.tags) <= ALLOWED
    assert {key for key, _ in read.attributes} == {key for key, _ in Reader(page_of(decide().trace)).attributes}
    shown = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "\ufffd", because)
    assert "".join(shown.split()) in "".join(read.text.split())


@settings(max_examples=25)
@given(profile=profiles())
def test_every_decision_has_a_page(profile: DataProfile) -> None:
    try:
        trace = nebula.load_policy("default.yaml").decide(profile).trace
    except NebulaError:
        return
    page = page_of(trace)
    assert set(Reader(page).tags) <= ALLOWED
    assert not re.search(r'="-?(nan|inf)', page)


def test_a_page_is_written_whole(trace: DecisionTrace, tmp_path: Path) -> None:
    entry = Entry(None, "old.jsonl:1", trace, {})
    write_page(decision_page(entry), tmp_path / "page.html")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == decision_page(entry)


@pytest.mark.parametrize(("values", "shown"), [([3, 7, 11], []), ([4, 5, 6], ["4", "5", "6"])], ids=str)
def test_bars_name_no_value_that_is_masked_and_none_that_is_not_there(values: list[int], shown: list[str]) -> None:
    whole = nebula.select(np.array(values * 20), name="y").trace
    assert _bar_names(page_of(whole)) == [str(value) for value in values]
    masked, digests = mask(whole, ["target.unique_values"])
    assert _bar_names(page_of(masked, **digests)) == shown


def _bar_names(page: str) -> list[str]:
    figure = page.partition("<figure")[2].partition("</figure>")[0]
    return [name for name in re.findall(r"<text[^>]*>([^<]*)</text>", figure) if name not in ("", "20")]

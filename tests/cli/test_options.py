"""How the text of options is read."""

from __future__ import annotations

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from nebula.cli.options import columns, key_values, sizes

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,10}", fullmatch=True)


@given(st.lists(st.none() | st.integers(0, 10**9), min_size=1, max_size=6), st.sampled_from(["N", "?", "batch"]))
def test_sizes_read_back_what_was_written(shape: list[int | None], unknown: str) -> None:
    text = ", ".join(unknown if size is None else str(size) for size in shape)
    assert sizes(text) == tuple(shape)
    assert sizes(f"({text},)") == tuple(shape)


@pytest.mark.parametrize("text", ["", ",", "N,,3", "N;3", "-1", "1.5", "N,1e3", "N 3", "²"])
def test_sizes_refuse_what_is_no_shape(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected sizes"):
        sizes(text)


@given(st.dictionaries(NAMES, st.booleans() | st.integers() | st.floats(allow_nan=False) | NAMES, max_size=5))
def test_key_values_keep_name_value_and_type(values: dict[str, bool | int | float | str]) -> None:
    words = {name: value for name, value in values.items() if value not in ("true", "false", "inf", "nan", "infinity")}
    pairs = [f"{name} = {str(v).lower() if isinstance(v, bool) else v}" for name, v in words.items()]
    found = key_values(pairs, "--set")
    assert found == words
    assert [type(v) for v in found.values()] == [type(v) for v in words.values()]


def test_a_value_may_hold_an_equals_sign() -> None:
    assert key_values(["a=b=c"], "--set") == {"a": "b=c"}


@pytest.mark.parametrize("pair", ["", "=", "a", "a=", "=1", " = "])
def test_key_values_refuse_half_a_pair(pair: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected NAME=VALUE"):
        key_values([pair], "--hint")


@pytest.mark.parametrize(("text", "names"), [("y", ["y"]), ("a, b", ["a", "b"]), ("a,", ["a"]), (None, None)])
def test_columns(text: str | None, names: list[str] | None) -> None:
    assert columns(text) == names

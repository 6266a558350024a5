"""What is said of a policy that is not where its name points."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula.errors import PolicyError
from nebula.policy.files import find_policy


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("https://example.com/default.yaml", "found a URL: nothing is fetched"),
        ("-", "/dev/stdin"),
        ("sub\\team.yaml", "Write `/` between folders."),
        ("defualt.yaml", "Did you mean `default.yaml`?"),
        ("strict", "Did you mean `strict.yaml`?"),
        ("sub/team.yaml", "found no such file in `sub`. Shipped: default.yaml"),
        ("elsewhere.yaml", "found no such file. Shipped: default.yaml"),
    ],
)
def test_the_message_says_what_to_do(name: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        find_policy(name)
    assert said in caught.value.problems[0].message


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    link = tmp_path / "a.yaml"
    link.symlink_to(link)
    with pytest.raises(PolicyError, match="a link that leads to no file"):
        find_policy(link)

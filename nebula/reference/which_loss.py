"""The page that answers which loss is for which data: the default policy, by the kind of target."""

from __future__ import annotations

from collections.abc import Iterator

from nebula.policy.model import DeriveRule
from nebula.reference.choices import TASKS, Choice, choices, default_policy
from nebula.reference.markdown import NOTICE, page, table

__all__ = ["render_which_loss"]

_COLUMNS = ("if", "loss", "link, start, serves", "because", "rule")
_SEVERAL = 3
_KINDS = {
    "binary": "Yes or no",
    "multiclass": "One class of several",
    "multilabel": "Several labels at once",
    "distribution": "A distribution over parts",
    "ordinal": "Ordered levels",
    "count": "Counts",
    "proportion": "Shares",
    "positive": "Amounts above zero",
    "zero_inflated_positive": "Amounts with many zeros",
    "regression": "Other numbers",
    "survival": "Times until an event",
}


def render_which_loss() -> str:
    """Return the page."""
    return page(_lines())


def _lines() -> Iterator[str]:
    file = default_policy().file
    yield from ("# Which loss for which data", "", NOTICE, "")
    yield f"What `{file.name}.yaml` {file.version} chooses. First it settles the kind of target (*task*) from shapes,"
    yield "values and names; a declared `hints.task` stands above all of them. Then the first rule of that kind whose"
    yield "condition holds names the loss. *Start* is the bias of the last layer; *serves* is what `predict` returns."
    yield "`nebula explain` shows on your data which rule it was, and why."
    yield ""
    yield from table(("target", "task", "without further conditions"), map(_overview, TASKS))
    yield ""
    yield from _shared()
    for task in TASKS:
        yield from _section(task)
    yield from _names()


def _overview(task: str) -> tuple[str, str, str]:
    return f"[{_KINDS[task]}](#{_anchor(_KINDS[task])})", f"`{task}`", _losses(_of(task)[-1])


def _shared() -> Iterator[str]:
    yield from ("## First, for several kinds", "")
    yield "These stand before the rules of each kind that they name."
    yield ""
    rules = [choice for choice in choices() if _is_shared(choice)]
    yield from table(
        (*_COLUMNS, "kinds"), ((*_row(choice), ", ".join(f"`{task}`" for task in choice.tasks)) for choice in rules)
    )
    yield ""


def _section(task: str) -> Iterator[str]:
    yield from (f"## {_KINDS[task]}", "")
    signs = [rule for rule in default_policy().file.derive if rule.set.get("task") == task]
    yield f"The task is `{task}` when it is declared, or when one of these signs comes first of all:"
    yield ""
    yield from (f"- {_sign(rule)}" for rule in signs)
    yield ""
    yield from table(_COLUMNS, (_row(choice, task) for choice in _of(task)))
    yield ""


def _sign(rule: DeriveRule) -> str:
    return f"`{default_policy().text(rule.id)}`" + (f": {rule.because}" if rule.because else "")


def _row(choice: Choice, task: str = "") -> tuple[str, ...]:
    settled = f'task == "{task}"'
    when = choice.when
    if not choice.any_of and when.startswith(settled):
        when = when.removeprefix(settled).removeprefix(" and ")
    because = f"{choice.because} Asks: {choice.asks}" if choice.asks else choice.because
    follows = ", ".join(filter(None, (choice.link, choice.output_bias, choice.serves)))
    return f"`{when}`" if when else "otherwise", _losses(choice), follows, because, f"`{choice.rule}`"


def _losses(choice: Choice) -> str:
    return ", ".join(f"[{loss}](losses/{loss}.md)" for loss in choice.losses) or "asks"


def _names() -> Iterator[str]:
    file = default_policy().file
    yield from ("## Names in these conditions", "")
    yield "Thresholds, which a policy of yours or `--set` may change:"
    yield ""
    yield from table(("parameter", "value"), ((f"`{n}`", f"{v}") for n, v in default_policy().parameters.items()))
    yield from ("", "Definitions:", "")
    meanings = ((f"`{name}`", f"`{' '.join(str(text).split())}`") for name, text in file.definitions.items())
    yield from table(("name", "means"), meanings)
    yield from (
        "",
        "[Facts](reference/facts.md) explains the dotted names, [the policy language](policy-language.md) the rest.",
    )


def _is_shared(choice: Choice) -> bool:
    return len(choice.tasks) >= _SEVERAL


def _of(task: str) -> tuple[Choice, ...]:
    return tuple(choice for choice in choices() if task in choice.tasks and not _is_shared(choice))


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")

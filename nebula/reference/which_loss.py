"""The page that answers which loss is for which data: the default policy, by the kind of target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nebula.reference.choices import TASKS, Choice, choices, default_policy
from nebula.reference.markdown import NOTICE, page, table

__all__ = ["render_which_loss"]

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
    yield from table(("target", "task", "under conditions", "otherwise"), map(_overview, TASKS))
    yield ""
    yield from ("## First, for several kinds", "")
    yield "These stand before the rules of each kind that they name."
    yield ""
    shared = [choice for choice in choices() if _is_shared(choice)]
    yield from (f"{_rule(choice, choice.when)} For {_kinds(choice)}." for choice in shared)
    yield ""
    for task in TASKS:
        yield from _section(task)
    yield from _names()


def _overview(task: str) -> tuple[str, str, str, str]:
    own = _of(task)
    others = dict.fromkeys(loss for choice in own for loss in choice.losses if loss not in own[-1].losses)
    link = f"[{_KINDS[task]}](#{_KINDS[task].lower().replace(' ', '-')})"
    return link, f"`{task}`", _links(others), _links(own[-1].losses)


def _section(task: str) -> Iterator[str]:
    policy = default_policy()
    yield from (f"## {_KINDS[task]}", "")
    yield f"The task is `{task}` when it is declared, or when one of these signs comes first of all:"
    yield ""
    for rule in policy.file.derive:
        if rule.set.get("task") == task:
            yield f"- `{policy.text(rule.id)}`" + (f": {rule.because}" if rule.because else "")
    yield from ("", "The loss is", "")
    yield from (_rule(choice, _left_open(choice, task)) for choice in _of(task))
    yield ""


def _left_open(choice: Choice, task: str) -> str:
    """The condition without the kind of target, where that is settled."""
    settled = f'task == "{task}"'
    if choice.any_of or not choice.when.startswith(settled):
        return choice.when
    return choice.when.removeprefix(settled).removeprefix(" and ")


def _rule(choice: Choice, when: str) -> str:
    condition = f"if `{when}`" if when else "otherwise"
    ways = ("link", choice.link), ("start", choice.output_bias), ("serves", choice.serves)
    follows = ", ".join(f"{name} {way}" for name, way in ways if way)
    named = _links(choice.losses) + (f" ({follows})" if follows else "") if choice.losses else "*a question*"
    asks = f" Asks: {choice.asks}" if choice.asks else ""
    return f"1. {named} {condition}. {choice.because}{asks} Rule `{choice.rule}`."


def _kinds(choice: Choice) -> str:
    missing = [f"`{task}`" for task in TASKS if task not in choice.tasks]
    if len(missing) < _SEVERAL:
        return f"all but {', '.join(missing)}" if missing else "all"
    return ", ".join(f"`{task}`" for task in choice.tasks)


def _links(losses: Iterable[str]) -> str:
    return ", ".join(f"[{loss}](losses/{loss}.md)" for loss in losses)


def _names() -> Iterator[str]:
    policy = default_policy()
    yield from ("## Names in these conditions", "")
    yield "Thresholds, which a policy of yours or `--set` may change:"
    yield ""
    yield from table(("parameter", "value"), ((f"`{name}`", f"{value}") for name, value in policy.parameters.items()))
    yield from ("", "Definitions:", "")
    yield from (f"- `{name}`: `{' '.join(str(text).split())}`" for name, text in policy.file.definitions.items())
    yield from ("", "[Facts](reference/facts.md) explains the dotted names, [the policy language](policy-language.md)")
    yield "the rest."


def _is_shared(choice: Choice) -> bool:
    return len(choice.tasks) >= _SEVERAL


def _of(task: str) -> tuple[Choice, ...]:
    return tuple(choice for choice in choices() if task in choice.tasks and not _is_shared(choice))

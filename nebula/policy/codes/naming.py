"""NEB-P040 to NEB-P047: parameters, definitions and derived facts."""

from __future__ import annotations

from nebula.policy.codes.page import CodePage, rule

__all__ = ["PAGES"]

_FEW = "parameters: {few: 20}\n" + rule("target.n_unique <= few")


def _derive(*rules: str) -> str:
    return "derive:\n" + "".join(f"  - {{{text}}}\n" for text in rules)


PAGES = (
    CodePage(
        "NEB-P040",
        "a reserved name",
        "The language uses this word itself, so a condition could not name it.",
        "Rename it.",
        "definitions: {known: target.n > 1}\n",
        "definitions: {seen: target.n > 1}\n" + rule("seen"),
    ),
    CodePage(
        "NEB-P041",
        "one name for two things",
        "Parameters, definitions and derived facts share one namespace, so that a bare name means one thing.",
        "Rename one of them.",
        "parameters: {few: 20}\ndefinitions: {few: target.n_unique <= 20}\n",
        _FEW,
    ),
    CodePage(
        "NEB-P042",
        "no such parameter",
        "A value was given from outside (`--set`, `parameters=`) for a parameter that the policy does not have.",
        "Mend the name; `nebula policy show FILE` lists the parameters.",
        _FEW,
        _FEW,
        settings={"fwe": 30},
    ),
    CodePage(
        "NEB-P043",
        "a parameter's value does not fit",
        "The value is of another type than the parameter, or outside the range that the policy declares for it.",
        "Give a value of that type within the range.",
        _FEW,
        _FEW,
        settings={"few": "many"},
    ),
    CodePage(
        "NEB-P044",
        "a derived fact of two types",
        "Rules set the same derived fact to values of different types, or to a list, so that no comparison fits all.",
        "Set it to values of one type.",
        _derive("id: a, when: target.n > 9, set: {size: 1}", "id: b, when: target.n > 5, set: {size: big}"),
        _derive("id: a, when: target.n > 9, set: {size: big}", "id: b, when: target.n > 5, set: {size: small}"),
    ),
    CodePage(
        "NEB-P045",
        "a reference to nothing",
        "`$name` takes the value of a fact, a parameter or a derived fact, and there is none of this name.",
        "Mend the spelling; facts are written with their group: `$target.iqr`.",
        rule("target.iqr > 0", use="{loss: HuberLoss, params: {delta: $target.irq}}"),
        rule("target.iqr > 0", use="{loss: HuberLoss, params: {delta: $target.iqr}}"),
    ),
    CodePage(
        "NEB-P046",
        "a definition reads itself",
        "Putting the definitions in would never end.",
        "Break the circle that the message shows.",
        "definitions:\n  small: not large\n  large: not small\n",
        "definitions:\n  small: target.n < 100\n  large: not small\n" + rule("large"),
    ),
    CodePage(
        "NEB-P047",
        "a derived fact is read to set itself",
        "Whether the rule fires would depend on what it sets, so its answer would depend on the order of evaluation.",
        "Break the circle that the message shows, e.g. with a second name.",
        _derive("id: a, when: not known(size), set: {size: big}"),
        _derive("id: a, when: target.n > 9, set: {size: big}"),
    ),
)

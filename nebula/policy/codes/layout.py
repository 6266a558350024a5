"""NEB-P020 to NEB-P033: the parts of a policy and what it inherits."""

from __future__ import annotations

from nebula.policy.codes.page import HEAD, CodePage, rule

__all__ = ["PAGES"]

_CHAIN = {f"level{i}.yaml": f"{HEAD}extends: [level{i + 1}.yaml]\n" for i in range(1, 9)}

PAGES = (
    CodePage(
        "NEB-P020",
        "not a policy",
        "A policy is a mapping with `apiVersion`, `name`, `version` and rules; this file is empty or something else.",
        "Start from the head: `apiVersion: nebula/v1`, `name`, `version`.",
        "- just\n- a list\n",
        rule("true"),
        whole=True,
    ),
    CodePage(
        "NEB-P021",
        "unknown key",
        "The file format has no such key here, so what stands under it would be ignored in silence.",
        "Mend the spelling; the message names the nearest key.",
        "selct: []\n",
        "select: []\n",
    ),
    CodePage(
        "NEB-P022",
        "missing key",
        "Something that must be said is not: an `id`, a condition, or why the rule is right.",
        "Add the key.",
        "select:\n  - id: a\n    when: true\n    use: {loss: MSELoss}\n",
        rule("true"),
    ),
    CodePage(
        "NEB-P023",
        "a value of the wrong kind or out of range",
        "The key takes a value of another type, another range, or one of a few words.",
        "Write what the message expects. Text that looks like a number or a date needs quotes.",
        rule("true", use="{loss: MSELoss, serve: maen}"),
        rule("true", use="{loss: MSELoss, serve: mean}"),
    ),
    CodePage(
        "NEB-P024",
        "a badly formed name",
        "Names of parameters, definitions and derived facts are small letters, digits and underscores; ids of rules "
        "have hyphens instead. So a name can be told from an expression, and an id from a name.",
        "Rename it.",
        "parameters: {FewLevels: 20}\n",
        "parameters: {few_levels: 20}\n" + rule("target.n_unique <= few_levels"),
    ),
    CodePage(
        "NEB-P025",
        "parts that do not go together",
        "A rule chooses with `use` or asks with `ambiguous`; `otherwise` is an error or a choice, not both.",
        "Keep one of them, or add the one that is missing.",
        "otherwise: {error: nothing fits, use: {loss: MSELoss}}\n",
        "otherwise: {error: nothing fits}\n",
    ),
    CodePage(
        "NEB-P026",
        "not a condition",
        "A condition is text, `true` or `false`, or a tree with exactly one key of `all`, `any` and `not` a level.",
        "Write the condition as text, or mend the tree.",
        rule("{al: [target.n > 1, target.is_constant]}"),
        rule("{all: [target.n > 1, target.is_constant]}"),
    ),
    CodePage(
        "NEB-P027",
        "an unknown version of the format",
        "`apiVersion` names the version of the file format. This one is newer than this nebula, or was never released.",
        "Update nebula, or mend the version; `nebula policy migrate FILE` brings older files up to the present one.",
        "apiVersion: nebula/v9\nname: example\nversion: 1.0.0\n" + rule("true"),
        rule("true"),
        whole=True,
    ),
    CodePage(
        "NEB-P030",
        "a policy extends itself",
        "Following `extends` leads back to a file that is being read, so no rule could be said to come first.",
        "Break the circle: move what both need to a third file.",
        "extends: [policy.yaml]\n",
        "extends: [default.yaml]\n",
    ),
    CodePage(
        "NEB-P031",
        "too many files",
        "`extends` goes at most 8 levels deep and reads at most 64 files, so that loading is bounded.",
        "Join some of the files.",
        "extends: [level1.yaml]\n",
        "extends: [default.yaml]\n",
        beside={**_CHAIN, "level9.yaml": HEAD},
    ),
    CodePage(
        "NEB-P032",
        "no such inherited rule",
        "A place (`before`, `after`) or a change names a rule that none of the extended policies has.",
        "Mend the id; `nebula policy show FILE` lists the rules.",
        "extends: [default.yaml]\n" + rule("target.n > 10") + "    before: mulitlabel\n",
        "extends: [default.yaml]\n" + rule("target.n > 10") + "    before: multilabel\n",
    ),
    CodePage(
        "NEB-P033",
        "duplicate rule id",
        "Traces, tests and overrides name a rule by its id, so an id stands once in a file.",
        "Rename one of the rules.",
        rule("target.n > 10") + rule("target.n > 5", section=""),
        rule("target.n > 10") + rule("target.n > 5", section="", identity="b"),
    ),
)

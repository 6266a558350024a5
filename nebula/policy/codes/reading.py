"""NEB-P001 to NEB-P011: the file itself cannot be read."""

from __future__ import annotations

from nebula.policy.codes.page import CodePage, rule

__all__ = ["PAGES"]

PAGES = (
    CodePage(
        "NEB-P001",
        "no such policy",
        "The name is neither a file nor a policy that ships with nebula, or the file cannot be opened. Paths in "
        "`extends` start from the folder of the file that names them.",
        "Mend the path. The message names the shipped policies, or the nearest one.",
        "extends: [defualt.yaml]\n",
        "extends: [default.yaml]\n",
    ),
    CodePage(
        "NEB-P002",
        "not UTF-8",
        "A policy is UTF-8 text, so that it reads the same on every machine. This file holds bytes that are not.",
        "Save the file as UTF-8.",
        "description: Größe zählt\n",
        "description: Größe zählt\n",
        encoding="latin-1",
    ),
    CodePage(
        "NEB-P003",
        "the file is too large or too deep",
        "A policy has at most 1 MiB, 50,000 values and 32 levels of nesting, so that a hostile file is refused in "
        "bounded time and memory.",
        "Split the policy with `extends`; name deep conditions in `definitions`.",
        f"description: {'[' * 33}{']' * 33}\n",
        "description: flat\n",
    ),
    CodePage(
        "NEB-P004",
        "not YAML",
        "The text breaks the grammar of YAML; the place is where the reader noticed, often just after the slip.",
        "Look for an unclosed bracket or quote, a tab, or a colon inside plain text, which needs quotes.",
        "select: [\n",
        "select: []\n",
    ),
    CodePage(
        "NEB-P005",
        "more than one document",
        "A second `---` starts another document; which one should count is not defined.",
        "Keep one policy a file.",
        "---\nname: another\n",
        "description: the only document\n",
    ),
    CodePage(
        "NEB-P006",
        "anchor or alias",
        "Anchors and aliases make small files expand without bound and hide where a value comes from.",
        "Name a shared condition in `definitions` and a shared number in `parameters`.",
        "parameters: {few: &levels 20}\n" + rule("target.n_unique <= few"),
        "parameters: {few: 20}\n" + rule("target.n_unique <= few"),
    ),
    CodePage(
        "NEB-P007",
        "tag",
        "A tag such as `!!python/object` asks the reader to build something else than plain data; a policy is data.",
        "Write the plain value.",
        "description: !!str 12\n",
        'description: "12"\n',
    ),
    CodePage(
        "NEB-P008",
        "a key that is no string",
        "Keys are names. A number, a list or a mapping as a key cannot be one.",
        "Write the key as text.",
        "parameters: {1: 20}\n",
        "parameters: {few: 20}\n" + rule("target.n_unique <= few"),
    ),
    CodePage(
        "NEB-P009",
        "duplicate key",
        "The same key stands twice in one mapping. YAML readers differ in which one they keep; here neither is lost.",
        "Leave one of them out.",
        "parameters:\n  few: 20\n  few: 30\n",
        "parameters:\n  few: 30\n" + rule("target.n_unique <= few"),
    ),
    CodePage(
        "NEB-P010",
        "a number that is not finite",
        "Infinity and NaN compare in ways that no reader of a rule expects.",
        "Write a finite number, or leave the comparison out.",
        "parameters: {limit: .inf}\n",
        "parameters: {limit: 1e9}\n" + rule("target.max < limit"),
    ),
    CodePage(
        "NEB-P011",
        "a character that cannot be seen",
        "Escapes in quotes can bring in control characters, which clear or colour the screen of whoever reads an "
        "explanation, and marks that turn the direction of writing, which show a rule otherwise than it is read "
        "(Boucher and Anderson, Trojan Source, 2021).",
        "Leave the character out.",
        'description: "all is well\\e[2J"\n',
        "description: all is well\n" + rule("target.n > 9"),
    ),
)

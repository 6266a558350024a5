"""NEB-P050 to NEB-P065: conditions, and what a rule chooses."""

from __future__ import annotations

from nebula.policy.codes.page import CodePage, rule

__all__ = ["PAGES"]

PAGES = (
    CodePage(
        "NEB-P050",
        "not in the language of conditions",
        "Conditions know comparisons, `and`, `or`, `not`, `in`, `+ - * /`, `known(fact)` and "
        '`has_word(text, "word", ...)`. Nothing else is read, and nothing is ever executed.',
        "Write it with these; put what is shared in `definitions`.",
        rule("target.n = 3"),
        rule("target.n == 3"),
    ),
    CodePage(
        "NEB-P051",
        "a condition too large",
        "A condition has at most 2,000 characters, 200 comparisons and 32 levels, and bounded clauses once its "
        "definitions are put in, so that checking and deciding stay fast.",
        "Split it into definitions or several rules.",
        rule("not " * 33 + "target.is_constant"),
        rule("not target.is_constant"),
    ),
    CodePage(
        "NEB-P052",
        "unknown fact",
        "A dotted name is a fact of the profile, and the profile has none of this name.",
        "Mend the spelling; `nebula facts` lists all facts.",
        rule("target.meen > 1"),
        rule("target.mean > 1"),
    ),
    CodePage(
        "NEB-P053",
        "unknown name",
        "A bare name is a parameter, a definition or a derived fact, and the policy declares none of this name.",
        "Mend the spelling, or write a fact with its group.",
        rule("zero_fraction > 0.5"),
        rule("target.zero_fraction > 0.5"),
    ),
    CodePage(
        "NEB-P054",
        "types that do not fit",
        "A comparison has two sides of one type, arithmetic has numbers, and a condition is true or false.",
        "Compare with a value of the fact's type; text stands in quotes.",
        rule("target.is_one_hot == 1"),
        rule("target.is_one_hot"),
    ),
    CodePage(
        "NEB-P055",
        "a name in the wrong role",
        "A definition is a condition and no value, a parameter is always known, and a list holds constants.",
        "Join conditions with `and`, `or`, `not`; ask `known(...)` of facts.",
        "definitions: {big: target.n > 100}\n" + rule("big == true"),
        "definitions: {big: target.n > 100}\n" + rule("big"),
    ),
    CodePage(
        "NEB-P056",
        "a list among single values",
        "Facts such as `target.pos_weight` hold one number a column; no comparison says which of them it means.",
        "Ask whether it is known; use it as a `$reference` in a loss's parameters.",
        rule("target.pos_weight > 1"),
        rule("known(target.pos_weight)"),
    ),
    CodePage(
        "NEB-P057",
        "a word the fact never is",
        "The fact takes one of a few words, and this is none of them, so the comparison would be silently false.",
        "Mend the spelling; the message names the nearest word.",
        rule('hints.task == "binry"'),
        rule('hints.task == "binary"'),
    ),
    CodePage(
        "NEB-P058",
        "an order among words",
        "`<` and `>` order numbers; the order of words, or of true and false, would be accidental.",
        "Compare with `==`, `!=` or `in`.",
        rule('hints.task < "count"'),
        rule('hints.task != "count"'),
    ),
    CodePage(
        "NEB-P060",
        "unknown loss",
        "No loss of this name is registered in this process.",
        "Mend the spelling; `nebula losses` lists them. A loss of your own must be registered before.",
        rule("true", use="{loss: MSEloss}"),
        rule("true", use="{loss: MSELoss}"),
    ),
    CodePage(
        "NEB-P061",
        "unknown parameter of a loss",
        "The loss has no parameter of this name.",
        "Mend the spelling; `nebula losses NAME` shows the parameters.",
        rule("true", use="{loss: HuberLoss, params: {dleta: 1.0}}"),
        rule("true", use="{loss: HuberLoss, params: {delta: 1.0}}"),
    ),
    CodePage(
        "NEB-P062",
        "a loss's parameter does not take this value",
        "The value is of another type, or outside the range for which the loss is defined.",
        "Write a value in the range; `nebula losses NAME` shows it.",
        rule("true", use="{loss: HuberLoss, params: {delta: -1.0}}"),
        rule("true", use="{loss: HuberLoss, params: {delta: 1.0}}"),
    ),
    CodePage(
        "NEB-P063",
        "a cut or level that is no number",
        "`threshold` is a number between 0 and 1, `prior` or a `$fact`; `quantile` is a number or a `$fact`.",
        "Write one of these.",
        rule("true", use="{loss: BCEWithLogitsLoss, serve: {threshold: priro}}"),
        rule("true", use="{loss: BCEWithLogitsLoss, serve: {threshold: prior}}"),
    ),
    CodePage(
        "NEB-P064",
        "a choice that no data can fit",
        "The loss and its parameters contradict the link: whatever the data, nothing could be built from the rule.",
        "Change the link, or the parameter that the message names.",
        rule("true", use="{loss: PoissonNLLLoss, link: softplus}"),
        rule("true", use="{loss: PoissonNLLLoss, link: softplus, params: {log_input: false}}"),
    ),
    CodePage(
        "NEB-P065",
        "a functional that the loss does not serve",
        "Losses that are distributions compute the served functional themselves, and each knows only some.",
        "Serve one of those that the message lists.",
        rule("true", use="{loss: NegativeBinomialNLLLoss, serve: argmax}"),
        rule("true", use="{loss: NegativeBinomialNLLLoss, serve: mean}"),
    ),
)

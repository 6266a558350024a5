"""NEB-P101 to NEB-P111: what loads, and is probably not meant."""

from __future__ import annotations

from functools import partial

from nebula.policy.codes.page import CodePage, rule

__all__ = ["PAGES"]

_Advice = partial(CodePage, severity="warning")

PAGES = (
    _Advice(
        "NEB-P101",
        "a comparison that can never hold",
        "By the bounds of the facts in the vocabulary, no data make this comparison true, so what it guards is dead.",
        "Mend the threshold; `nebula facts` shows the bounds.",
        rule("target.class_balance > 2"),
        rule("target.class_balance > 0.2"),
    ),
    _Advice(
        "NEB-P102",
        "a comparison that always holds",
        "By the bounds of the facts, this comparison is true for all data: it is never false, only unknown.",
        "Leave it out, or write `known(...)` if the point is that the fact was observed.",
        rule("target.zero_fraction >= 0"),
        rule("known(target.zero_fraction)"),
    ),
    _Advice(
        "NEB-P103",
        "comparisons that contradict each other",
        "Conditions joined by `and`, also through definitions, ask one fact for two things at once: the rule, or this "
        "branch of it, can never fire.",
        "Mend one of them, or join them with `or`.",
        rule("target.skew > 3 and target.skew < 2"),
        rule("target.skew > 2 and target.skew < 3"),
    ),
    _Advice(
        "NEB-P104",
        "a whole number compared with a fraction",
        "The fact is a whole number by its type, so it never equals this constant.",
        "Compare with a whole number, or with `<` or `>`.",
        rule("target.n_columns == 1.5"),
        rule("target.n_columns == 2"),
    ),
    _Advice(
        "NEB-P105",
        "a rule after one that always fires",
        "The first rule that fires decides, and the condition of an earlier one is `true`.",
        "Move the rule with `true` to the end.",
        rule("true") + rule("target.n > 9", section="", identity="b"),
        rule("target.n > 9") + rule("true", section="", identity="b"),
    ),
    _Advice(
        "NEB-P106",
        "a condition repeated by a later rule",
        "Whenever the later rule holds, the earlier one holds too and wins, so the later one decides nothing.",
        "Mend one of the two conditions, or leave one rule out.",
        rule("target.n > 9") + rule("target.n > 9", section="", identity="b", use="{loss: L1Loss}"),
        rule("target.n > 9") + rule("target.n > 5", section="", identity="b", use="{loss: L1Loss}"),
    ),
    _Advice(
        "NEB-P107",
        "a definition that no rule reads",
        "Nothing depends on it: it is left over, or the rule that should read it names something else.",
        "Use it, or leave it out.",
        "definitions: {large: target.n > 9}\n" + rule("target.n > 5"),
        "definitions: {large: target.n > 9}\n" + rule("large"),
    ),
    _Advice(
        "NEB-P108",
        "a parameter that no rule reads",
        "Setting it changes nothing, which whoever sets it will not expect.",
        "Use it, or leave it out.",
        "parameters: {few: 20}\n" + rule("target.n_unique <= 20"),
        "parameters: {few: 20}\n" + rule("target.n_unique <= few"),
    ),
    _Advice(
        "NEB-P109",
        "the same term twice",
        "A part of `and` or `or`, an element of a list or a word stands twice; often the second was meant otherwise.",
        "Write it once, or mend the second.",
        rule("target.min >= 0 and target.min >= 0"),
        rule("target.min >= 0 and target.max >= 0"),
    ),
    _Advice(
        "NEB-P110",
        "two units in one comparison",
        "The two sides are measured in different units, such as rows and the unit of the target, or a fraction and a "
        "percentage, so which of them is larger says nothing about the data. `nebula facts` shows the units; a "
        "parameter may tell its own as `unit`.",
        "Compare with a constant, a parameter or a fact of the same unit.",
        rule("target.n > target.mean"),
        rule("target.median > target.mean"),
    ),
    _Advice(
        "NEB-P111",
        "a schedule on the only term of a composite",
        "With one term and no penalty, the weight multiplies the whole gradient. Adam and its kin divide the running "
        "mean of the gradient by its running root mean square: a constant factor leaves every step as it is, and one "
        "that changes slowly beside their memory, 1/(1 - beta2) steps, nearly so (Kingma and Ba, Adam, ICLR 2015, "
        "section 2.1). Under plain SGD it acts as a second learning-rate schedule.",
        "Name the loss alone and schedule the learning rate; or give the composite the second term, or the penalty, "
        "that the weight was to be balanced against.",
        rule(
            "target.n > 9",
            use="{compose: [{loss: MSELoss, weight: {schedule: linear, from: 1, to: 0.1, over: 100}}]}",
        ),
        rule(
            "target.n > 9",
            use="{compose: [{loss: MSELoss, weight: {schedule: linear, from: 1, to: 0.1, over: 100}}, {loss: L1Loss}]}",
        ),
    ),
)

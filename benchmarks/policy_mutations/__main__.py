"""Whether the test cases of the shipped policies notice a wrong policy: mutation analysis.

    python -m benchmarks.policy_mutations [--policy default.yaml] [--quiet]

Every single change of a threshold, a comparison's operator, `and` or `or`, the order of two
neighbouring rules, or a loss is made in turn, and the policy's own cases are run on the result
until one fails (DeMillo, Lipton and Sayward 1978). Writes benchmarks/results/policy_mutations.json.
"""

from __future__ import annotations

import argparse
import json
import logging

from benchmarks.policy_mutations.analysis import ROOT, analyse

RESULT = ROOT / "benchmarks" / "results" / "policy_mutations.json"
POLICIES = ("default.yaml", "strict.yaml", "paper.yaml")


def main() -> None:
    """Analyse, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", choices=POLICIES, help="only this one; nothing is written")
    parser.add_argument("--quiet", action="store_true", help="leave the survivors out")
    arguments = parser.parse_args()
    logging.getLogger("nebula").setLevel(logging.ERROR)
    found = [analyse(name) for name in ([arguments.policy] if arguments.policy else POLICIES)]
    for row in found:
        print(
            f"{row['policy']:<15} {row['mutants']:>4} mutants: {row['killed']} killed, {row['refused']} refused, "
            f"{row['equivalent']} equivalent, {row['survived']} survived "
            f"({row['survived_without_witness']} without a witness); {row['killed_percent']} % in {row['seconds']} s"
        )
        for verdict in [] if arguments.quiet else row["not_killed"]:
            if verdict["outcome"] == "survived":
                print(f"  {verdict['kind']:<10} {verdict['where']:<32} {verdict['change']}\n      {verdict['witness']}")
    if not arguments.policy:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

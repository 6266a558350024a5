"""JSON schemas of everything nebula reads and writes, derived from the models and the registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from nebula.audit.record import AuditRecord
from nebula.decision.contrast import WhyNot
from nebula.decision.drift_event import DriftEvent
from nebula.decision.trace import DecisionTrace
from nebula.decision.why import Why
from nebula.lockfile.model import Lockfile
from nebula.losses.catalogue import load_builtin
from nebula.losses.registry import LossEntry, entries
from nebula.policy.model import PolicyFile
from nebula.profiling.custom import GROUP
from nebula.profiling.hints import Hints
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import Fact, vocabulary

__all__ = ["SCHEMAS", "render", "write_schemas"]

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_JSON_TYPES = {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}
_REFERENCE: Schema = {
    "type": "string",
    "pattern": r"^\$[a-z][a-z0-9_.]*$",
    "description": "`$target.pos_weight` takes a fact's value, `$name` a parameter's.",
}


def _policy() -> Schema:
    """The file format, where each registered loss admits only its own parameters."""
    load_builtin()
    losses = sorted(entries(), key=lambda entry: entry.name)
    models: list[type[BaseModel]] = [PolicyFile, *dict.fromkeys(entry.params for entry in losses)]
    _, combined = models_json_schema([(model, "validation") for model in models])
    definitions = combined["$defs"]
    for entry in losses:
        parameters = definitions[entry.params.__name__]["properties"]
        for name, parameter in parameters.items():
            if _REFERENCE not in parameter.get("anyOf", ()):
                parameters[name] = _or_reference(parameter)
    term, use = definitions["TermUse"], definitions["Use"]
    single = [entry for entry in losses if not entry.composed]
    term["properties"]["loss"] |= {"enum": [entry.name for entry in single]}
    use["properties"]["loss"] |= {"enum": [entry.name for entry in losses]}
    use["anyOf"] = [{"required": ["loss"]}, {"required": ["compose"]}]
    term["allOf"] = [_parameters_of(entry, definitions) for entry in single]
    use["allOf"] = [_parameters_of(entry, definitions) for entry in losses]
    return {"$schema": _DIALECT, **definitions.pop("PolicyFile"), "$defs": definitions}


def _or_reference(parameter: Schema) -> Schema:
    told: Schema = {key: parameter.pop(key) for key in ("title", "description", "default") if key in parameter}
    return {**told, "anyOf": [*parameter.pop("anyOf", [parameter]), _REFERENCE]}


def _parameters_of(entry: LossEntry, definitions: Schema) -> Schema:
    name = entry.params.__name__
    then: Schema = {"properties": {"params": {"$ref": f"#/$defs/{name}", "description": entry.summary}}}
    if definitions[name].get("required"):
        then["required"] = ["params"]
    chosen = "compose" if entry.composed else "loss"
    return {"if": {"properties": {"loss": {"const": entry.name}}, "required": [chosen]}, "then": then}


def _hints() -> Schema:
    """The declarations, with the short form `pinball@0.9` of a metric and its level."""
    schema = _of(Hints, "validation")
    metric = schema["properties"]["metric"]
    metric["anyOf"].append({"type": "string", "pattern": r"^(pinball|quantile)@0?\.\d+$"})
    return schema


def _with_facts(model: type[BaseModel], mode: Any = "serialization") -> Schema:
    """The model, where each registered fact is told by name."""
    schema = _of(model, mode)
    found = {name.partition(".")[2]: _fact(fact) for name, fact in vocabulary().items() if name.startswith(f"{GROUP}.")}
    if found:
        schema["$defs"]["CustomFacts"]["properties"] = found
    return schema


def _fact(fact: Fact) -> Schema:
    ends = {"minimum": fact.low, "maximum": fact.high}
    bounds = {key: end for key, end in ends.items() if end is not None}
    value: Schema = {"type": _JSON_TYPES[fact.kind], **bounds, **({"enum": list(fact.choices)} if fact.choices else {})}
    return {"anyOf": [value, {"type": "null"}], "description": fact.description}


def _of(model: type[BaseModel], mode: Any) -> Schema:
    return {"$schema": _DIALECT, **model.model_json_schema(mode=mode)}


SCHEMAS: dict[str, Callable[[], Schema]] = {
    "policy": _policy,
    "trace": lambda: _with_facts(DecisionTrace),
    "audit": lambda: _with_facts(AuditRecord, "validation"),
    "why": lambda: _of(Why, "serialization"),
    "why-not": lambda: _of(WhyNot, "serialization"),
    "drift-event": lambda: _of(DriftEvent, "serialization"),
    "profile": lambda: _with_facts(DataProfile),
    "hints": _hints,
    "lock": lambda: _of(Lockfile, "validation"),
}
"""Each kind of document with the function that derives its schema."""


def render(kind: str) -> str:
    """Return one schema as the text that is checked in.

    Args:
        kind: A key of `SCHEMAS`.

    Returns:
        JSON, draft 2020-12, two spaces deep, with a closing newline.

    Raises:
        KeyError: There is no such kind.
    """
    return json.dumps(SCHEMAS[kind](), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema as `<kind>.schema.json` and return the paths.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in SCHEMAS:
        path = folder / f"{kind}.schema.json"
        path.write_text(render(kind), encoding="utf-8")
        written.append(path)
    return written

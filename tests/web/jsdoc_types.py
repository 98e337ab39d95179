"""The types of the page's module `api/types.js`, read from their JSDoc comments."""

import re

from crdtqueue_web import static_dir

Fields = dict[str, str]
"""The type of each key, as the comment writes it."""

_TYPEDEF = re.compile(
    r"@typedef \{(?P<type>(?:[^{}]|\{[^{}]*\}|\{\{.*?\}\})*)\} (?P<name>\w+)"
    r"(?P<rest>.*?)(?=@typedef|\*/)",
    re.DOTALL,
)
_PROPERTY = re.compile(r"@property \{((?:[^{}]|\{[^{}]*\})*)\} \[?(\w+)", re.DOTALL)


def _split(text: str, mark: str) -> list[str]:
    """The parts of a type between marks that stand in no brackets and no quotes."""
    parts, depth, quoted = [""], 0, False
    for char in text:
        quoted ^= char == '"'
        depth += (char in "{<[(") - (char in "}>])") if not quoted else 0
        if char == mark and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip()]


def fields_of(type_text: str) -> Fields:
    """The keys of a type that is written as `{a: string, b: number}`."""
    inner = type_text.strip().removeprefix("{").removesuffix("}")
    pairs = (part.partition(":") for part in _split(inner, ","))
    return {name.strip(): kind.strip() for name, _, kind in pairs}


def parsed(text: str) -> tuple[dict[str, Fields], dict[str, str]]:
    """The keys of each type that is an object, by name, and the other types as they are written."""
    text = re.sub(r"\n \*(?!/) ?", "\n", text)
    found: dict[str, Fields] = {}
    others: dict[str, str] = {}
    for each in _TYPEDEF.finditer(text):
        kind = each["type"].strip()
        if kind == "object":
            found[each["name"]] = {
                name: " ".join(of.split()) for of, name in _PROPERTY.findall(each["rest"])
            }
        elif kind.startswith("{") and len(alternatives(kind)) == 1:
            found[each["name"]] = fields_of(kind)
        elif "&" in kind:
            found[each["name"]] = {
                name: of for part in _split(kind, "&") for name, of in found[part].items()
            }
        else:
            others[each["name"]] = kind
    return found, others


def alternatives(type_text: str) -> list[str]:
    """The alternatives of a type: `"a" | "b" | null` has three."""
    return _split(type_text, "|")


TYPES, OTHERS = parsed((static_dir() / "api" / "types.js").read_text(encoding="utf-8"))

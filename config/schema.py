"""From nested frozen dataclasses to dotted keys and back: which keys there are, and the sections out of given values."""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from config import values
from config.sources import Given

T = TypeVar("T")


def leaves(section: type[Any], prefix: str = "") -> dict[str, Any]:
    """Every key below a section with its kind: {"feeds.dedup_s": Seconds, ...}."""
    found: dict[str, Any] = {}
    for name, kind in _fields(section):
        if _is_section(kind):
            found |= leaves(kind, f"{prefix}{name}.")
        else:
            found[prefix + name] = kind
    return found


def walk(section: object, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key and value of built settings, entries of tables one by one."""
    for name, kind in _fields(type(section)):
        key, value = prefix + name, getattr(section, name)
        if _is_section(kind):
            yield from walk(value, f"{key}.")
        elif isinstance(value, Mapping):
            yield from ((f"{key}.{entry}", item) for entry, item in value.items())
        else:
            yield key, value


def build(section: type[T], given: Mapping[str, Given], prefix: str = "") -> tuple[T | None, tuple[str, ...]]:
    """Make a section out of given values, or None; with every problem found on the way."""
    made: dict[str, Any] = {}
    problems: list[str] = []
    for name, kind in _fields(section):
        key = prefix + name
        if _is_section(kind):
            made[name], found = build(kind, given, f"{key}.")
            problems += found
        elif values.is_table(kind):
            made[name] = MappingProxyType(dict(_entries(key, kind, given, problems)))
        elif key in given:
            made[name] = _converted(key, kind, given[key], problems)
    if problems:
        return None, tuple(problems)
    try:
        return section(**made), ()
    except ValueError as reason:  # each value may be well and all together not
        return None, (f"{prefix.rstrip('.')}: {reason}",)


def _entries(key: str, kind: Any, given: Mapping[str, Given], problems: list[str]) -> Iterator[tuple[str, Any]]:
    for entry in given:
        if entry.startswith(f"{key}."):
            value = _converted(entry, values.entry_kind(kind), given[entry], problems, unit_of=key)
            yield entry.removeprefix(f"{key}."), value


def _converted(key: str, kind: Any, given: Given, problems: list[str], unit_of: str = "") -> Any:
    try:
        return values.convert(given.value, kind)
    except ValueError as reason:
        shown = "(hidden)" if values.is_secret(kind) else given.value
        was = "empty" if shown == "" else shown
        why = f"; {reason}" if str(reason) else ""
        problems.append(f"{key}: expected {values.expected(kind, unit_of or key)}, was {was}{why} ({given.origin})")


def _fields(section: type[Any]) -> list[tuple[str, Any]]:
    hints = typing.get_type_hints(section, include_extras=True)
    keys = [field.name for field in fields(section) if field.metadata.get("key", True)]
    return [(name, values.bounded(name, hints[name])) for name in keys]


def _is_section(kind: Any) -> bool:
    return is_dataclass(kind)

"""Every message is immutable through and through, as far as its annotations say."""

import dataclasses
import enum
import importlib
import pkgutil
import types
import typing
from collections.abc import Callable, Hashable, Mapping

import msgspec
import pytest

from actors import messages

VALUES = {int, float, str, bytes, bool, type(None), msgspec.UnsetType}
# Arguments of a child are values behind a read-only view, named by the catalogue that sends them; supervisors compare
# them with those in force and hand them on untouched.
# So are mappings that are made for the letter and that nobody else holds, and states on their way into a checkpoint, which
# their owners build as values.
TRUSTED = {
    ("ChildrenWanted", "children"),
    ("HistoryMissing", "missing"),
    ("HistoryTold", "history"),
    ("TapeTold", "tape"),
    ("FeedsHealth", "feeds"),
    ("AlertsState", "preferences"),
    ("CheckpointTaken", "state"),
}
AREAS = [importlib.import_module(f"actors.messages.{area.name}") for area in pkgutil.iter_modules(messages.__path__)]


def message_classes():
    for module in AREAS:
        for value in vars(module).values():
            if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == module.__name__:
                yield value


MESSAGES = list(message_classes())


def mutable_parts(annotation, path):
    """The places in an annotation that allow something mutable."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in VALUES or annotation is Ellipsis:
        return
    if origin in {types.UnionType, typing.Union, tuple, frozenset}:
        for argument in arguments:
            yield from mutable_parts(argument, path)
    elif origin is typing.Literal or (isinstance(annotation, type) and issubclass(annotation, enum.Enum)):
        return
    elif isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        yield from mutable_fields(annotation, path)
    elif isinstance(annotation, type) and (issubclass(annotation, msgspec.Struct) or hasattr(annotation, "_fields")):
        yield from mutable_members(annotation, path)
    elif isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
        for name, kind in typing.get_type_hints(annotation).items():
            yield from mutable_parts(kind, f"{path}.{name}")
    else:
        yield f"{path}: {annotation}"


def mutable_members(kind, path):
    """Those of a struct or of a named tuple."""
    if issubclass(kind, msgspec.Struct) and not kind.__struct_config__.frozen:
        yield f"{path}: {kind.__name__} is not frozen"
    for name, member in typing.get_type_hints(kind).items():
        yield from mutable_parts(member, f"{path}.{name}")


def mutable_fields(cls, path):
    if not cls.__dataclass_params__.frozen:
        yield f"{path}: {cls.__name__} is not frozen"
    for name, kind in typing.get_type_hints(cls).items():
        if (cls.__name__, name) not in TRUSTED:
            yield from mutable_parts(kind, f"{path}.{name}")


def test_there_are_messages():
    names = {cls.__name__ for cls in MESSAGES}

    assert {"AlertRaised", "ChildExited", "ChildReady", "ChildWanted", "StopRequested", "Drill"} <= names


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
def test_message_is_deeply_immutable_and_keyword_only(cls):
    assert list(mutable_fields(cls, cls.__name__)) == []
    assert all(field.kw_only for field in dataclasses.fields(cls))
    assert hasattr(cls, "__slots__")


@pytest.mark.parametrize("kind", [list[int], dict[str, int], set[int], Mapping[str, int], Callable, Hashable, object])
def test_the_check_finds_what_could_change(kind):
    assert list(mutable_parts(kind, "field")) != []

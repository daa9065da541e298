"""Where values come from: TOML files, `.env` and the environment, gathered under dotted keys, the later winning."""

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dotenv.parser import parse_stream

from config import values

CONFIG_NAME = "FORESHOCK_CONFIG"  # names the TOML file, so it is no key of it
_PREFIX = "FORESHOCK_"
_ALIKE = 0.85  # how like one of our names a stranger in .env must be to count as a slip of the pen


class Given(NamedTuple):
    """A value as somebody wrote it, and where."""

    value: Any
    origin: str


class Sources:
    """The values given so far, and everything that is wrong with how they were given."""

    def __init__(self, kinds: Mapping[str, Any], *, named: Mapping[str, str], to_come: Iterable[str]) -> None:
        self.given: dict[str, Given] = {}
        self.problems: list[str] = []
        self._kinds = kinds
        self._to_come = tuple(to_come)
        self._names = {_environment_name(key): key for key in kinds} | dict(named)
        self._file_names = {f"{name}_FILE": key for name, key in self._names.items() if values.is_secret(kinds[key])}

    def add(self, key: str, given: Given) -> None:
        """Take one value, or note that there is no such key."""
        if self._kind(key) is not None:
            self.given[key if key in self._kinds else _with_entry_in_capitals(key)] = given
        elif venue := next((name for name in self._to_come if f"{key}.".startswith(f"{name}.")), None):
            self.problems.append(f"{key}: {venue} comes in a later version, remove it ({given.origin})")
        else:
            self._unknown(key, self._kinds, given.origin)

    def add_toml(self, path: Path, origin: str) -> None:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            self.problems.append(f"{path}: cannot be read: {error.strerror}; --config or {CONFIG_NAME} names it")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.problems.append(f"{path}: is not TOML: {error}")
        else:
            for key, value in self._flattened(table):
                if key in self._kinds and values.is_secret(self._kinds[key]):
                    names = " or ".join(name for name, named in self._names.items() if named == key)
                    self.problems.append(f"{key}: a secret stands in no settings file, remove it; set {names} ({path})")
                else:
                    self.add(key, Given(value, origin))

    def read_dotenv(self, path: Path) -> dict[str, str]:
        """Read NAME=value lines; a file that is not there is an empty one."""
        if not path.is_file():
            return {}
        try:
            with path.open(encoding="utf-8") as lines:
                bindings = list(parse_stream(lines))
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{path}: cannot be read: {error}")
            return {}
        self.problems += [
            f"{path} line {binding.original.line}: expected NAME=value"
            for binding in bindings
            if binding.error or (binding.key and binding.value is None)
        ]
        return {binding.key: binding.value for binding in bindings if binding.key and binding.value is not None}

    def suspect_slips(self, names: Iterable[str], place: Path) -> None:
        """Note names that look like one of the short ones misspelt. Only for `.env`: the environment is everybody's."""
        short = [name for name in (*self._names, *self._file_names) if not name.startswith(_PREFIX)]
        for name in names:
            if not name.startswith(_PREFIX) and name not in short:
                for near in difflib.get_close_matches(name, short, 1, _ALIKE):
                    self.problems.append(f"{name}: unknown setting, nearest is {near} ({place})")

    def add_names(self, environ: Mapping[str, str], place: str = "") -> None:
        """Take every FORESHOCK_* and every short name. Of two for one key the short one wins, of those the file."""
        short = [name for name in (*self._names, *self._file_names) if not name.startswith(_PREFIX) and name in environ]
        long = sorted(name for name in environ if name.startswith(_PREFIX) and name != CONFIG_NAME)
        for name in (*long, *short):
            if name in self._file_names:
                self._add_secret_file(self._file_names[name], environ[name], place + name)
            else:
                self._add_text(name, environ[name], place + name)

    def _add_text(self, name: str, text: str, origin: str) -> None:
        key = self._key_of(name)
        kind = self._kind(key)
        if kind is None and not key.startswith(self._to_come):
            self._unknown(name, (*self._names, *self._file_names), origin)
        elif text.strip() or kind is None or values.takes_nothing(kind):
            self.add(key, Given(text, origin))

    def _add_secret_file(self, key: str, path: str, origin: str) -> None:
        if not path.strip():
            return
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            self.problems.append(f"{key}: file {path} cannot be read: {error} ({origin})")
        else:
            self.add(key, Given(text, origin))

    def _key_of(self, name: str) -> str:
        """Tell the key a variable names, which may not exist."""
        if name in self._names:
            return self._names[name]
        parent, _, entry = name.rpartition("__")
        if parent in self._names:
            return f"{self._names[parent]}.{entry}"
        return name.removeprefix(_PREFIX).replace("__", ".").lower()

    def _kind(self, key: str) -> Any:
        """Tell the kind of a key or of an entry of a table; None for a key that does not exist."""
        if key in self._kinds:
            return None if values.is_table(self._kinds[key]) else self._kinds[key]
        table = self._kinds.get(key.rpartition(".")[0])
        return values.entry_kind(table) if table is not None and values.is_table(table) else None

    def _flattened(self, table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Every key of a TOML file. A table that is none of our sections is itself the unknown key."""
        for name, value in table.items():
            key = prefix + name
            if isinstance(value, dict) and self._holds_others(key):
                yield from self._flattened(value, f"{key}.")
            else:
                yield key, value

    def _holds_others(self, key: str) -> bool:
        is_section = any(known.startswith(f"{key}.") for known in self._kinds)
        return is_section or (key in self._kinds and values.is_table(self._kinds[key]))

    def _unknown(self, name: str, known: Iterable[str], origin: str) -> None:
        near = difflib.get_close_matches(name, known, 1, cutoff=0.5)
        hint = f"nearest is {near[0]}" if near else "config/default.toml lists every key"
        self.problems.append(f"{name}: unknown setting, {hint} ({origin})")


def _environment_name(key: str) -> str:
    return _PREFIX + key.upper().replace(".", "__")


def _with_entry_in_capitals(key: str) -> str:
    """Entries of tables are assets, and the environment knows capitals only."""
    table, _, entry = key.rpartition(".")
    return f"{table}.{entry.upper()}"

"""Who may read what: the part ``reading`` of the bundle's data, held against one thing and one person.

Rules:
- what somebody asked for or had a part in they read, and what a group of theirs is asked to answer they read, whoever
  of the group is excluded: they have to see why;
- groups that ``everything`` names read everything;
- what is private (by one of its labels, by the class of something that it touches, or marked so where it is kept) is
  read by these and by the groups that ``private`` names, and by nobody else;
- the rest is read by whom an entry of ``open`` names (no group: members of any group) where the thing fits every part
  of the entry that is not empty. What a thing does not say fits no part;
- who is in no group reads only what is their own. Data that says nothing of reading opens everything that is not
  private to members of any group, and what is private to no further group.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twokey.core.values import AgentName, Code, GroupName, Principal, Resource, ResourceKind, ToolName, Value


class Opened(Value):
    """What members of groups read: things that fit each of these; an empty part fits all, empty ``to`` is any group."""

    to: tuple[GroupName, ...] = ()
    kinds: tuple[ResourceKind, ...] = ()
    classes: tuple[Code, ...] = ()
    environments: tuple[Code, ...] = ()
    owners: tuple[GroupName, ...] = ()
    """Groups that own it."""
    agents: tuple[AgentName, ...] = ()
    tools: tuple[ToolName, ...] = ()


class Private(Value):
    """What is private, by the labels of a write or by the class of a resource, and which groups read it."""

    labels: tuple[Code, ...]
    classes: tuple[Code, ...]
    to: tuple[GroupName, ...]


class Reading(Value):
    """The part ``reading`` of the data."""

    everything: tuple[GroupName, ...]
    open: tuple[Opened, ...]
    private: Private

    def groups(self) -> set[str]:
        """Give every group that it names."""
        opened = (group for entry in self.open for group in (*entry.to, *entry.owners))
        return {*self.everything, *self.private.to, *opened}

    def classes(self) -> set[str]:
        """Give every class that it names."""
        return {*self.private.classes, *(name for entry in self.open for name in entry.classes)}


UNSAID: Final = Reading(
    everything=(),
    open=(Opened(),),
    private=Private(labels=("security_report",), classes=("restricted",), to=()),
)
"""What holds where the data does not say who reads what."""
NOTHING: Final = Reading(everything=(), open=(), private=Private(labels=(), classes=(), to=()))
"""What holds where no bundle is in force: everybody reads what is their own or asks for their answer."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What the rules look at: of a proposal, or of a run and all that it read."""

    people: frozenset[str]
    """Who asked for it, or had a part in it."""
    asked: frozenset[str] = frozenset()
    """Groups that policy asks to answer it."""
    agents: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    resources: tuple[Resource, ...] = ()
    marked: bool = False
    """Private for another reason than its labels or resources."""


class ReadingRules:
    """The rules of one data document."""

    def __init__(self, reading: Reading, data: Mapping[str, Any]) -> None:
        """``data`` is what stands under ``twokey_data``, checked: it says who owns resources, and their classes."""
        self.reading = reading
        self.private_labels: frozenset[str] = frozenset(reading.private.labels)
        self._private_classes = frozenset(reading.private.classes)
        self._owners = _Named(data.get("owners", ()), "group", str(data.get("default_owner", "")))
        self._classes = _Named(data.get("classes", ()), "class", str(data.get("default_class", "")))
        self.looks_at_plans = bool(self._private_classes & self._classes.values) or any(
            entry.kinds or entry.classes or entry.environments or entry.owners or entry.agents for entry in reading.open
        )
        """Whether anything hangs on what a run touches, and by whom."""

    def reads(self, reader: Principal, thing: Thing) -> bool:
        """Tell whether ``reader`` may read ``thing``."""
        if self.is_party(reader, thing) or self.reads_everything(reader):
            return True
        groups = frozenset(reader.groups)
        if self.is_private(thing):
            return bool(groups & set(self.reading.private.to))
        return any(self._admits(entry, groups, thing) for entry in self.reading.open)

    def is_party(self, reader: Principal, thing: Thing) -> bool:
        """Tell whether a thing is ``reader``'s own, or a group of theirs is asked to answer it."""
        return reader.name in thing.people or bool(thing.asked.intersection(reader.groups))

    def reads_everything(self, reader: Principal) -> bool:
        """Tell whether ``reader`` may read everything there is."""
        return bool(set(reader.groups) & set(self.reading.everything))

    def opens_all(self, reader: Principal) -> bool:
        """Tell whether ``reader`` may read everything but what is private by its labels, or marked so."""
        groups = frozenset(reader.groups)
        plain = not self._private_classes & self._classes.values
        return plain and any(
            entry == Opened(to=entry.to) and self._is_for(entry, groups) for entry in self.reading.open
        )

    def is_private(self, thing: Thing) -> bool:
        """Tell whether a thing is private."""
        if thing.marked or thing.labels & self.private_labels:
            return True
        return any(self._classes.of(it) & self._private_classes for it in thing.resources)

    @staticmethod
    def _is_for(entry: Opened, groups: frozenset[str]) -> bool:
        return bool(groups & set(entry.to) if entry.to else groups)

    def _admits(self, entry: Opened, groups: frozenset[str], thing: Thing) -> bool:
        return (
            self._is_for(entry, groups)
            and _fits(entry.agents, thing.agents)
            and _fits(entry.tools, thing.tools)
            and _fits(entry.kinds, {it.kind for it in thing.resources})
            and _fits(entry.environments, {it.environment for it in thing.resources})
            and _fits(entry.classes, {name for it in thing.resources for name in self._classes.of(it)})
            and _fits_each(entry.owners, [self._owners.of(it) for it in thing.resources])
        )


def _fits(wanted: Iterable[str], said: Iterable[str]) -> bool:
    """Tell whether all that a thing says is wanted; what it does not say is not."""
    admitted, every = set(wanted), set(said)
    return not admitted or (bool(every) and every <= admitted)


def _fits_each(wanted: Iterable[str], said: Iterable[frozenset[str]]) -> bool:
    """Tell the same where one of several suffices for each resource."""
    admitted, every = set(wanted), list(said)
    return not admitted or (bool(every) and all(admitted & one for one in every))


class _Named:
    """What resources have by their name, as rules look it up: all that match, or the default where none does."""

    def __init__(self, entries: Iterable[Mapping[str, Any]], value: str, default: str) -> None:
        self._default = frozenset({default})
        self._entries = [(each["kind"], each.get("id"), each.get("under"), str(each[value])) for each in entries]
        self.values: frozenset[str] = self._default | {found for *_, found in self._entries}

    def of(self, resource: Resource) -> frozenset[str]:
        """Give what a resource has."""
        found = {
            value
            for kind, name, under, value in self._entries
            if kind == resource.kind
            and (resource.id == name if name is not None else resource.id.startswith(under or ""))
        }
        return frozenset(found) or self._default


def rules_of(data: Mapping[str, Any]) -> ReadingRules:
    """Give the rules of a data document's ``twokey_data``, which was checked."""
    said = data.get("reading")
    return ReadingRules(UNSAID if said is None else Reading.model_validate(said), data)

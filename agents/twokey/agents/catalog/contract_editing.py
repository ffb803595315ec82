"""Edits of one data contract, carried out on its tree. Rules: those of ``tree_editing``.

Of a contract only ``schema``, the properties in it, and their descriptions, types, classifications and quality checks
are ever touched; servers, roles, prices and service levels are not.
"""

from collections.abc import Mapping as Map
from typing import Final, assert_never

from twokey.agents.catalog import vetting
from twokey.agents.catalog.contract_edits import AddCheck, AddProperty, Classify, ContractEdit, Describe, SetType
from twokey.agents.catalog.tree_editing import Changes, Place, TreeEditor
from twokey.agents.catalog.vetting import JsonLike, NotAllowed
from twokey.agents.catalog.yaml_tree import (
    Document,
    Mapping,
    Scalar,
    entries,
    node_of,
    plain,
    text_of,
)

# the order of the standard's own examples; a key that is not named stands behind the description
_ORDER: Final = {
    "<<": -1,
    "id": 0,
    "name": 0,
    "physicalName": 1,
    "businessName": 2,
    "primaryKey": 2,
    "primaryKeyPosition": 2,
    "logicalType": 3,
    "logicalTypeOptions": 3,
    "physicalType": 4,
    "required": 4,
    "unique": 4,
    "description": 5,
    "classification": 7,
    "properties": 8,
    "quality": 9,
    "customProperties": 10,
}
_OTHER: Final = 6
_SHARED: Final = frozenset({"schema", "properties"})
_MAJOR: Final = ("v3.", "3.")


class ContractSession(TreeEditor):
    """One parsed contract and the edits made to it so far."""

    def __init__(self, document: Document) -> None:
        """Find the tables of a contract.

        Raises:
            NotAllowed: ``not_a_contract``, or ``not_properties`` where the file is no mapping.

        """
        super().__init__(document, order=_ORDER, other=_OTHER, shared=_SHARED)
        top = entries(self.root)
        version = text_of(top.get("apiVersion")) or ""
        if text_of(top.get("kind")) != "DataContract" or not version.startswith(_MAJOR):
            raise NotAllowed("not_a_contract", "The file is no data contract of version 3.")
        self._tables: dict[str, list[Place]] = {}
        for name, place in self.listed(Place(self.root, (self.root,)), "schema"):
            self._tables.setdefault(name, []).append(place)

    def apply(self, edit: ContractEdit) -> bool:
        """Carry out one edit; tell whether it changed anything.

        Raises:
            NotAllowed: nothing was changed.

        """
        return self.carry_out(self._changes(edit))

    def _changes(self, edit: ContractEdit) -> Changes:
        match edit:
            case Describe():
                text = vetting.description(edit.text)
                return self.text(
                    self._place(edit.table, edit.column), "description", text, "description", replace=edit.replace
                )
            case Classify():
                word = vetting.name(edit.word, "classification")
                place = self._place(edit.table, edit.column)
                return self.text(place, "classification", word, "classification", replace=False)
            case SetType():
                name = vetting.name(edit.type, "data type")
                return self.text(self._place(edit.table, edit.column), "physicalType", name, "data type", replace=False)
            case AddCheck():
                return self._check(self._place(edit.table, edit.column), edit)
            case AddProperty():
                return self._property(self._place(edit.table, None), edit)
            case _:
                assert_never(edit)

    def _place(self, table: str, column: str | None) -> Place:
        place = self.only(self._tables.get(table, ()), "table")
        return place if column is None else self.only(self._columns(place).get(column, ()), "column")

    def _columns(self, place: Place) -> dict[str, list[Place]]:
        return self.columns_of(place, "properties", "The properties of the table are no list.")

    def _check(self, place: Place, edit: AddCheck) -> Changes:
        present = entries(place.mapping).get("quality")
        known = plain(present) if present is not None else None
        for check in known if isinstance(known, list) else []:
            if isinstance(check, dict) and edit.metric in (check.get("metric"), check.get("rule")):
                return []
        body: dict[str, JsonLike] = {"metric": edit.metric}
        if edit.metric == "invalidValues":
            if not edit.values:
                raise NotAllowed("test_form", "A check for invalid values needs the values that are valid.")
            body["arguments"] = {"validValues": list(edit.values)}
        body["mustBe"] = 0
        if edit.warn:
            body["severity"] = "warning"
        vetting.value(body, "quality check")
        return [self.append(place.mapping, ["quality"], [node_of(body)])]

    def _property(self, place: Place, edit: AddProperty) -> Changes:
        name = vetting.name(edit.column, "column name")
        columns = self._columns(place)
        if name in columns:
            raise NotAllowed("exists", "The table lists the column already.")
        if name.casefold() in place.folded:
            raise NotAllowed("other_case", "A column whose name differs in case only is there already.")
        said: Map[str, str | None] = {
            "physicalType": None if edit.type is None else vetting.name(edit.type, "data type"),
            "description": None if edit.description is None else vetting.description(edit.description),
            "classification": None if edit.classification is None else vetting.name(edit.classification, "class"),
        }
        made = Place(Mapping([(Scalar("name"), Scalar(name))]), ())
        made.mapping.pairs.extend((Scalar(key), Scalar(value)) for key, value in said.items() if value is not None)
        append = self.append(place.mapping, ["properties"], [made.mapping])

        def register() -> None:
            columns[name] = [made]
            place.folded.add(name.casefold())

        return [append, register]

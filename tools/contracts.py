"""The import contract that import-linter does not have: a room is entered only through its public face."""

from typing import ClassVar

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

ROOM_DEPTH = 2  # diaodu.<room>.<module>


class PublicFaceContract(Contract):
    """Every import between two rooms names a public module of the other room.

    ``public_modules`` are the names that any higher room may import; of ``open_rooms`` every module but the private
    ones is public; ``composition_root`` may import everything, because it mounts it.
    """

    type_name: ClassVar[str] = "public_face"
    public_modules = fields.SetField(subfield=fields.StringField())
    open_rooms = fields.SetField(subfield=fields.StringField())
    composition_root = fields.StringField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001 - import-linter's own signature
        """Look at every direct import of the graph."""
        breaches = sorted(
            (importer, imported)
            for imported in graph.modules
            if not self._public(imported)
            for importer in graph.find_modules_that_directly_import(imported)
            if _room(importer) not in (_room(imported), self.composition_root)
        )
        return ContractCheck(kept=not breaches, metadata={"breaches": breaches})

    def _public(self, module: str) -> bool:
        parts = module.split(".")
        if parts[0] != "diaodu" or len(parts) <= ROOM_DEPTH:
            return True
        return parts[1] in self.open_rooms or parts[ROOM_DEPTH] in self.public_modules  # type: ignore[operator]  # import-linter types a field's value as the field

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each importer beside what it reached into."""
        for importer, imported in check.metadata["breaches"]:
            output.print_error(f"- {importer} imports {imported}, which is private to its room.", bold=False)


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "diaodu" else module

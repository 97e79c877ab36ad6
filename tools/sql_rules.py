"""Check that all SQL would run on a database that is distributed by partition (or area).

python -m tools.sql_rules src

Read are the texts in Python modules that are SQL, the calls of ``diaodu.kernel.sets``, and ``.sql`` files. A table is
keyed by ``part`` if it has that column, by ``area`` if it has that one and it is never null; other tables are small
reference tables. In keyed tables every primary, unique and foreign key, every ON CONFLICT, every join, every change
and every lock names the key; reads of one table without a lock may cross partitions. Nowhere a trigger, an extension,
MERGE or ``part = any``, and no function writes tables of both keys. A comment ``sql: why`` beside a statement excuses
it; the reason has to say something.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from tools.sql_text import Found, sql_file, sql_texts

KEYS = ("part", "area")
_BANNED = re.compile(
    r"\b(?:create\s+(?:or\s+replace\s+)?(?:constraint\s+)?trigger|create\s+extension|merge\s+into)\b", re.IGNORECASE
)
_ANY = re.compile(r"\b(?:part|area)\s*(?:=\s*any\b|=\s*some\b|in\s*\()", re.IGNORECASE)
_HOLES = ("hole_", "", "and true", "$1")
Tables = dict[str, str]


class Unreadable(Exception):
    """A text that looks like SQL and cannot be read as such."""


def parsed(text: str) -> list[exp.Expr]:
    """The statements of a text; where Python fills a hole, whatever makes it readable stands there."""
    clean = re.sub(r"%\(\w+\)s|%[sb]\b", "$1", text).replace("%%", "%")
    for filled in (clean, re.sub(r"\{\w*\}", "\0", clean)):
        for hole in _HOLES:
            try:
                found = sqlglot.parse(filled.replace("\0", hole), read="postgres")
            except SqlglotError:
                continue
            return [statement for statement in found if statement is not None]
    raise Unreadable(" ".join(text.split())[:120])


# Tables -------------------------------------------------------------------------------------------------------------


def keyed_tables(statements: list[exp.Expr]) -> Tables:
    """Which tables and views have which key, from their definitions."""
    tables: Tables = {}
    for made in statements:
        if not isinstance(made, exp.Create):
            continue
        name, columns = _name(made.find(exp.Table)), set()
        if made.kind == "VIEW" and made.expression is not None:
            columns = set(made.expression.named_selects)
        elif isinstance(made.this, exp.Schema):
            columns = {c.name for c in made.this.find_all(exp.ColumnDef) if c.name == "part" or _never_null(c)}
        if key := next((k for k in KEYS if k in columns), None):
            tables[name] = key
    return tables


def _never_null(column: exp.ColumnDef) -> bool:
    kinds = (exp.NotNullColumnConstraint, exp.PrimaryKeyColumnConstraint)
    return any(isinstance(c.kind, kinds) for c in column.constraints)


def _name(table: exp.Expr | None) -> str:
    if not isinstance(table, exp.Table):
        return ""
    return f"{table.db}.{table.name}" if table.db else table.name


def table_breaches(made: exp.Expr, tables: Tables) -> Iterator[str]:
    """What is wrong with the keys of a new table or index."""
    if not isinstance(made, exp.Create):
        return
    if made.kind == "INDEX":
        table = _name(made.find(exp.Table))
        key = tables.get(table)
        columns = {c.name for c in made.find_all(exp.Column)}
        if key and made.args.get("unique") and key not in columns:
            yield f"a unique index of {table} lacks {key}"
        return
    if made.kind != "TABLE" or not isinstance(made.this, exp.Schema):
        return
    table = _name(made.this.this)
    key = tables.get(table)
    for column in made.this.find_all(exp.ColumnDef):
        yield from _column_breaches(column, table, key, tables)
    for found in made.this.find_all(exp.PrimaryKey, exp.UniqueColumnConstraint):
        names = {i.name for i in found.find_all(exp.Identifier)}
        if key and names and key not in names:
            yield f"a key of {table} lacks {key}: ({', '.join(sorted(names))})"
    for foreign in made.this.find_all(exp.ForeignKey):
        target = tables.get(_name(foreign.find(exp.Table)))
        names = {i.name for i in foreign.expressions}
        if target and (target != key or key not in names):
            yield f"a foreign key of {table} to {_name(foreign.find(exp.Table))} lacks {target}"


def _column_breaches(column: exp.ColumnDef, table: str, key: str | None, tables: Tables) -> Iterator[str]:
    for constraint in column.constraints:
        kind = constraint.kind
        unique = isinstance(kind, exp.PrimaryKeyColumnConstraint | exp.UniqueColumnConstraint)
        if key and unique and column.name != key:
            yield f"a key of {table} lacks {key}: ({column.name})"
        if isinstance(kind, exp.Reference) and (target := _name(kind.find(exp.Table))) in tables:
            yield f"a foreign key of {table} to {target} lacks {tables[target]}"


# Statements ---------------------------------------------------------------------------------------------------------


def statement_breaches(statement: exp.Expr, tables: Tables) -> Iterator[str]:
    """What is wrong with a statement that reads or writes."""
    if isinstance(statement, exp.Merge):
        yield "MERGE"
    for select in statement.find_all(exp.Select):
        yield from _select_breaches(select, tables)
    for kind in (exp.Update, exp.Delete):
        for change in statement.find_all(kind):
            yield from _change_breaches(change, tables)
    for insert in statement.find_all(exp.Insert):
        yield from _insert_breaches(insert, tables)


def _select_breaches(select: exp.Select, tables: Tables) -> Iterator[str]:
    sources = _sources(select, tables)
    bound = _bound(select)
    own = {a: k for a, (_, k) in sources.items()}
    around = _around(select, tables)
    if select.args.get("locks"):
        for alias, (table, key) in sources.items():
            if _class(bound, f"{alias}.{key}") != _class(bound, "="):
                yield f"a lock on {table} without {key} = one value"
    yield from _joins(own, around, bound, sources)


def _joins(
    own: dict[str, str], around: dict[str, str], bound: dict[str, str], sources: dict[str, tuple[str, str]]
) -> Iterator[str]:
    if len(set(own.values())) > 1:
        yield f"a join of {' and '.join(sorted(t for t, _ in sources.values()))}, which have different keys"
        return
    classes = {_class(bound, f"{a}.{k}") for a, k in own.items()}
    if len(classes) > 1:
        yield f"a join of {' and '.join(sorted(t for t, _ in sources.values()))} without their key"
    elif own and around:
        reached = classes & {_class(bound, "="), *(_class(bound, f"{a}.{k}") for a, k in around.items())}
        if not reached:
            yield f"a subquery of {' and '.join(sorted(t for t, _ in sources.values()))} without the outer key"


def _around(select: exp.Select, tables: Tables) -> dict[str, str]:
    """The keyed tables of the statements that hold this one as a condition or a value."""
    found: dict[str, str] = {}
    at = select.parent
    while at is not None:
        source = at.arg_key == "this" and isinstance(at.parent, exp.From | exp.Join | exp.Lateral)
        if source or isinstance(at, exp.CTE | exp.Insert):
            return found  # where it is read from, it counts like a table
        if isinstance(at, exp.Select):
            found |= {a: k for a, (_, k) in _sources(at, tables).items()}
        elif isinstance(at, exp.Update | exp.Delete) and (key := tables.get(_name(at.this))):
            found[at.this.alias_or_name] = key
        at = at.parent
    return found


def _sources(select: exp.Expr, tables: Tables) -> dict[str, tuple[str, str]]:
    """The keyed tables that a statement reads itself: alias -> table and key."""
    found = {}
    for part in [*_parts(select), *(select.args.get("using") or ())]:
        for table in _direct(part):
            if key := tables.get(_name(table)):
                found[table.alias_or_name] = (_name(table), key)
        if (inner := _derived(part)) is not None:
            for table_key in list(_sources(inner, tables).values())[:1]:
                found[part.this.alias_or_name] = table_key
    return found


def _derived(part: exp.Expr) -> exp.Select | None:
    """The query that is read like a table."""
    at = part.this
    while isinstance(at, exp.Lateral | exp.Subquery):
        at = at.this
    return at if isinstance(at, exp.Select) else None


def _direct(part: exp.Expr) -> Iterator[exp.Table]:
    at = part if isinstance(part, exp.Table) else part.this
    if isinstance(at, exp.Table):
        yield at
        for join in at.args.get("joins") or ():
            yield from _direct(join)


def _bound(statement: exp.Expr) -> dict[str, str]:
    """Which keys are equal within a statement and those around it, as a forest; "=" stands for one given value."""
    forest: dict[str, str] = {}
    at: exp.Expr | None = statement
    while at is not None:
        if isinstance(at, exp.Select | exp.Update | exp.Delete):
            for condition in _conditions(at):
                if isinstance(condition, exp.EQ):
                    _unite(forest, _side(condition.left, at), _side(condition.right, at))
            for part in _parts(at):
                if (inner := _derived(part)) is not None:
                    _see_through(forest, part.this.alias_or_name, inner)
        at = at.parent
    return forest


def _see_through(forest: dict[str, str], alias: str, inner: exp.Select) -> None:
    """The keys that a query read like a table hands out are those of its own tables."""
    for condition in _conditions(inner):
        if isinstance(condition, exp.EQ):
            _unite(forest, _side(condition.left, inner), _side(condition.right, inner))
    tables = [t for part in _parts(inner) for t in _direct(part)]
    for key in KEYS:
        if tables and (inner.is_star or key in inner.named_selects):
            _unite(forest, f"{alias}.{key}", f"{tables[0].alias_or_name}.{key}")


def _conditions(statement: exp.Expr) -> Iterator[exp.Expr]:
    found = [statement.args.get("where")]
    for part in _parts(statement):
        found += [join.args.get("on") for join in (part, *part.find_all(exp.Join))]
    for condition in found:
        inner = condition.this if isinstance(condition, exp.Where) else condition
        if inner is not None:
            yield from inner.flatten() if isinstance(inner, exp.And) else [inner]


def _side(side: exp.Expr, statement: exp.Expr) -> str:
    while isinstance(side, exp.Cast | exp.Paren):
        side = side.this
    if not isinstance(side, exp.Column):
        return "="
    if side.table:
        return f"{side.table}.{side.name}"
    target = statement.this if isinstance(statement, exp.Update | exp.Delete) else None
    single = [target] if target is not None else [t for p in _parts(statement)[:1] for t in _direct(p)]
    return f"{single[0].alias_or_name}.{side.name}" if single else side.name


def _parts(statement: exp.Expr) -> list[exp.Expr]:
    """What a statement reads from."""
    found = [statement.args.get("from_") or statement.args.get("from"), *(statement.args.get("joins") or ())]
    return [part for part in found if part is not None]


def _class(forest: dict[str, str], name: str) -> str:
    while name in forest:
        name = forest[name]
    return name


def _unite(forest: dict[str, str], one: str, other: str) -> None:
    if (a := _class(forest, one)) != (b := _class(forest, other)):
        forest[a] = b


def _change_breaches(change: exp.Expr, tables: Tables) -> Iterator[str]:
    table = _name(change.this)
    key = tables.get(table)
    if key is None:
        return
    alias, bound = change.this.alias_or_name, _bound(change)
    compared = {f"{alias}.{key}", key} & (bound.keys() | set(bound.values()))
    if not compared:
        yield f"{table} is changed without its {key}"
    for assigned in change.args.get("expressions") or ():
        if isinstance(assigned, exp.EQ) and assigned.this.name == key:
            yield f"the {key} of {table} is changed"
    others = _sources(change, tables)
    yield from _joins({a: k for a, (_, k) in others.items()} | {alias: key}, {}, bound, others | {alias: (table, key)})


def _insert_breaches(insert: exp.Insert, tables: Tables) -> Iterator[str]:
    target = insert.this
    table = _name(target.this if isinstance(target, exp.Schema) else target)
    key = tables.get(table)
    if key is None:
        return
    if isinstance(target, exp.Schema) and key not in {c.name for c in target.expressions}:
        yield f"an insert into {table} without {key}"
    conflict = insert.args.get("conflict")
    if conflict is not None and key not in {i.name for k in conflict.args.get("conflict_keys") or () for i in [k]}:
        yield f"ON CONFLICT of {table} without {key}"


# Files --------------------------------------------------------------------------------------------------------------


def file_breaches(found: Found, tables: Tables) -> Iterator[str]:
    """What is wrong in one text."""
    if _BANNED.search(found.text):
        yield "a trigger, an extension or MERGE"
    if found.target:
        yield from _set_breaches(found, tables)
        return
    try:
        statements = parsed(found.text)
    except Unreadable as error:
        yield f"cannot be read: {error}"
        return
    for statement in statements:
        if _ANY.search(found.text) and _holds(statement):
            yield "many partitions in one condition of a write or lock"
        yield from table_breaches(statement, tables)
        yield from statement_breaches(statement, tables)


def _holds(statement: exp.Expr) -> bool:
    """Whether a statement writes or locks."""
    changes = statement.find(exp.Update, exp.Delete, exp.Insert) is not None
    return changes or any(select.args.get("locks") for select in statement.find_all(exp.Select))


def _set_breaches(found: Found, tables: Tables) -> Iterator[str]:
    key = tables.get(found.target)
    if key and found.columns is not None and key not in found.columns:
        yield f"the rows of {found.target} are named without {key}"
    if key and found.text and not re.match(rf"\s*\((?:[\w, ]*,)?\s*{key}\b", found.text):
        yield f"ON CONFLICT of {found.target} without {key}"


def written(found: Found, tables: Tables) -> set[str]:
    """The keys of the tables that a text writes."""
    if found.target:
        return {tables[found.target]} if found.target in tables else set()
    try:
        changes = [c for s in parsed(found.text) for c in s.find_all(exp.Update, exp.Delete, exp.Insert)]
    except Unreadable:
        return set()
    targets = [c.this.this if isinstance(c.this, exp.Schema) else c.this for c in changes]
    return {tables[name] for t in targets if (name := _name(t)) in tables}


def breaches(roots: list[Path]) -> list[str]:
    """Every breach below the roots, a line each."""
    texts = {path: sql_file(path) for root in roots for path in sorted(root.rglob("*.sql"))}
    defined = [s for found in texts.values() for text in found for s in parsed(text.text)]
    tables = keyed_tables(defined)
    texts |= {path: sql_texts(path) for root in roots for path in sorted(root.rglob("*.py"))}
    lines = []
    for path, found in texts.items():
        writes: dict[str, set[str]] = {}
        for text in found:
            if not text.excused:
                lines += [f"{path}:{text.line}: {breach}" for breach in file_breaches(text, tables)]
                writes.setdefault(text.function, set()).update(written(text, tables) if text.function else ())
        for function, keys in writes.items():
            if len(keys) > 1:
                lines.append(f"{path}: {function} writes tables of both families, orders and inventory")
    return lines


def main(roots: list[str]) -> int:
    """Print every breach below the roots; the exit status is 1 if there is one."""
    found = breaches([Path(root) for root in roots])
    print("\n".join(found) or "sql: every statement keeps to its partition")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

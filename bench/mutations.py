"""Small changes of a module, one at a time: `mutants(source)`. Of its Python and of the SQL in its texts.

What a message of an error says, what a fail point is called, and annotations are left alone: no promise is in them.
Names of columns and keys are too: a wrong one is an error that any test finds, and would only flatter the figure.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Mod: ast.FloorDiv, ast.BitOr: ast.BitAnd,
}  # fmt: skip
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
SILENT = {"ValueError", "RuntimeError", "Again"}
OF_COLUMNS = {"order_by", "values", "annotate", "aggregate"}

# What makes a text SQL: a word of it, a column's assignment to be filled in, or a truth on its own.
SQL = re.compile(r"\b(SELECT|UPDATE|INSERT|WHERE|FROM|AND|OR|RETURNING|SET|LIMIT|ORDER BY|VALUES)\b|\} = |^false$")
NAME = r"[\w.\"«»]+"
# Assignments stay: "SET x <> y" is no change but an error of syntax, which any test finds. So does an index.
IN_SQL: list[tuple[str, str]] = [
    (r">=", ">"), (r"<=", "<"), (r" > ", " >= "), (r" < ", " <= "), (r" \+ ", " - "), (r" - ", " + "),
    (r" / ", " * "), (r" %% ", " / "), (r"\bNOT ", ""), (r"\bAND\b", "OR"), (r"\bOR\b", "AND"),
    (r"LEFT JOIN", "JOIN"), (rf"(?<=WHERE )({NAME}) = ", r"\1 <> "), (rf"(?<=AND )({NAME}) = ", r"\1 <> "),
    (rf"(?<=ON )({NAME}) = ", r"\1 <> "), (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
    (r"ORDER BY ((\(«\d+»\)|[\w.\"«», ])+?)(?= FOR| LIMIT|\)|$)", ""), (r" DESC", ""),
    (r" ?FOR NO KEY UPDATE( OF \w+)?( SKIP LOCKED)?", ""), (r" SKIP LOCKED", ""),
    (r"(?<!SELECT )(?<![\w\[«])0(?![\w\]»])", "1"), (r"(?<!SELECT )(?<![\w\[«])1(?![\w\]»])", "2"),
]  # fmt: skip

Change = Callable[[Any], ast.AST]


@dataclass(frozen=True)
class Mutant:
    """`tree` is the module with one change: in line `line`, which reads `text`."""

    line: int
    text: str
    what: str
    tree: ast.Module


def mutants(source: str) -> list[Mutant]:
    """Every mutant of `source`; no two have the same line and `what`."""
    lines = source.splitlines()
    seen: Counter[tuple[int, str]] = Counter()
    found = []
    for number, node in _places(ast.parse(source)):
        for what, change in _changes(node):
            tree = ast.parse(source)
            place = list(ast.walk(tree))[number]
            changed = _Put(place, change(place)).visit(tree)
            assert isinstance(changed, ast.Module)
            ast.fix_missing_locations(changed)
            line = (node.ifs[0] if isinstance(node, ast.comprehension) else node).lineno  # type: ignore[attr-defined]
            seen[line, what] += 1
            again = f" ({seen[line, what]})" if seen[line, what] > 1 else ""
            found.append(Mutant(line, lines[line - 1].strip(), what + again, changed))
    return sorted(found, key=lambda one: one.line)


class _Put(ast.NodeTransformer):
    """Puts a node in the place of another."""

    def __init__(self, place: ast.AST, changed: ast.AST) -> None:
        self.place = place
        self.changed = changed

    def visit(self, node: ast.AST) -> ast.AST:
        return self.changed if node is self.place else self.generic_visit(node)


def _places(tree: ast.Module) -> Iterator[tuple[int, ast.AST]]:
    left: set[int] = set()
    nodes = list(ast.walk(tree))
    for node in nodes:
        for one in _left_alone(node):
            left |= {id(within) for within in ast.walk(one)}
    for number, node in enumerate(nodes):
        if id(node) not in left:
            yield number, node


def _left_alone(node: ast.AST) -> list[ast.AST | ast.expr]:
    """What of a node is not to be changed, with all that is in it."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return [node]
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="failpoints")))):
            return [node]
        case ast.Raise(exc=ast.Call(func=ast.Name(id=name), args=args)) if name in SILENT:
            return [*args]
        case ast.Call(func=ast.Attribute(attr=name), args=args) if name in OF_COLUMNS:
            return [*args, *[one.value for one in node.keywords]]
        case ast.Subscript(slice=ast.Constant(value=str()) as key):
            return [key]
        case ast.Dict(keys=keys):
            return [key for key in keys if key]
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return [node]
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return [node]
        case ast.AnnAssign(annotation=annotation):
            return [annotation]
        case ast.arg(annotation=annotation) if annotation:
            return [annotation]
        case ast.FunctionDef(returns=returns) if returns:
            return [returns]
        case ast.JoinedStr(values=values):
            return [value for value in values if isinstance(value, ast.Constant)]
    return []


def _changes(node: ast.AST) -> list[tuple[str, Change]]:
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return _of_text(node)
        case ast.expr():
            return _of_expression(node)
        case ast.stmt():
            return _of_statement(node)
        case ast.comprehension(ifs=[condition]):
            return [(f"'if {ast.unparse(condition)}' left out", _without_condition)]
    return []


def _of_expression(node: ast.expr) -> list[tuple[str, Change]]:
    match node:
        case ast.Compare(ops=[first, *_]) if type(first) in COMPARE:
            return [("comparison turned", lambda one: _with(one, ops=[COMPARE[type(first)](), *one.ops[1:]]))]
        case ast.BinOp(op=sign) if type(sign) in ARITHMETIC:
            return [("arithmetic changed", lambda one: _with(one, op=ARITHMETIC[type(sign)]()))]
        case ast.BoolOp(op=ast.And()):
            return [("'and' made 'or'", lambda one: _with(one, op=ast.Or()))]
        case ast.BoolOp(op=ast.Or()):
            return [("'or' made 'and'", lambda one: _with(one, op=ast.And()))]
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            return [(f"'{ast.unparse(node)}' without its sign", lambda one: one.operand)]
        case ast.IfExp(test=test) if not _turns(test):
            return [("condition negated", _negated)]
        case ast.Constant(value=bool(value)):
            return [(f"{value} made {not value}", lambda one: _with(one, value=not value))]
        case ast.Constant(value=int(number)):
            return [(f"{number} made {number + 1}", lambda one: _with(one, value=number + 1))]
        case ast.Call():
            return list(_of_call(node))
    return []


def _of_call(node: ast.Call) -> Iterator[tuple[str, Change]]:
    match node.func:
        case ast.Name(id="sorted"):
            yield f"'{ast.unparse(node)[:50]}' not sorted", lambda one: _with(one, func=_name("list"), keywords=[])
        case ast.Name(id=name) if name in CALLED:
            yield f"{name} made {CALLED[name]}", lambda one: _with(one, func=_name(CALLED[name]))
        case ast.Attribute(attr="select_for_update"):
            yield ".select_for_update() left out", lambda one: one.func.value
        case ast.Attribute(attr="order_by"):
            yield ".order_by() left out", lambda one: one.func.value
            for place, column in enumerate(node.args):
                yield f"order by {ast.unparse(column)} turned", partial(_turned, at=place)
        case ast.Attribute(attr="filter"):
            for place, keyword in enumerate(node.keywords):
                yield (
                    f"filter's '{keyword.arg or ast.unparse(keyword.value)}' left out",
                    partial(_without_keyword, at=place),
                )


def _of_statement(node: ast.stmt) -> list[tuple[str, Change]]:
    match node:
        case ast.If(test=test) if not _turns(test):
            return [("condition negated", _negated)]
        case ast.Expr(value=ast.Call()):
            return [(f"'{ast.unparse(node)[:60]}' left out", lambda one: ast.Pass())]
        case ast.Raise():
            return [("raise left out", lambda one: ast.Pass())]
        case ast.Break() | ast.Continue():
            return [(f"{ast.unparse(node)} left out", lambda one: ast.Pass())]
        case ast.AugAssign(op=sign) if type(sign) in ARITHMETIC:
            return [("arithmetic changed", lambda one: _with(one, op=ARITHMETIC[type(sign)]()))]
        case ast.With(items=[ast.withitem(context_expr=context)]) if "atomic" in ast.unparse(context):
            return [("savepoint left out", lambda one: ast.If(ast.Constant(True), one.body, []))]
    return []


def _of_text(node: ast.Constant | ast.JoinedStr) -> list[tuple[str, Change]]:
    text, filled = _template(node)
    if SQL.search(text):
        return [(f"SQL: {what}", partial(_text, text=to)) for what, to in _in_sql(text, filled).items()]
    return [(f"text '{_shown(text, filled)[:40]}' changed", lambda one: _text(one, text + "x"))]


def _in_sql(text: str, filled: list[ast.expr]) -> dict[str, str]:
    """Each change of one place of a statement: what it is, with what stands around it, and the statement then."""
    found = {}
    for pattern, instead in IN_SQL:
        for match in re.finditer(pattern, text, re.MULTILINE):
            changed = text[: match.start()] + match.expand(instead) + text[match.end() :]
            around = " ".join(_shown(text[max(0, match.start() - 30) : match.end() + 20], filled).split())
            what = f"'{match[0].strip()}' made '{match.expand(instead).strip()}' in '{around}'"
            found[_shown(what, filled)] = changed
    return found


def _template(node: ast.Constant | ast.JoinedStr) -> tuple[str, list[ast.expr]]:
    """The text, «n» standing for what is filled in at the n-th place."""
    if isinstance(node, ast.Constant):
        return str(node.value), []
    filled = [one for one in node.values if not isinstance(one, ast.Constant)]
    return "".join(
        str(one.value) if isinstance(one, ast.Constant) else f"«{filled.index(one)}»" for one in node.values
    ), filled


def _text(node: ast.AST, text: str) -> ast.expr:
    """The node with another text: the other way round than `_template`."""
    if isinstance(node, ast.Constant):
        return ast.Constant(text)
    assert isinstance(node, ast.JoinedStr)
    filled = _template(node)[1]
    parts = re.split(r"«(\d+)»", text)
    return ast.JoinedStr([filled[int(one)] if at % 2 else ast.Constant(one) for at, one in enumerate(parts)])


def _shown(text: str, filled: list[ast.expr]) -> str:
    for at, one in enumerate(filled):
        text = text.replace(f"«{at}»", ast.unparse(ast.JoinedStr([one]))[2:-1])
    return text


def _with(node: ast.AST, **fields: object) -> ast.AST:
    for name, value in fields.items():
        setattr(node, name, value)
    return node


def _turns(test: ast.expr) -> bool:
    """Whether a change of the condition's own is its negation already."""
    return isinstance(test, ast.UnaryOp) or (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], ast.Eq | ast.NotEq | ast.In | ast.NotIn | ast.Is | ast.IsNot)
    )


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _turned(node: ast.AST, at: int) -> ast.AST:
    """`.order_by("at")` made `.order_by("-at")`, and back."""
    assert isinstance(node, ast.Call)
    column = node.args[at]
    assert isinstance(column, ast.Constant)
    name = str(column.value)
    node.args[at] = ast.Constant(name[1:] if name.startswith("-") else f"-{name}")
    return node


def _negated(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.If | ast.IfExp)
    return _with(node, test=ast.UnaryOp(ast.Not(), node.test))


def _without_condition(node: ast.AST) -> ast.AST:
    return _with(node, ifs=[])


def _without_keyword(node: ast.AST, at: int) -> ast.AST:
    assert isinstance(node, ast.Call)
    return _with(node, keywords=node.keywords[:at] + node.keywords[at + 1 :])

"""The faults that a Python file may get: one small change of its text each.

Left out is what cannot matter: docstrings, annotations, decorators (sizes of caches, slots), help
texts, logging, ``__all__`` and imports for type checkers.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

COMPARISONS = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "//"), ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"), ast.Mod: ("%", "//"), ast.Pow: ("**", "*"), ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"), ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"),
}  # fmt: skip
OPPOSITES = {
    "min": "max", "max": "min", "any": "all", "all": "any", "argmin": "argmax", "argmax": "argmin",
    "minimum": "maximum", "maximum": "minimum",
}  # fmt: skip
HARMLESS_KEYWORDS = {"help", "metavar", "strict", "maxsize"}
MASK = re.compile(rb"(:[^{}:'\"\[\]]+|![rsa])(?=\})")


@dataclass(frozen=True)
class Fault:
    """One change: bytes `start` to `end` of a file become `after`."""

    file: str
    line: int
    kind: str
    start: int
    end: int
    before: str
    after: str

    def __str__(self) -> str:
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"{self.file}:{self.line}  [{self.kind}]  {before} -> {after}"


def apply(fault: Fault, source: bytes) -> bytes:
    """The source with the fault in it."""
    return source[: fault.start] + fault.after.encode() + source[fault.end :]


class Source:
    """The bytes of a file, and where the nodes of its syntax tree begin and end."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file, self.source = file, source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: ast.AST) -> int:
        """Byte at which a node begins; columns of a syntax tree count bytes, too."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.AST) -> int:
        """Byte behind a node."""
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.AST) -> str:
        """The source of a node."""
        return self.source[self.start(node) : self.end(node)].decode()

    def fault(self, kind: str, start: int, end: int, after: str) -> Fault:
        """A fault of these bytes."""
        line = self.source.count(b"\n", 0, start) + 1
        return Fault(self.file, line, kind, start, end, self.source[start:end].decode(), after)

    def whole(self, kind: str, node: ast.AST, after: str) -> Fault:
        """A fault that replaces a node."""
        return self.fault(kind, self.start(node), self.end(node), after)

    def between(
        self, kind: str, left: ast.AST, right: ast.AST, swap: tuple[str, str]
    ) -> Iterator[Fault]:
        """A fault that swaps the operator between two nodes."""
        start, end = self.end(left), self.start(right)
        gap = r"\s+".join(map(re.escape, swap[0].split()))
        operator = re.search(gap, self.source[start:end].decode())
        if operator:
            yield self.fault(kind, start + operator.start(), start + operator.end(), swap[1])


def matters(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, without what cannot matter."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Expr) and re.match(r"log(ging|ger)?\.", ast.unparse(node)):
        return
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        return
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
        return
    yield node
    if isinstance(node, ast.JoinedStr):  # its parts have no positions of their own before 3.12
        return
    for field, value in ast.iter_fields(node):
        if field not in {"annotation", "returns", "decorator_list"}:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from matters(child)


@cache
def candidates(file: str, source: bytes) -> tuple[Fault, ...]:
    """Every fault that a file may get, in the order of its lines."""
    text = Source(file, source)
    nodes = list(matters(ast.parse(source)))
    faults = [fault for node in nodes for changes in CHANGES for fault in changes(text, node)]
    return tuple(
        sorted(faults, key=lambda fault: (fault.start, fault.end, fault.kind, fault.after))
    )


def operators(text: Source, node: ast.AST) -> Iterator[Fault]:
    """Comparisons, arithmetic, and / or, not, minus."""
    if isinstance(node, ast.Compare):
        operands = pairwise([node.left, *node.comparators])
        for (left, right), operator in zip(operands, node.ops, strict=True):
            yield from text.between("comparison", left, right, COMPARISONS[type(operator)])
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield from text.between("arithmetic", node.left, node.right, ARITHMETIC[type(node.op)])
    elif isinstance(node, ast.BoolOp):
        swap = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            yield from text.between("and/or", left, right, swap)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield text.whole("sign dropped", node, f"({text.text(node.operand)})")


def constants(text: Source, node: ast.AST) -> Iterator[Fault]:
    """Booleans flipped, numbers raised by 1 or made 0, formats of f-strings dropped."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield text.whole("boolean", node, str(not node.value))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield text.whole("number", node, repr(node.value + 1))
        if node.value:
            yield text.whole("number", node, "0")
    elif isinstance(node, ast.JoinedStr):
        start = text.start(node)
        for mask in MASK.finditer(text.source, start, text.end(node)):
            yield text.fault("format dropped", mask.start(), mask.end(), "")


def defaults(text: Source, node: ast.AST) -> Iterator[Fault]:
    """Default values of parameters that are texts or None; `constants` changes numbers."""
    if isinstance(node, ast.arguments):
        for default in [*node.defaults, *filter(None, node.kw_defaults)]:
            if isinstance(default, ast.Constant) and isinstance(default.value, str | None):
                yield text.whole("default", default, '""' if default.value else '"fault"')


def statements(text: Source, node: ast.AST) -> Iterator[Fault]:
    """Calls, augmented assignments, raises and jumps dropped; other values returned."""
    dropped = isinstance(node, ast.AugAssign | ast.Raise | ast.Continue | ast.Break) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Yield | ast.YieldFrom)
    )
    if dropped:
        yield text.whole("statement dropped", node, "pass")
    elif isinstance(node, ast.Return) and node.value and ast.unparse(node.value) != "None":
        yield text.whole("return value dropped", node.value, "None")


def calls(text: Source, node: ast.AST) -> Iterator[Fault]:
    """Functions swapped for their opposites, keyword arguments dropped, orders reversed."""
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if name in OPPOSITES:
        end = text.end(node.func)
        yield text.fault("opposite", end - len(name), end, OPPOSITES[name])
    keywords = {keyword.arg for keyword in node.keywords}
    if name == "sorted" and "reverse" not in keywords:
        yield text.fault("reversed", text.end(node) - 1, text.end(node), ", reverse=True)")
    arguments = sorted([*node.args, *node.keywords], key=text.start)
    for before, argument, after in zip(
        [None, *arguments], arguments, [*arguments[1:], None], strict=False
    ):
        if isinstance(argument, ast.keyword) and argument.arg not in {None, *HARMLESS_KEYWORDS}:
            start = text.end(before) if before else text.start(argument)
            end = text.start(after) if after and not before else text.end(argument)
            yield text.fault("keyword dropped", start, end, "")


def locks(text: Source, node: ast.AST) -> Iterator[Fault]:
    """A plain name after ``with``, such as a lock, is not entered."""
    if isinstance(node, ast.With):
        expressions = [item.context_expr for item in node.items]
        for number, (item, expression) in enumerate(zip(node.items, expressions, strict=True)):
            if item.optional_vars or not isinstance(expression, ast.Name | ast.Attribute):
                continue
            start, end = text.start(expression), text.end(expression)
            if len(expressions) == 1:
                yield text.fault("lock dropped", text.start(node), end, "if True")
            elif number == 0:
                yield text.fault("lock dropped", start, text.start(expressions[1]), "")
            else:
                previous = node.items[number - 1]
                left = previous.optional_vars or previous.context_expr
                yield text.fault("lock dropped", text.end(left), end, "")


CHANGES = (operators, constants, defaults, statements, calls, locks)


def valid(fault: Fault, source: bytes) -> bool:
    """Whether the source with the fault is Python, and other Python than before."""
    try:
        return ast.dump(ast.parse(apply(fault, source))) != ast.dump(ast.parse(source))
    except (SyntaxError, ValueError):
        return False

"""Arithmetic of matrices on trees: a sum, product or multiple of matrices becomes the matrix of its entries."""

from __future__ import annotations

from collections.abc import Callable

from judges.math.numbers import MAX_NODES, Undefined, exact
from judges.math.tree import Node, TooBig, Unreadable, contains, number, walk

MAX_SIZE = 12


def matrix(node: Node) -> Node:
    """The matrix that an expression of matrices and scalars gives. Raises `Unreadable` where sizes do not fit."""
    tag = node[0]
    if tag == "matrix":
        if len(node) > MAX_SIZE or len(node[1]) > MAX_SIZE:
            raise Unreadable("a matrix that is too large")
        return node
    if tag == "neg":
        return _each(matrix(node[1]), lambda entry: ("neg", entry))
    if tag == "div" and not contains(node[2], "matrix"):
        return _each(matrix(node[1]), lambda entry: ("div", entry, node[2]))
    if tag == "add":
        total = matrix(node[1])
        for part in node[2:]:
            total = _sum(total, matrix(part))
        return total
    if tag == "mul":
        scalars = [part for part in node[1:] if not contains(part, "matrix")]
        total, *rest = [matrix(part) for part in node[1:] if contains(part, "matrix")]
        for factor in rest:
            total = _each(_product(total, factor), _folded)  # entries would double in size with each factor
        return _each(total, lambda entry: ("mul", *scalars, entry)) if scalars else total
    raise Unreadable("an expression of matrices")


def determinant(rows: Node) -> Node:
    """The determinant of a square matrix, by its first row. Raises `Unreadable` beyond four rows."""
    size = len(rows) - 1
    if size != len(rows[1]) or size > 4:
        raise Unreadable("a determinant of no square, or of a large one")
    if size == 1:
        entry: Node = rows[1][0]
        return entry
    terms = []
    for column, entry in enumerate(rows[1]):
        minor = ("matrix", *((*row[:column], *row[column + 1 :]) for row in rows[2:]))
        term = ("mul", entry, determinant(minor))
        terms.append(("neg", term) if column % 2 else term)
    return ("add", *terms)


def _each(rows: Node, change: Callable[[Node], Node]) -> Node:
    return ("matrix", *(tuple(change(entry) for entry in row) for row in rows[1:]))


def _folded(entry: Node) -> Node:
    """A number where it is one. Raises `TooBig` for an expression of too many parts."""
    if sum(1 for _ in zip(walk(entry), range(MAX_NODES), strict=False)) == MAX_NODES:
        raise TooBig("a product of matrices with too large entries")
    try:
        value = exact(entry)
    except Undefined as error:
        raise Unreadable(str(error)) from error
    return entry if value is None or contains(entry, "dec") else number(value)


def _sum(left: Node, right: Node) -> Node:
    if len(left) != len(right) or len(left[1]) != len(right[1]):
        raise Unreadable("a sum of matrices of unequal size")
    pairs = zip(left[1:], right[1:], strict=True)
    return ("matrix", *(tuple(("add", a, b) for a, b in zip(*rows, strict=True)) for rows in pairs))


def _product(left: Node, right: Node) -> Node:
    if len(left[1]) != len(right) - 1:
        raise Unreadable("a product of matrices whose sizes do not fit")
    columns = list(zip(*right[1:], strict=True))
    return (
        "matrix",
        *(
            tuple(("add", *(("mul", a, b) for a, b in zip(row, column, strict=True))) for column in columns)
            for row in left[1:]
        ),
    )

"""Arithmetic of matrices on trees: a sum, product or multiple of matrices becomes the matrix of its entries."""

from __future__ import annotations

from collections.abc import Callable

from judges.math.tree import Node, Unreadable, contains

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
            total = _product(total, factor)
        return _each(total, lambda entry: ("mul", *scalars, entry)) if scalars else total
    raise Unreadable("an expression of matrices")


def _each(rows: Node, change: Callable[[Node], Node]) -> Node:
    return ("matrix", *(tuple(change(entry) for entry in row) for row in rows[1:]))


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

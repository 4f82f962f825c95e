"""What an answer names and what it lists: `x = 5` gives 5 a name, and 3 ± 1 is the list of 4 and 2."""

from __future__ import annotations

from judges.math.tree import SETS, Node, contains, symbols


def expand(node: Node) -> Node:
    """The tree with each plus-minus written out as two members, nested lists flattened and names spread over lists."""
    tag = node[0]
    if tag in ("list", "set"):
        members: list[Node] = []
        for member in node[1:]:
            grown = expand(member)
            members.extend(grown[1:] if grown[0] == "list" else [grown])
        return _unnamed((tag, *members))
    if tag == "seq":
        return _unnamed((*node[:3], *(expand(member) for member in node[3:])))
    if tag == "rel" and node[1] == ("=",) and node[2][1][0] not in ("list",):
        grown = expand(node[2][1])
        return ("rel", node[1], (node[2][0], grown)) if grown[0] == "list" else node
    if tag in ("rel", "matrix", "text", "unit", "ratio", *SETS) or not contains(node, "pm", "mp"):
        return node
    return ("list", _choose(node, "pm"), _choose(node, "mp"))


def _unnamed(node: Node) -> Node:
    """`AB = 4, CD = 5` is the tuple of its values, `x = 1, x = 2` and `n = 1, 2, 3` the list of them."""
    head = 3 if node[0] == "seq" else 1
    members = node[head:]
    named = [
        member for member in members if member[0] == "rel" and set(member[1]) <= {"=", "~"} and is_name(member[2][0])
    ]
    if not named:
        return node
    names = [member[2][0] for member in named]
    if any(len(member[1]) > 1 for member in named):
        return node
    values: list[Node] = []
    for member in members:
        value = member[2][-1] if member in named else member
        values.extend(value[1:] if value[0] == "list" else [value])
    if node[0] == "list" and len(named) == len(members) and len(set(names)) == len(names) > 1:
        return ("seq", "(", ")", *values)
    if len(named) == len(members) or (len(named) == 1 and members[0] in named):
        return (*node[:head], *values)
    return node


def assignments(node: Node) -> dict[Node, Node]:
    """Name to value for `x = 1, y = 2` in any order; empty for all else."""
    members = node[1:] if node[0] == "list" else ()
    table = {
        member[2][0]: member[2][1]
        for member in members
        if member[0] == "rel" and member[1] == ("=",) and is_name(member[2][0])
    }
    return table if len(table) == len(members) > 1 else {}


def is_name(node: Node) -> bool:
    """Whether a tree only names something: x, AB, f(x), |AB|, V_1 : V_2, (p, q), or words."""
    tag = node[0]
    if tag in ("sym", "text"):
        return True
    if tag == "fn":
        return (node[1] == "apply") or (node[1] == "abs" and is_name(node[2]))
    if tag in ("mul", "div", "ratio", "list"):
        return all(is_name(part) for part in node[1:])
    return tag == "seq" and all(is_name(part) for part in node[3:])


def asks_for(node: Node) -> bool:
    """Whether the left side of an equation is what the right side is the value of: x + y = 12, but not 2x = 12."""
    if node[0] in ("add", "mul", "div", "neg"):
        parts = [part for part in node[1:] if contains(part, "sym", "text")]
        return not parts or (len(parts) == len(node) - 1 and all(map(asks_for, parts)))
    return node[0] != "pow" or asks_for(node[1])


def renamed(target: Node, response: Node) -> Node:
    """The response with the target's variables, matched by position, where both have as many."""
    ours, theirs = symbols(target), symbols(response)
    if ours == theirs or len(ours) != len(theirs):
        return response
    table = dict(zip(theirs, ours, strict=True))

    def rename(node: Node) -> Node:
        if node[0] == "sym":
            return ("sym", table[node[1]])
        return tuple(rename(part) if isinstance(part, tuple) and part else part for part in node)

    return rename(response)


def _choose(node: Node, positive: str) -> Node:
    if node[0] in ("pm", "mp"):
        inner = _choose(node[1], positive)
        return inner if node[0] == positive else ("neg", inner)
    return tuple(_choose(part, positive) if isinstance(part, tuple) and part else part for part in node)

"""The breakdown itself: product -> services -> resources, explained line by line.

Pure: the same ordered products and release give the same tree; new things are numbered by ``new_id``.
"""

from collections.abc import Callable, Sequence
from typing import Any

from diaodu.catalog.model import DecompositionRule, Node, Release, Tree, plain
from diaodu.decomposition.model import OrderedProduct


def decompose(products: Sequence[OrderedProduct], release: Release, new_id: Callable[[], int]) -> Tree:
    """The tree of all products of a revision, parents before children.

    A node that a rule marks as shared is made once per group and names all products that use it; a thing that
    is installed, or was made by an earlier revision, keeps its identity.
    """
    nodes: dict[int, Node] = {}
    shared: dict[tuple[str, str], int] = {}

    def place(product: OrderedProduct, rule: DecompositionRule, parent: Node) -> None:
        key = (product.group, rule.yields)
        if rule.shared and key in shared:
            there = nodes[shared[key]]
            users = tuple(dict.fromkeys((*there.users, product.product_id)))
            nodes[there.thing_id] = _with_users(there, users)
            return
        thing = product.things.get(rule.yields) or product.before.get((rule.yields, rule.role))
        if thing is None or thing in nodes:  # two of a kind are two things
            thing = new_id()
        node = _node(product, rule, parent, thing)
        nodes[node.thing_id] = node
        if rule.shared:
            shared[key] = node.thing_id
        expand(product, node)

    def expand(product: OrderedProduct, parent: Node) -> None:
        names = {**product.names, "上级": parent.characteristics}
        for rule in release.rules.get(parent.spec, ()):
            if rule.when is None or rule.when.evaluate(names) is True:
                place(product, rule, parent)

    for product in products:
        root = Node(
            thing_id=product.product_id,
            spec=product.spec,
            item_key=product.item_key,
            group=product.group,
            parent=None,
            role="main",
            characteristics=product.characteristics,
            rule=None,
            reason={"zh": f"订单项 {product.item_key} 订购", "en": f"ordered by item {product.item_key}"},
        )
        nodes[root.thing_id] = root
        expand(product, root)
    return Tree(tuple(nodes.values()))


def _node(product: OrderedProduct, rule: DecompositionRule, parent: Node, thing_id: int) -> Node:
    names: dict[str, Any] = {**product.names, "上级": parent.characteristics}
    return Node(
        thing_id=thing_id,
        spec=rule.yields,
        item_key=product.item_key,
        group=product.group,
        parent=parent.thing_id,
        role=rule.role,
        characteristics={name: plain(e.evaluate(names)) for name, e in rule.characteristics.items()},
        rule=rule.id,
        reason=rule.reason,
        users=(product.product_id,) if rule.shared else (),
    )


def _with_users(node: Node, users: tuple[int, ...]) -> Node:
    return Node(**(vars(node) | {"users": users}))

"""What the seller chooses of a document's looks: the text of its lines, its due date and its branding theme."""

from __future__ import annotations

import re
from dataclasses import dataclass

from amazon_to_xero.domain.amazon.business_buyer import BuyerReference
from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.order import Order, OrderItem
from amazon_to_xero.domain.books.texts import cleaned

#: What a template of line descriptions may name.
LINE_FIELDS = ("title", "sku", "item_id", "order_id", "marketplace")
_FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class DocumentStyle:
    """The looks of a connection's invoices and credit notes.

    line_description: template of an item's name, with LINE_FIELDS in braces; empty for title and SKU.
    due_days: days from an invoice's date to its due date.
    branding_theme: name of a branding theme of the organisation; empty for its default one.
    buyer_references: what of a business buyer's references an invoice's Reference has.
    """

    line_description: str = ""
    due_days: int = 0
    branding_theme: str = ""
    buyer_references: frozenset[BuyerReference] = frozenset()

    def item_name(self, order: Order, item: OrderItem) -> str:
        """Return how lines name an item; by its id where Amazon states nothing else of it."""
        title, sku = cleaned(item.title), cleaned(item.sku)
        if not self.line_description:
            return f"{title} ({sku})" if title and sku else title or sku or item.item_id
        place = MARKETPLACES.get(order.marketplace_id)
        values = {
            "title": title,
            "sku": sku,
            "item_id": item.item_id,
            "order_id": order.order_id,
            "marketplace": place.name if place else "",
        }
        return cleaned(_FIELD.sub(lambda found: values[found[1]], self.line_description)) or item.item_id


def unknown_fields(template: str) -> list[str]:
    """Return what a template has in braces that is none of LINE_FIELDS, and braces that have no other."""
    rest = _FIELD.sub("", template)
    unknown = [f"{{{name}}}" for name in _FIELD.findall(template) if name not in LINE_FIELDS]
    return unknown + [brace for brace in "{}" if brace in rest]

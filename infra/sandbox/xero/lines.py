"""The lines of a document: amounts, tax, totals, and the accounts and tax rates they may use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .books import Books
from .records import Document, Line
from .tracking import reported_under
from .values import TEN_THOUSANDTH, ZERO, read_number, read_objects, read_text, to_cents, utf16_length

# Account class -> the key of a tax rate that says whether it applies to that class.
_APPLICABILITY_KEYS = {
    "REVENUE": "CanApplyToRevenue",
    "EXPENSE": "CanApplyToExpenses",
    "ASSET": "CanApplyToAssets",
    "LIABILITY": "CanApplyToLiabilities",
    "EQUITY": "CanApplyToEquity",
}
# Only Xero itself posts to these accounts.
_RESERVED_SYSTEM_ACCOUNTS = {
    "DEBTORS",
    "CREDITORS",
    "BANKCURRENCYGAIN",
    "REALISEDCURRENCYGAIN",
    "UNREALISEDCURRENCYGAIN",
}


class DocumentLines:
    """Calculate and check the lines of documents against one organisation's books."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def apply(
        self,
        document: Document,
        line_items: Any,
        decimals: int,
        problems: list[str],
        *,
        must_be_complete: bool,
        recalculate: bool,
    ) -> Document:
        """Return the document with its lines and totals; append what is wrong with them to `problems`.

        line_items: the request's LineItems, which replace the lines; None keeps them.
        decimals: of unit amounts.
        must_be_complete: whether the lines must be ready to be posted.
        recalculate: calculate the tax of kept lines again.
        """
        if line_items is not None:
            sent = read_objects(line_items, "LineItems")
            lines = tuple(self._read_line(document, raw, decimals, problems) for raw in sent)
        elif recalculate:
            lines = tuple(self._with_tax(document, line, None, problems) for line in document.lines)
        else:
            lines = document.lines
        for line in lines:
            self._check_line(document, line, problems, must_be_complete=must_be_complete)
        return _with_totals(replace(document, lines=lines))

    def _read_line(self, document: Document, raw: dict[str, Any], decimals: int, problems: list[str]) -> Line:
        item = self._item_fields(raw, problems)
        defaults = item.get("SalesDetails" if document.is_sale else "PurchaseDetails") or {}
        amounts = _LineAmounts.read(raw, defaults)
        if amounts.is_discounted and document.type != "ACCREC":
            problems.append("Discounts are only supported on ACCREC invoices")
        quantity, unit_amount, line_amount = amounts.complete(decimals, problems)
        account = self.books.account(
            read_text(raw.get("AccountCode")) or read_text(defaults.get("AccountCode")), read_text(raw.get("AccountID"))
        )
        existing_ids = {line.line_item_id for line in document.lines}
        sent_tracking = read_objects(raw.get("Tracking"), "Tracking")
        line_item_id = (read_text(raw.get("LineItemID")) or "").lower()
        line = Line(
            line_item_id=line_item_id if line_item_id in existing_ids else self.books.new_id(),
            description=read_text(raw.get("Description")) or read_text(item.get("Description")),
            quantity=quantity,
            unit_amount=unit_amount,
            line_amount=line_amount,
            tax_amount=ZERO,
            tax_type=read_text(raw.get("TaxType"))
            or read_text(defaults.get("TaxType"))
            or (account.get("TaxType") if account else None),
            account_code=account.get("Code") if account else read_text(raw.get("AccountCode")),
            account_id=account["AccountID"] if account else None,
            item_code=read_text(raw.get("ItemCode")),
            discount_rate=amounts.discount_rate,
            discount_amount=amounts.discount_amount,
            tracking=reported_under(sent_tracking, self.books.tracking),
        )
        if line.description and utf16_length(line.description) > 4000:
            problems.append("The line item Description must not be longer than 4000 characters.")
        if len(sent_tracking) > 2:
            problems.append("A line item can have at most 2 tracking categories.")
        return self._with_tax(document, line, read_number(raw.get("TaxAmount"), "TaxAmount"), problems)

    def _item_fields(self, raw: dict[str, Any], problems: list[str]) -> dict[str, Any]:
        code = read_text(raw.get("ItemCode"))
        if code is None:
            return {}
        item = self.books.items.get(self.books.item_by_code.get(code.casefold(), ""))
        if item is None:
            problems.append(f"Item code '{code}' is not valid")
            return {}
        return item.fields

    def _with_tax(self, document: Document, line: Line, tax_amount: Decimal | None, problems: list[str]) -> Line:
        """Return the line with its tax, rounded to cents per line. A tax amount in the request overrides the rate."""
        if line.quantity is None and line.unit_amount is None and line.account_code is None and tax_amount is None:
            return replace(line, tax_amount=ZERO)  # a remark: no tax type is filled in
        if document.line_amount_types == "NoTax":
            return replace(line, tax_type="NONE", tax_amount=ZERO)
        if line.tax_type is None:
            return replace(line, tax_amount=to_cents(tax_amount or ZERO))
        rate = self.books.tax_rates.get(line.tax_type)
        if rate is None or rate.get("Status") != "ACTIVE":
            problems.append(
                f"The TaxType code {line.tax_type} does not exist or cannot be used for this type of transaction."
            )
            return line
        if tax_amount is not None:
            if line.unit_amount is not None and abs(tax_amount) > abs(line.unit_amount):
                problems.append("The TaxAmount specified cannot be greater than the UnitAmount.")
            return replace(line, tax_amount=to_cents(tax_amount))
        percent = Decimal(str(rate["EffectiveRate"]))
        if document.line_amount_types == "Inclusive":
            return replace(line, tax_amount=to_cents(line.line_amount * percent / (100 + percent)))
        return replace(line, tax_amount=to_cents(line.line_amount * percent / 100))

    def _check_line(self, document: Document, line: Line, problems: list[str], *, must_be_complete: bool) -> None:
        if must_be_complete and not line.description:
            problems.append("Description cannot be empty.")
        has_no_amounts = line.quantity is None and line.unit_amount is None and line.account_code is None
        if has_no_amounts and line.description:
            return
        if line.account_code is None and line.account_id is None:
            if must_be_complete:
                problems.append("Account code or ID must be specified")
                if line.tax_type is None:
                    problems.append("The TaxType field is mandatory")
            return
        account = self.books.account(line.account_code, line.account_id)
        if account and account.get("Status") != "ACTIVE":
            problems.append(
                f"Account code '{line.account_code}' has been archived, or has been deleted. "
                "Each line item must reference a valid account."
            )
        elif not account or account["Type"] == "BANK" or account.get("SystemAccount") in _RESERVED_SYSTEM_ACCOUNTS:
            problems.append(f"Account code '{line.account_code}' is not a valid code for this document.")
        elif document.line_amount_types != "NoTax" and line.tax_type:
            rate = self.books.tax_rates.get(line.tax_type, {})
            if not rate.get(_APPLICABILITY_KEYS[account["Class"]]):
                problems.append(
                    f"The TaxType code '{line.tax_type}' cannot be used with account code '{line.account_code}'."
                )


@dataclass(frozen=True)
class _LineAmounts:
    """The amounts of one line as sent; each may be absent."""

    quantity: Decimal | None
    unit_amount: Decimal | None
    line_amount: Decimal | None
    discount_rate: Decimal | None
    discount_amount: Decimal | None

    @classmethod
    def read(cls, raw: dict[str, Any], defaults: dict[str, Any]) -> _LineAmounts:
        quantity = read_number(raw.get("Quantity"), "Quantity")
        unit_amount = read_number(raw.get("UnitAmount"), "UnitAmount")
        line_amount = read_number(raw.get("LineAmount"), "LineAmount")
        if unit_amount is None and line_amount is None:
            unit_amount = read_number(defaults.get("UnitPrice"), "UnitPrice")
        return cls(
            quantity,
            unit_amount,
            line_amount,
            read_number(raw.get("DiscountRate"), "DiscountRate"),
            read_number(raw.get("DiscountAmount"), "DiscountAmount"),
        )

    @property
    def is_discounted(self) -> bool:
        return bool(self.discount_rate or self.discount_amount)

    def complete(self, decimals: int, problems: list[str]) -> tuple[Decimal | None, Decimal | None, Decimal]:
        """Return quantity (4 decimals), unit amount (2 or 4) and line amount (2); calculate the missing one.

        The unit amount is rounded before it is multiplied (Xero: rounding in invoices). A third of a price therefore
        needs unitdp=4 or a quantity of one.
        """
        step = Decimal(1).scaleb(-decimals)
        quantity = self.quantity.quantize(TEN_THOUSANDTH, ROUND_HALF_UP) if self.quantity is not None else None
        unit_amount = self.unit_amount.quantize(step, ROUND_HALF_UP) if self.unit_amount is not None else None
        if self.line_amount is None:
            if quantity is None and unit_amount is None:
                return None, None, ZERO
            quantity = Decimal(1) if quantity is None else quantity
            unit_amount = Decimal(0) if unit_amount is None else unit_amount
            return quantity, unit_amount, self._after_discount(quantity * unit_amount)
        line_amount = to_cents(self.line_amount)
        if quantity is None and unit_amount is None:
            quantity = Decimal(1)
        if quantity is not None and unit_amount is not None:
            expected = self._after_discount(quantity * unit_amount)
            if expected != line_amount:
                problems.append(f"The line total {line_amount} does not match the expected line total {expected}")
        elif unit_amount is None:
            unit_amount = (line_amount / quantity).quantize(step, ROUND_HALF_UP) if quantity else ZERO
        else:
            quantity = (line_amount / unit_amount).quantize(TEN_THOUSANDTH, ROUND_HALF_UP) if unit_amount else ZERO
        return quantity, unit_amount, line_amount

    def _after_discount(self, gross: Decimal) -> Decimal:
        return to_cents(gross * (1 - (self.discount_rate or ZERO) / 100) - (self.discount_amount or ZERO))


def _with_totals(document: Document) -> Document:
    amounts = sum((line.line_amount for line in document.lines), ZERO)
    tax = sum((line.tax_amount for line in document.lines), ZERO)
    if document.line_amount_types == "Inclusive":
        return replace(document, sub_total=amounts - tax, total_tax=tax, total=amounts)
    return replace(document, sub_total=amounts, total_tax=tax, total=amounts + tax)

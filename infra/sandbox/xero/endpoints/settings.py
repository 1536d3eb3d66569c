"""Organisation, accounts, tax rates, currencies, tracking categories and price list items."""

from __future__ import annotations

from sandbox.wire import Request, Response

from .. import fields
from ..books import Books
from ..errors import NotFound
from ..items import Items
from ..listing import select, select_settings
from ..responses import Responses
from ..settings import create_account, create_currency
from ..shapes import Shapes
from . import Endpoint


class SettingsEndpoints:
    def __init__(self, books: Books, responses: Responses) -> None:
        self.books = books
        self.responses = responses
        self.items = Items(books)
        self.shapes = Shapes(books)

    def by_operation(self) -> dict[str, Endpoint]:
        return {
            "getOrganisations": self._get_organisation,
            "getAccounts": self._get_accounts,
            "createAccount": self._create_account,
            "getTaxRates": self._get_tax_rates,
            "getCurrencies": self._get_currencies,
            "createCurrency": self._create_currency,
            "getTrackingCategories": self._get_tracking_categories,
            "getBrandingThemes": self._get_branding_themes,
            "getItems": self._get_items,
            "getItem": self._get_item,
            "createItems": self._create_items,
            "updateOrCreateItems": self._update_or_create_items,
            "updateItem": self._update_or_create_items,
        }

    def _get_organisation(self, request: Request) -> Response:
        return self.responses.records("Organisations", [self.books.organisation])

    def _get_accounts(self, request: Request) -> Response:
        accounts = select_settings(request, self.books.accounts.values(), fields.ACCOUNTS, self.books)
        return self.responses.records("Accounts", accounts)

    def _create_account(self, request: Request) -> Response:
        return self.responses.batch(request, "AccountID", lambda element: create_account(self.books, element), dict)

    def _get_tax_rates(self, request: Request) -> Response:
        rates = select_settings(request, self.books.tax_rates.values(), fields.TAX_RATES, self.books)
        return self.responses.records("TaxRates", rates)

    def _get_currencies(self, request: Request) -> Response:
        currencies = select_settings(request, self.books.currencies.values(), fields.CURRENCIES, self.books)
        return self.responses.records("Currencies", currencies)

    def _create_currency(self, request: Request) -> Response:
        return self.responses.batch(request, "CurrencyID", lambda element: create_currency(self.books, element), dict)

    def _get_tracking_categories(self, request: Request) -> Response:
        """Archived categories are only shown where includeArchived asks for them."""
        shown = (request.parameter("includeArchived") or "").lower() == "true"
        categories = [each for each in self.books.tracking.values() if shown or each["Status"] == "ACTIVE"]
        return self.responses.records(
            "TrackingCategories", select_settings(request, categories, fields.TRACKING_CATEGORIES, self.books)
        )

    def _get_branding_themes(self, request: Request) -> Response:
        return self.responses.records("BrandingThemes", list(self.books.branding_themes.values()))

    def _get_items(self, request: Request) -> Response:
        items = select(request, self.books.items.values(), fields.ITEMS, self.books)
        return self.responses.records("Items", [self.shapes.item(item) for item in items])

    def _get_item(self, request: Request, reference: str) -> Response:
        item = self.items.find(reference)
        if item is None:
            raise NotFound
        return self.responses.records("Items", [self.shapes.item(item)])

    def _create_items(self, request: Request) -> Response:
        return self.responses.batch(request, "ItemID", self.items.create, self.shapes.item)

    def _update_or_create_items(self, request: Request, item_id: str | None = None) -> Response:
        return self.responses.batch(
            request, "ItemID", lambda element: self.items.update_or_create(element, item_id), self.shapes.item
        )

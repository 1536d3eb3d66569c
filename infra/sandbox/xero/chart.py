"""The initial organisations: settings, chart of accounts, tax rates and currencies.

All keys are Xero's own. The same dictionary can therefore be posted to `/_sandbox/organisation`, or compared with the
responses of `GET /Organisation`, `/Accounts`, `/TaxRates` and `/Currencies`. Ids are the same in every run.

The default is a British company that sells on Amazon in six currencies:

    090 Business bank account (BANK)        200 Sales             205 Shipping income     206 Gift wrap income
    210 Promotions   215 Refunds            498 Rounding (system) 412 Amazon fees         310 Cost of goods sold
    610 Accounts receivable (system)        800 Accounts payable (system)                 820 Sales tax (system)
    620 Suspense     630 Inventory          830 Marketplace tax
    CLR-GBP CLR-USD CLR-EUR CLR-CAD CLR-JPY CLR-AUD (BANK, one per currency)
"""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

NAMESPACE = uuid.UUID("7f0d2c53-7a31-5f58-9d0b-0a3c5f6c1a11")

CURRENCY_NAMES = {
    "GBP": "British Pound",
    "USD": "United States Dollar",
    "EUR": "Euro",
    "CAD": "Canadian Dollar",
    "JPY": "Japanese Yen",
    "AUD": "Australian Dollar",
    "NZD": "New Zealand Dollar",
}

# Units of the currency for one pound. For a document without a rate, Xero uses XE.com's rate of the day; the sandbox
# uses constant rates.
DAY_RATES = {
    "GBP": Decimal("1"),
    "USD": Decimal("1.310000"),
    "EUR": Decimal("1.150000"),
    "CAD": Decimal("1.820000"),
    "JPY": Decimal("198.000000"),
    "AUD": Decimal("2.010000"),
    "NZD": Decimal("2.240000"),
}

# Xero uses the Windows names of time zones, without spaces. The sandbox supports only the zones listed here.
TIMEZONES = {
    "GMTSTANDARDTIME": "Europe/London",
    "WEUROPESTANDARDTIME": "Europe/Berlin",
    "ROMANCESTANDARDTIME": "Europe/Paris",
    "CENTRALEUROPESTANDARDTIME": "Europe/Budapest",
    "CENTRALEUROPEANSTANDARDTIME": "Europe/Warsaw",
    "EASTERNSTANDARDTIME": "America/New_York",
    "CENTRALSTANDARDTIME": "America/Chicago",
    "MOUNTAINSTANDARDTIME": "America/Denver",
    "PACIFICSTANDARDTIME": "America/Los_Angeles",
    "ATLANTICSTANDARDTIME": "America/Halifax",
    "AUSEASTERNSTANDARDTIME": "Australia/Sydney",
    "EAUSTRALIASTANDARDTIME": "Australia/Brisbane",
    "WAUSTRALIASTANDARDTIME": "Australia/Perth",
    "NEWZEALANDSTANDARDTIME": "Pacific/Auckland",
    "TOKYOSTANDARDTIME": "Asia/Tokyo",
    "SINGAPORESTANDARDTIME": "Asia/Singapore",
    "UTC": "UTC",
}

ACCOUNT_CLASSES = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "FIXED": "ASSET",
    "INVENTORY": "ASSET",
    "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET",
    "EQUITY": "EQUITY",
    "DEPRECIATN": "EXPENSE",
    "DIRECTCOSTS": "EXPENSE",
    "EXPENSE": "EXPENSE",
    "OVERHEADS": "EXPENSE",
    "CURRLIAB": "LIABILITY",
    "LIABILITY": "LIABILITY",
    "PAYG": "LIABILITY",
    "TERMLIAB": "LIABILITY",
    "OTHERINCOME": "REVENUE",
    "REVENUE": "REVENUE",
    "SALES": "REVENUE",
}

_ALL_CLASSES = ("Assets", "Equity", "Expenses", "Liabilities", "Revenue")
_INCOME_CLASSES = ("Assets", "Equity", "Liabilities", "Revenue")
_COST_CLASSES = ("Assets", "Equity", "Expenses", "Liabilities")

# TaxType, Name, rate, ReportTaxType, account classes it applies to, Status
_Rate = tuple[str, str, str, str, tuple[str, ...], str]

_CUSTOM_TAX_RATES: tuple[_Rate, ...] = (
    ("TAX001", "GST (Canada) 5%", "5", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
    ("TAX002", "HST Ontario 13%", "13", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
    ("TAX003", "German VAT (OSS) 19%", "19", "MOSSSALES", _INCOME_CLASSES, "ACTIVE"),
    ("TAX004", "Consumption tax (Japan) 10%", "10", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
    ("TAX005", "US sales tax 10%", "10", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
    ("TAX006", "Reduced rate withdrawn in 2022 12.5%", "12.5", "OUTPUT", _INCOME_CLASSES, "ARCHIVED"),
)

_TAX_RATES: dict[str, tuple[_Rate, ...]] = {
    "GB": (
        ("OUTPUT2", "20% (VAT on Income)", "20", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("RROUTPUT", "5% (VAT on Income)", "5", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("ZERORATEDOUTPUT", "Zero Rated Income", "0", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("ECZROUTPUT", "Zero Rated EC Goods Income", "0", "ECOUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("ECZROUTPUTSERVICES", "Zero Rated EC Services", "0", "ECOUTPUTSERVICES", _INCOME_CLASSES, "ACTIVE"),
        ("EXEMPTOUTPUT", "Exempt Income", "0", "EXEMPTOUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("NONE", "No VAT", "0", "NONE", _ALL_CLASSES, "ACTIVE"),
        ("INPUT2", "20% (VAT on Expenses)", "20", "INPUT", _COST_CLASSES, "ACTIVE"),
    ),
    "US": (
        ("OUTPUT", "Tax on Sales", "0", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("INPUT", "Tax on Purchases", "0", "INPUT", _COST_CLASSES, "ACTIVE"),
        ("NONE", "Tax Exempt", "0", "NONE", _ALL_CLASSES, "ACTIVE"),
    ),
    "CA": (
        ("OUTPUT", "Tax on Sales", "0", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("INPUT", "Tax on Purchases", "0", "INPUT", _COST_CLASSES, "ACTIVE"),
        ("NONE", "Tax Exempt", "0", "NONE", _ALL_CLASSES, "ACTIVE"),
    ),
    "DE": (
        ("OUTPUT", "Tax on Sales", "19", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("INPUT", "Tax on Purchases", "19", "INPUT", _COST_CLASSES, "ACTIVE"),
        ("NONE", "Tax Exempt", "0", "NONE", _ALL_CLASSES, "ACTIVE"),
    ),
    "AU": (
        ("OUTPUT", "GST on Income", "10", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("EXEMPTEXPORT", "GST Free Exports", "0", "EXEMPTEXPORT", _INCOME_CLASSES, "ACTIVE"),
        ("EXEMPTOUTPUT", "GST Free Income", "0", "EXEMPTOUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("BASEXCLUDED", "BAS Excluded", "0", "BASEXCLUDED", _ALL_CLASSES, "ACTIVE"),
        ("INPUTTAXED", "Input Taxed", "0", "INPUTTAXED", _INCOME_CLASSES, "ACTIVE"),
        ("INPUT", "GST on Expenses", "10", "INPUT", _COST_CLASSES, "ACTIVE"),
    ),
    "NZ": (
        ("OUTPUT2", "15% GST on Income", "15", "OUTPUT", _INCOME_CLASSES, "ACTIVE"),
        ("OUTPUT", "12.5% GST on Income", "12.5", "OUTPUT", _INCOME_CLASSES, "DELETED"),
        ("ZERORATED", "Zero Rated", "0", "OUTPUT", _ALL_CLASSES, "ACTIVE"),
        ("NONE", "No GST", "0", "NONE", _ALL_CLASSES, "ACTIVE"),
        ("INPUT2", "15% GST on Expenses", "15", "INPUT", _COST_CLASSES, "ACTIVE"),
    ),
}

# country: name, base currency, Version, Timezone, then the tax types of sales, of costs and of everything out of scope
_COUNTRIES = {
    "GB": ("Northwind Trading Ltd", "GBP", "UK", "GMTSTANDARDTIME", "OUTPUT2", "INPUT2", "NONE"),
    "US": ("Northwind Trading Inc", "USD", "US", "EASTERNSTANDARDTIME", "OUTPUT", "INPUT", "NONE"),
    "CA": ("Northwind Trading Canada Inc", "CAD", "GLOBAL", "EASTERNSTANDARDTIME", "OUTPUT", "INPUT", "NONE"),
    "DE": ("Northwind Handel GmbH", "EUR", "GLOBAL", "WEUROPESTANDARDTIME", "OUTPUT", "INPUT", "NONE"),
    "AU": ("Northwind Trading Pty Ltd", "AUD", "AU", "AUSEASTERNSTANDARDTIME", "OUTPUT", "INPUT", "BASEXCLUDED"),
    "NZ": ("Northwind Trading NZ Ltd", "NZD", "NZ", "NEWZEALANDSTANDARDTIME", "OUTPUT2", "INPUT2", "NONE"),
}
COUNTRIES = tuple(_COUNTRIES)


def organisation_for(country: str) -> dict[str, Any]:
    """Return the initial Organisation, Accounts, TaxRates and Currencies of a company in that country (ISO code).

    Raise ValueError for a country that is not supported.
    """
    if country not in _COUNTRIES:
        raise ValueError(f"country {country!r} has no sandbox organisation; choose one of {', '.join(COUNTRIES)}")
    name, base, version, timezone, sales_tax, cost_tax, no_tax = _COUNTRIES[country]
    currencies = list(dict.fromkeys([base, *(code for code in CURRENCY_NAMES if code != "NZD")]))
    return {
        "Organisation": {
            "OrganisationID": _id("organisation", country),
            "Name": name,
            "LegalName": name,
            "PaysTax": True,
            "Version": version,
            "OrganisationType": "COMPANY",
            "BaseCurrency": base,
            "CountryCode": country,
            "IsDemoCompany": False,
            "OrganisationStatus": "ACTIVE",
            "FinancialYearEndDay": 31,
            "FinancialYearEndMonth": 3,
            "SalesTaxBasis": "NONE" if version == "GLOBAL" else "ACCRUALS",
            "SalesTaxPeriod": "QUARTERLY",
            "DefaultSalesTax": "Tax Exclusive",
            "DefaultPurchasesTax": "Tax Exclusive",
            "CreatedDateUTC": "/Date(1704067200000)/",
            "OrganisationEntityType": "COMPANY",
            "Timezone": timezone,
            "ShortCode": f"!SB{country}1",
            "Edition": "BUSINESS",
            "Class": "PREMIUM",
            "Addresses": [],
            "Phones": [],
            "ExternalLinks": [],
            "PaymentTerms": {},
        },
        "Accounts": [
            *(
                _account(country, code, label, account_type, tax_type, **more)
                for code, label, account_type, tax_type, more in _chart_of_accounts(sales_tax, cost_tax, no_tax)
            ),
            _bank_account(country, "090", "Business bank account", base, no_tax),
            *(_bank_account(country, f"CLR-{code}", f"Amazon clearing {code}", code, no_tax) for code in currencies),
        ],
        "TaxRates": [_tax_rate(*rate) for rate in (*_TAX_RATES[country], *_CUSTOM_TAX_RATES)],
        "Currencies": [{"Code": code, "Description": CURRENCY_NAMES[code]} for code in currencies],
        "BrandingThemes": [_branding_theme(country, place, name) for place, name in enumerate(("Standard", "Amazon"))],
        "TrackingCategories": [
            _tracking_category(country, "Channel", "FBA", "FBM"),
            _tracking_category(country, "Marketplace", "Europe", "North America"),
        ],
    }


def _chart_of_accounts(
    sales_tax: str, cost_tax: str, no_tax: str
) -> tuple[tuple[str, str, str, str, dict[str, Any]], ...]:
    return (
        ("200", "Sales", "REVENUE", sales_tax, {}),
        ("205", "Shipping income", "REVENUE", sales_tax, {}),
        ("206", "Gift wrap income", "REVENUE", sales_tax, {}),
        ("210", "Promotions", "REVENUE", sales_tax, {}),
        ("215", "Refunds", "REVENUE", sales_tax, {}),
        ("310", "Cost of goods sold", "DIRECTCOSTS", cost_tax, {}),
        ("412", "Amazon fees", "EXPENSE", cost_tax, {}),
        ("498", "Rounding", "EXPENSE", no_tax, {"SystemAccount": "ROUNDING"}),
        ("610", "Accounts receivable", "CURRENT", no_tax, {"SystemAccount": "DEBTORS"}),
        ("620", "Suspense", "CURRLIAB", no_tax, {}),
        ("630", "Inventory", "INVENTORY", no_tax, {}),
        ("800", "Accounts payable", "CURRLIAB", no_tax, {"SystemAccount": "CREDITORS"}),
        ("820", "Sales tax", "CURRLIAB", no_tax, {"SystemAccount": "GST"}),
        ("830", "Marketplace tax", "CURRLIAB", no_tax, {}),
    )


def _branding_theme(country: str, place: int, name: str) -> dict[str, Any]:
    return {
        "BrandingThemeID": _id("branding", country, name),
        "Name": name,
        "Type": "INVOICE",
        "SortOrder": place,
        "CreatedDateUTC": "/Date(1704067200000+0000)/",
    }


def _tracking_category(country: str, name: str, *options: str) -> dict[str, Any]:
    return {
        "TrackingCategoryID": _id("tracking", country, name),
        "Name": name,
        "Status": "ACTIVE",
        "Options": [
            {"TrackingOptionID": _id("tracking", country, name, option), "Name": option, "Status": "ACTIVE"}
            for option in options
        ],
    }


def _id(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join(parts)))


def _account(country: str, code: str, name: str, account_type: str, tax_type: str, **more: Any) -> dict[str, Any]:
    return {
        "AccountID": _id("account", country, code),
        "Code": code,
        "Name": name,
        "Status": "ACTIVE",
        "Type": account_type,
        "TaxType": tax_type,
        "Class": ACCOUNT_CLASSES[account_type],
        "EnablePaymentsToAccount": False,
        "ShowInExpenseClaims": False,
        "UpdatedDateUTC": "/Date(1704067200000+0000)/",
        "AddToWatchlist": False,
        **more,
    }


def _bank_account(country: str, code: str, name: str, currency: str, tax_type: str) -> dict[str, Any]:
    number = str(uuid.UUID(_id("bank", country, code)).int)[:8]
    return _account(
        country,
        code,
        name,
        "BANK",
        tax_type,
        BankAccountNumber=number,
        BankAccountType="BANK",
        CurrencyCode=currency,
    )


def _tax_rate(
    tax_type: str, name: str, rate: str, report: str, account_classes: tuple[str, ...], status: str
) -> dict[str, Any]:
    percent = Decimal(rate).quantize(Decimal("0.0000"))
    return {
        "Name": name,
        "TaxType": tax_type,
        "ReportTaxType": report,
        **{f"CanApplyTo{account_class}": account_class in account_classes for account_class in _ALL_CLASSES},
        "DisplayTaxRate": percent,
        "EffectiveRate": percent,
        "Status": status,
        "TaxComponents": [{"Name": name, "Rate": percent, "IsCompound": False, "IsNonRecoverable": False}],
    }

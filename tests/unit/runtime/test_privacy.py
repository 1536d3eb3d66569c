"""Buyer data stays out of the table and out of the libraries' logs.

What Xero's messages are redacted to is tested with the adapter that passes them on: test_xero_privacy.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order import parse_order
from amazon_to_xero.runtime.privacy import storable_order
from fakes.order_life import desired_documents
from fakes.orders import breakdown, item, order

CANARY = "Canary"


def order_with_all_buyer_data() -> dict[str, Any]:
    """Return an order with every field of Amazon's Order that may say who the buyer is, or what they wrote."""
    sold = item("15.00", breakdown("ITEM", "12.00"), breakdown("SHIPPING", "3.00"), quantity=2)
    sold["product"] |= {
        "customization": {"customizedUrl": "https://zme.example/Canary-engraving.zip"},
        "serialNumbers": ["CanarySerial"],
        "condition": {"conditionNote": "Canary"},
    }
    sold["fulfillment"] = {
        "quantityFulfilled": 2,
        "quantityUnfulfilled": 0,
        "packing": {"giftOption": {"giftMessage": "Happy birthday from Canary", "giftWrapLevel": "Classic"}},
        "shipping": {"scheduledDeliveryWindow": "Canary", "internationalShipping": {"iossNumber": "CanaryIOSS"}},
        "picking": {"substitutionPreference": {"substitutionType": "Canary"}},
    }
    sold["tax"] = {
        "taxCollections": [{"model": "NONE_YET", "responsibleParty": "Amazon", "registrationOfTheBuyer": "Canary"}],
        "taxCalculationBreakdowns": [{"reportingScheme": "UOSS", "customerVatNumber": "CanaryVAT"}],
    }
    sold["cancellation"] = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Canary moved house"}}
    return order(
        sold,
        grand_total="15.00",
        orderAliases=[{"aliasId": "CanaryAlias", "aliasType": "SELLER_ORDER_ID"}],
        buyer={
            "buyerName": "Canary Buyer",
            "buyerEmail": "Canary@marketplace.example",
            "buyerCompanyName": "Canary Ltd",
            "buyerPurchaseOrderNumber": "PO-Canary",
        },
        recipient={
            "deliveryAddress": {
                "name": "Canary Buyer",
                "companyName": "Canary Ltd",
                "addressLine1": "1 Canary Street",
                "addressLine2": "Canary Flat",
                "addressLine3": "c/o Canary",
                "city": "Canarytown",
                "districtOrCounty": "Canaryshire",
                "municipality": "Canary",
                "postalCode": "Canary1",
                "phone": "+44 Canary",
                "addressType": "Canary",
                "extendedFields": {"streetName": "Canary Street", "complement": "Canary"},
                "countryCode": "GB",
                "stateOrRegion": "Kent",
            },
            "deliveryPreference": {"dropOffLocation": "Canary's neighbour", "addressInstruction": "Canary gate code"},
        },
        payment={"paymentExecutions": [{"paymentMethod": "Canary"}]},
        programs=["AMAZON_BUSINESS"],
        tax={
            "taxRegistrations": [{"taxRegistrationId": "CanaryVAT", "legalName": "Canary"}],
            "invoicing": {"x": "Canary"},
        },
        packages=[
            {
                "packageReferenceId": "1",
                "shipTime": "2026-11-02T09:00:00Z",
                "trackingNumber": "TRACKING0001",
                "carrier": "Royal Mail",
                "shipFromAddress": {"name": "Canary"},
                "packageStatus": {"status": "SHIPPED"},
                "packageItems": [{"orderItemId": "10000000000001", "quantity": 2}],
            }
        ],
        fulfillmentOrders=[{"x": "Canary"}],
        aFieldAmazonAddsTomorrow={"x": "Canary"},
    )


# --- what is stored of an order ---------------------------------------------------------------------------------------


def test_stored_order_contains_no_buyer_data() -> None:
    raw = order_with_all_buyer_data()
    assert json.dumps(raw).count(CANARY) >= 33

    assert CANARY not in json.dumps(storable_order(raw))


def test_stored_order_contains_all_that_its_documents_need() -> None:
    raw = order_with_all_buyer_data()
    stored = storable_order(raw)

    assert isinstance(desired_documents(raw), list)
    assert desired_documents(stored) == desired_documents(raw)
    assert stored["recipient"] == {"deliveryAddress": {"countryCode": "GB", "stateOrRegion": "Kent"}}
    assert parse_order(stored) == parse_order(raw)
    assert (parse_order(stored).business, parse_order(stored).items[0].schemes) == (True, {"UOSS"})
    assert stored["packages"] == [
        {
            "packageReferenceId": "1",
            "packageStatus": {"status": "SHIPPED"},
            "carrier": "Royal Mail",
            "trackingNumber": "TRACKING0001",
            "shipTime": "2026-11-02T09:00:00Z",
            "packageItems": [{"orderItemId": "10000000000001", "quantity": 2}],
        }
    ]


def test_order_itself_is_not_changed() -> None:
    raw = order_with_all_buyer_data()
    before = copy.deepcopy(raw)

    storable_order(raw)

    assert raw == before


@pytest.mark.parametrize("odd", [{"recipient": None}, {"recipient": "x"}, {"packages": None}, {"orderItems": []}])
def test_order_of_another_shape_is_reduced_to_its_storable_fields(odd: dict[str, Any]) -> None:
    assert storable_order({"orderId": "A", **odd})["orderId"] == "A"


# --- the libraries' logs ----------------------------------------------------------------------------------------------


def test_importing_the_composition_root_silences_the_libraries() -> None:
    """The libraries would log URLs with contact names, access tokens and answers; one raises its level at import."""
    names = ("httpx", "httpcore", "sp_api", "sp_api.base.client", "urllib3")
    script = (
        "import logging; logging.getLogger('sp_api.base.client').setLevel(logging.DEBUG);"
        "import amazon_to_xero.runtime.composition;"
        f"print([logging.getLogger(name).level for name in {names}])"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={
            "PYTHONPATH": ":".join(sys.path),
            "AWS_DEFAULT_REGION": "eu-west-1",
            "POWERTOOLS_METRICS_NAMESPACE": "tests",
            "POWERTOOLS_SERVICE_NAME": "tests",
        },
    )
    assert done.stdout.strip() == str([30] * len(names))

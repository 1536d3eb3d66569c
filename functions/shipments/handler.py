"""Shipments: shipped orders are approved and paid from clearing in Xero, cancelled ones are voided or credited."""

from __future__ import annotations

from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.handlers import queue_handler

handler = queue_handler(CAPABILITIES[SHIPMENTS])

"""Inventory alerts: notifications of stock from SQS, and a scheduled sweep, become stock levels and alerts."""

from __future__ import annotations

from amazon_to_xero.domain.capabilities import INVENTORY_ALERTS
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.handlers import queue_handler

handler = queue_handler(CAPABILITIES[INVENTORY_ALERTS])

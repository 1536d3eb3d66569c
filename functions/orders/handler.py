"""Orders: ORDER_CHANGE notifications from SQS, and the scheduled sweep, become recorded orders and drafts in Xero."""

from __future__ import annotations

from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.handlers import queue_handler

handler = queue_handler(CAPABILITIES[ORDERS])

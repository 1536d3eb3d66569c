"""Resume, every minute: continues what had to wait, or whose worker died."""

from __future__ import annotations

from amazon_to_xero.runtime.handlers import resume_handler

handler = resume_handler()

"""Tracking categories: how they are configured, and under which options a line is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .values import read_text


def with_ids(category: dict[str, Any], new_id: Callable[[], str]) -> dict[str, Any]:
    """Return a configured category as Xero shows it: with ids and states, which may be left out.

    category: `{"Name": …, "Options": [{"Name": …}]}` in Xero's keys.
    """
    options = [_with_id("TrackingOptionID", each, new_id) for each in category.get("Options", ())]
    return _with_id("TrackingCategoryID", category, new_id) | {"Options": options}


def _with_id(field: str, record: dict[str, Any], new_id: Callable[[], str]) -> dict[str, Any]:
    return {field: record.get(field) or new_id(), "Status": "ACTIVE", **record}


def reported_under(sent: list[dict[str, Any]], categories: Mapping[str, dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Return the tracking of a line, named by ids or by names, as Xero shows it.

    What Xero answers for a category or an option that it does not have is not documented. Here it is left out silently,
    which is the worst case: nobody notices, and reports lack the line.
    """
    found = (_option(each, categories) for each in sent)
    return tuple(each for each in found if each is not None)


def _option(sent: dict[str, Any], categories: Mapping[str, dict[str, Any]]) -> dict[str, Any] | None:
    category = next((each for each in categories.values() if _is(each, sent, "TrackingCategoryID", "Name")), None)
    if category is None or category["Status"] != "ACTIVE":
        return None
    named = {"TrackingOptionID": sent.get("TrackingOptionID"), "Name": sent.get("Option")}
    option = next((each for each in category["Options"] if _is(each, named, "TrackingOptionID", "Name")), None)
    if option is None or option["Status"] != "ACTIVE":
        return None
    return {
        "TrackingCategoryID": category["TrackingCategoryID"],
        "TrackingOptionID": option["TrackingOptionID"],
        "Name": category["Name"],
        "Option": option["Name"],
    }


def _is(record: dict[str, Any], sent: dict[str, Any], id_field: str, name_field: str) -> bool:
    if reference := read_text(sent.get(id_field)):
        return bool(record[id_field].casefold() == reference.casefold())
    name = read_text(sent.get(name_field))
    return name is not None and record[name_field].casefold() == name.casefold()

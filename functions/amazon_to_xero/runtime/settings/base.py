"""What all settings share: unknown fields are errors, and an error never repeats a value."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

type Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class SettingsError(Exception):
    """Settings that cannot be used. The message is for the person who wrote them."""


class Settings(BaseModel):
    """A part of the settings: extra fields are errors, and no error shows what was entered."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def parse[Model: Settings](model: type[Model], document: str | bytes | dict[str, str], name: str) -> Model:
    """Return the settings in a JSON text or in the environment. Raises SettingsError that names every wrong field.

    Variables of the environment that are not in the model are ignored.
    """
    try:
        if isinstance(document, dict):
            known = {field.alias or field_name for field_name, field in model.model_fields.items()}
            return model.model_validate({key: value for key, value in document.items() if key in known})
        return model.model_validate_json(document)
    except ValidationError as problem:
        errors = problem.errors(include_input=False, include_url=False, include_context=False)
        lines = [f"{'.'.join(str(part) for part in error['loc']) or 'document'}: {error['msg']}" for error in errors]
        raise SettingsError(f"{name} cannot be used. {'; '.join(lines)}. Correct it and run connect again.") from None

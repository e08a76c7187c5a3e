"""Forms: the token of the whole site in Flask-Admin's forms, native widgets, and choices from the closed lists."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.form import BaseForm
from flask_admin.model.form import converts
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import fields, validators, widgets


class AdminForm(BaseForm):
    """The base of Flask-Admin's forms, with the token that CSRFProtect checks."""

    class Meta(FlaskForm.Meta):
        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            return formdata


class Converter(AdminModelConverter):
    """Columns to fields, with the types that Flask-Admin leaves out or gives a widget of scripts."""

    @converts("Float", "Double")
    def convert_float(self, field_args: Any, **_extra: Any) -> Any:
        return fields.FloatField(**field_args)

    @converts("Uuid")
    def convert_uuid(self, field_args: Any, **_extra: Any) -> Any:
        field_args.setdefault("validators", []).append(validators.UUID())
        return fields.StringField(**field_args)

    @converts("Date")
    def convert_date(self, field_args: Any, **_extra: Any) -> Any:
        return fields.DateField(**field_args)

    @converts("DateTime")
    def convert_datetime(self, field_args: Any, **_extra: Any) -> Any:
        raise TypeError("a moment is set by the system, never typed into a form")


def choices(words: Mapping[str, str]) -> list[tuple[str, Any]]:
    """A closed list of models/words.py as (code, word in the asker's language)."""
    return [(code, _l(text)) for code, text in words.items()]


class PercentField(fields.DecimalField):
    """A rate from 0 to 1, typed and shown as per cent."""

    def process_data(self, value: float | None) -> None:
        self.data = None if value is None else Decimal(str(value)) * 100

    def _value(self) -> str:
        return (
            self.raw_data[0] if self.raw_data else ("" if self.data is None else f"{self.data.normalize():f}")
        )

    def populate_obj(self, obj: Any, name: str) -> None:
        setattr(obj, name, None if self.data is None else float(self.data / 100))


class TicksField(fields.SelectMultipleField):
    """Several of a closed list as boxes to tick; stored as codes joined by commas, `*` for all."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()

    def process_data(self, value: str | None) -> None:
        codes = [code for code, _word in self.choices]  # type: ignore[misc, union-attr]
        self.data = codes if value in (None, "*") else str(value).split(",")

    def populate_obj(self, obj: Any, name: str) -> None:
        codes = [code for code, _word in self.choices]  # type: ignore[misc, union-attr]
        setattr(obj, name, "*" if set(self.data or ()) == set(codes) else ",".join(self.data or ()))

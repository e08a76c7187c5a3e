"""Forms: the token of the whole site in Flask-Admin's forms, native widgets, and choices from the closed lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from flask_admin.contrib.sqla.fields import QuerySelectField
from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.form import BaseForm
from flask_admin.model.form import converts
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import fields, validators, widgets
from wtforms.fields.choices import Choice, SelectChoice

from screens.numbers import LARGEST_FIELD


class AdminForm(BaseForm):
    """The base of Flask-Admin's forms, with the token that CSRFProtect checks."""

    class Meta(FlaskForm.Meta):
        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            return formdata


class ChoiceField(fields.SelectField):
    """One of a closed list."""

    def __init__(
        self, label: Any = None, validators: Any = None, *, choices: Any = (), **options: Any
    ) -> None:
        super().__init__(label, validators, choices=offered(choices), **options)


class RowField(QuerySelectField):
    """One of the rows that the asking person may choose; another one posted is refused."""

    def iter_choices(self) -> Any:
        for value, label, selected, *_more in super().iter_choices():
            yield Choice(value, label or "—", selected, {})  # an empty label would show the value


class WholeField(fields.IntegerField):
    """A whole number that its column can hold."""

    def process_formdata(self, valuelist: Any) -> None:
        super().process_formdata(valuelist)
        if self.data is not None and abs(self.data) > LARGEST_FIELD:
            self.data = None
            raise ValueError(_("请填不超过 %(most)s 的整数。", most=LARGEST_FIELD))


class Converter(AdminModelConverter):
    """Columns to fields, with the types that Flask-Admin leaves out or gives a widget of scripts."""

    def _get_field_override(self, name: str) -> Any:
        listed = (getattr(self.view, "form_choices", None) or {}).get(name)
        return super()._get_field_override(name) or (listed and partial(ChoiceField, choices=listed))

    def _model_select_field(self, prop: Any, multiple: Any, remote_model: Any, **options: Any) -> Any:
        if multiple or "query_factory" not in options:
            raise TypeError(f"{prop.key}: say in form_args which rows may be chosen")
        return RowField(**options)

    @converts("Integer")
    def handle_integer_types(self, column: Any, field_args: Any, **extra: Any) -> Any:
        return WholeField(**field_args)

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


def offered(pairs: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    """Choices as a form wants them."""
    return [SelectChoice(value, label) for value, label in pairs]


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

    def __init__(
        self, label: Any = None, validators: Any = None, *, choices: Any = (), **options: Any
    ) -> None:
        super().__init__(label, validators, choices=offered(choices), **options)

    def process_data(self, value: str | None) -> None:
        self.data = self._codes() if value in (None, "*") else str(value).split(",")

    def populate_obj(self, obj: Any, name: str) -> None:
        ticked = self.data or []
        setattr(obj, name, "*" if set(ticked) == set(self._codes()) else ",".join(ticked))

    def _codes(self) -> list[str]:
        return [choice.value for choice in self.choices]  # type: ignore[union-attr]

"""OBS's settings objects and properties trees without OBS: they refuse what the real ones refuse."""

from __future__ import annotations

import types
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple


def text(value: object) -> str:
    """What SWIG takes for ``const char *``."""
    if not isinstance(value, str):
        raise TypeError(f"argument of type 'char const *' expected, not {type(value).__name__}")
    return value


def whole(value: object) -> int:
    """What SWIG takes for the kinds of ``int``: no float, not even 1.0."""
    if not isinstance(value, int):
        raise TypeError(f"argument of type 'int' expected, not {type(value).__name__}")
    return int(value)


def number(value: object) -> float:
    """What SWIG takes for ``double`` and ``float``."""
    if not isinstance(value, (int, float)):
        raise TypeError(f"argument of type 'double' expected, not {type(value).__name__}")
    return float(value)


def truth(value: object) -> bool:
    """What SWIG takes for ``bool``: True or False, nothing that is merely like them."""
    if not isinstance(value, bool):
        raise TypeError(f"argument of type 'bool' expected, not {type(value).__name__}")
    return value


class Data:
    """``obs_data_t``: values, and defaults behind them. A value of another type than asked for reads as nothing."""

    def __init__(self, **values: object) -> None:
        self.values: Dict[str, object] = dict(values)
        self.defaults: Dict[str, object] = {}

    def get(self, key: str) -> object:
        return self.values.get(key, self.defaults.get(key))


class DataArray:
    """``obs_data_array_t``: here the key bindings of one hotkey."""

    def __init__(self, *bindings: str) -> None:
        self.bindings = list(bindings)


class Property:
    """``obs_property_t`` with everything that the panel can set on it."""

    def __init__(self, parent: Properties, name: str, kind: str, label: str) -> None:
        self.parent, self.name, self.kind, self.label = parent, name, kind, label
        self.visible = True
        self.help = ""
        self.suffix = ""
        self.limits: Tuple[float, ...] = ()
        self.items: List[Tuple[str, str]] = []
        self.filters = ""
        self.inside: Optional[Properties] = None
        self.info_type = 0
        self.pressed: Optional[Callable[[Properties, Property], object]] = None
        self.modified: Optional[Callable[[Properties, Property, Data], object]] = None

    @property
    def offered(self) -> List[str]:
        """The values of a list."""
        return [value for _, value in self.items]


class Properties:
    """``obs_properties_t``, and what the user can do to it."""

    def __init__(self) -> None:
        self.parent: Optional[Properties] = None
        self.members: List[Property] = []

    @property
    def root(self) -> Properties:
        return self if self.parent is None else self.parent.root

    def walk(self) -> Iterator[Property]:
        """Every property of the tree, groups before what is in them."""
        for member in self.members:
            yield member
            if member.inside is not None:
                yield from member.inside.walk()

    def find(self, name: str) -> Optional[Property]:
        return next((member for member in self.walk() if member.name == name), None)

    def __getitem__(self, name: str) -> Property:
        found = self.find(name)
        assert found is not None, f"no property {name}"
        return found

    def choose(self, data: Data, name: str, value: object) -> bool:
        """The user changes a property: True when OBS builds the view anew."""
        chosen = self[name]
        assert chosen.kind != "list" or value in chosen.offered, f"{value!r} is not offered by {name}"
        data.values[name] = value
        return chosen.modified is not None and chosen.modified(self.root, chosen, data) is True

    def press(self, name: str) -> bool:
        """The user presses a button: True when OBS builds the view anew."""
        button = self[name]
        assert button.pressed is not None
        return button.pressed(self.root, button) is True


class FakePanel:
    """The ``obs_data_*`` and ``obs_propert*`` functions."""

    OBS_TEXT_DEFAULT = 0
    OBS_TEXT_INFO = 3
    OBS_PATH_FILE = 0
    OBS_PATH_FILE_SAVE = 1
    OBS_COMBO_TYPE_LIST = 2
    OBS_COMBO_FORMAT_STRING = 3
    OBS_GROUP_NORMAL = 1

    def __init__(self) -> None:
        self.refused: List[str] = []
        """Callbacks and names that OBS would have refused without a word."""

    def is_callable(self, callback: object, where: str) -> bool:
        """OBS takes plain functions and lambdas; anything else (a bound method, a partial) it drops silently."""
        if isinstance(callback, types.FunctionType):
            return True
        self.refused.append(f"{where}: {callback!r} is not a plain function")
        return False

    def obs_data_get_bool(self, data: Data, key: str) -> bool:
        value = data.get(text(key))
        return value if isinstance(value, bool) else False

    def obs_data_get_int(self, data: Data, key: str) -> int:
        value = data.get(text(key))
        return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0

    def obs_data_get_double(self, data: Data, key: str) -> float:
        value = data.get(text(key))
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0

    def obs_data_get_string(self, data: Data, key: str) -> str:
        value = data.get(text(key))
        return value if isinstance(value, str) else ""

    def obs_data_set_bool(self, data: Data, key: str, value: bool) -> None:
        data.values[text(key)] = truth(value)

    def obs_data_set_int(self, data: Data, key: str, value: int) -> None:
        data.values[text(key)] = whole(value)

    def obs_data_set_double(self, data: Data, key: str, value: float) -> None:
        data.values[text(key)] = number(value)

    def obs_data_set_string(self, data: Data, key: str, value: str) -> None:
        data.values[text(key)] = text(value)

    def obs_data_set_default_bool(self, data: Data, key: str, value: bool) -> None:
        data.defaults[text(key)] = truth(value)

    def obs_data_set_default_int(self, data: Data, key: str, value: int) -> None:
        data.defaults[text(key)] = whole(value)

    def obs_data_set_default_double(self, data: Data, key: str, value: float) -> None:
        data.defaults[text(key)] = number(value)

    def obs_data_set_default_string(self, data: Data, key: str, value: str) -> None:
        data.defaults[text(key)] = text(value)

    def obs_properties_create(self) -> Properties:
        return Properties()

    def obs_properties_get(self, properties: Properties, name: str) -> Optional[Property]:
        return properties.find(text(name))

    def obs_properties_apply_settings(self, properties: Properties, data: Data) -> None:
        for member in list(properties.walk()):
            if member.modified is not None:
                member.modified(properties, member, data)

    def _add(self, properties: Properties, name: str, kind: str, label: str) -> Optional[Property]:
        if properties.root.find(text(name)) is not None:
            self.refused.append(f"there is a property {name} already")
            return None
        made = Property(properties, name, kind, text(label))
        properties.members.append(made)
        return made

    def obs_properties_add_bool(self, properties: Properties, name: str, label: str) -> Optional[Property]:
        return self._add(properties, name, "bool", label)

    def _add_number(
        self, properties: Properties, name: str, kind: str, label: str, *limits: float
    ) -> Optional[Property]:
        made = self._add(properties, name, kind, label)
        if made is not None:
            made.limits = limits
        return made

    def obs_properties_add_int(
        self, properties: Properties, name: str, label: str, low: int, high: int, step: int
    ) -> Optional[Property]:
        return self._add_number(properties, name, "int", label, whole(low), whole(high), whole(step))

    def obs_properties_add_int_slider(
        self, properties: Properties, name: str, label: str, low: int, high: int, step: int
    ) -> Optional[Property]:
        return self._add_number(properties, name, "int", label, whole(low), whole(high), whole(step))

    def obs_properties_add_float_slider(
        self, properties: Properties, name: str, label: str, low: float, high: float, step: float
    ) -> Optional[Property]:
        return self._add_number(properties, name, "float", label, number(low), number(high), number(step))

    def obs_properties_add_text(self, properties: Properties, name: str, label: str, kind: int) -> Optional[Property]:
        return self._add(properties, name, "info" if whole(kind) == self.OBS_TEXT_INFO else "text", label)

    def obs_properties_add_path(
        self, properties: Properties, name: str, label: str, kind: int, filters: str, default: Optional[str]
    ) -> Optional[Property]:
        made = self._add(properties, name, "save" if whole(kind) == self.OBS_PATH_FILE_SAVE else "open", label)
        if made is not None:
            made.filters = text(filters)
        return made

    def obs_properties_add_color_alpha(self, properties: Properties, name: str, label: str) -> Optional[Property]:
        return self._add(properties, name, "colour", label)

    def obs_properties_add_list(
        self, properties: Properties, name: str, label: str, kind: int, value_format: int
    ) -> Optional[Property]:
        assert (whole(kind), whole(value_format)) == (self.OBS_COMBO_TYPE_LIST, self.OBS_COMBO_FORMAT_STRING)
        return self._add(properties, name, "list", label)

    def obs_properties_add_group(
        self, properties: Properties, name: str, label: str, kind: int, inside: Properties
    ) -> Optional[Property]:
        taken = [member.name for member in inside.walk() if properties.root.find(member.name) is not None]
        if whole(kind) != self.OBS_GROUP_NORMAL or taken or inside.parent is not None:
            self.refused.append(f"group {name}: taken already: {taken}")
            return None
        made = self._add(properties, name, "group", label)
        if made is not None:
            made.inside, inside.parent = inside, properties
        return made

    def obs_properties_add_button(
        self, properties: Properties, name: str, label: str, callback: Any
    ) -> Optional[Property]:
        if not self.is_callable(callback, name):
            return None
        made = self._add(properties, name, "button", label)
        if made is not None:
            made.pressed = callback
        return made

    def obs_property_list_add_string(self, prop: Property, label: str, value: str) -> int:
        prop.items.append((text(label), text(value)))
        return len(prop.items) - 1

    def obs_property_int_set_suffix(self, prop: Property, suffix: str) -> None:
        assert prop.kind == "int"
        prop.suffix = text(suffix)

    def obs_property_set_visible(self, prop: Property, visible: bool) -> None:
        prop.visible = truth(visible)

    def obs_property_set_description(self, prop: Property, label: str) -> None:
        prop.label = text(label)

    def obs_property_set_long_description(self, prop: Property, label: str) -> None:
        prop.help = text(label)

    def obs_property_text_set_info_type(self, prop: Property, kind: int) -> None:
        prop.info_type = whole(kind)

    def obs_property_text_set_info_word_wrap(self, prop: Property, wrap: bool) -> None:
        truth(wrap)

    def obs_property_set_modified_callback(self, prop: Property, callback: Any) -> None:
        if self.is_callable(callback, prop.name):
            prop.modified = callback

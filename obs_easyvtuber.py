"""EasyVtuber for OBS Studio: add this file under Tools, Scripts.

OBS calls the ``script_*`` functions below; everything else lives in ``core.obs``, which is loaded under a private name,
so that another script's package called ``core`` can neither shadow it nor be shadowed by it. This one file must be
understood even by Pythons that are too old for the rest, so that it can say so.
"""

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any, Callable

_FOLDER = Path(__file__).resolve().parent
_PRIVATE_NAME = "_easyvtuber_core"
_OLDEST_PYTHON = (3, 8)


class _OwnFinder:
    """Finds this file, and only it, for OBS's Reload button.

    OBS appends a script's folder to ``sys.path``. Left there, ours would hand our ``core`` to every other script that
    imports a package of that name, so it is taken out again; then this has to find the script itself.
    """

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        """The import system's question; None leaves it to the others."""
        return importlib.util.spec_from_file_location(name, __file__) if name == __name__ and path is None else None


def _leave_the_search_path() -> None:
    sys.path[:] = [entry for entry in sys.path if not _is_ours(entry)]
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != _OwnFinder.__name__]
    sys.meta_path.append(_OwnFinder())


def _is_ours(entry: Any) -> bool:
    try:
        return bool(entry) and Path(entry).resolve() == _FOLDER
    except (OSError, ValueError, TypeError, RuntimeError):
        # other scripts put whatever they like there
        return False


def _load_core() -> Any:
    """The plug-in module, fresh: OBS's Reload button runs this file again, but not the modules it imported."""
    for name in [known for known in sys.modules if known.split(".")[0] == _PRIVATE_NAME]:
        del sys.modules[name]
    spec: Any = importlib.util.spec_from_file_location(
        _PRIVATE_NAME, str(_FOLDER / "core" / "__init__.py"), submodule_search_locations=[str(_FOLDER / "core")]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules[_PRIVATE_NAME] = package
    spec.loader.exec_module(package)
    return importlib.import_module(_PRIVATE_NAME + ".obs.plugin")


_leave_the_search_path()
_plugin: Any = None
_problem = ""
if sys.version_info < _OLDEST_PYTHON:
    _problem = (
        "OBS uses Python {}.{}, which is too old. Choose Python 3.8 or newer under Tools, Scripts, Python Settings."
    ).format(*sys.version_info[:2])
else:
    try:
        _plugin = _load_core()
    except Exception:  # noqa: BLE001 - whatever is wrong with the installation is shown, not thrown
        _problem = "Files are missing or damaged; install EasyVtuber again. " + traceback.format_exc().splitlines()[-1]


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """An error of ours must never reach OBS as a traceback: that pops up a window over the stream."""

    def call(*arguments: Any) -> Any:
        if _plugin is None:
            return None
        try:
            return function(*arguments)
        except Exception:  # noqa: BLE001 - the border to OBS
            print("EasyVtuber: " + traceback.format_exc())  # noqa: T201 - OBS's log, not its error window
            return None

    return call


def script_description() -> str:
    """The text above the panel."""
    if _problem:
        return "<b>EasyVtuber</b> cannot work here. " + _problem.replace("<", "&lt;")
    return str(_guarded(_plugin.description)() or "")


@_guarded
def script_defaults(settings: Any) -> None:
    """OBS wants every setting's default."""
    _plugin.set_defaults(settings)


@_guarded
def script_load(settings: Any) -> None:
    """OBS loaded the script, or its scene collection."""
    global _problem
    _leave_the_search_path()
    try:
        _plugin.load(settings)
        _problem = ""
    except Exception:
        _problem = traceback.format_exc().splitlines()[-1]
        raise


@_guarded
def script_unload() -> None:
    """OBS is about to drop the script, or its scene collection."""
    _plugin.unload()


@_guarded
def script_update(settings: Any) -> None:
    """Something changed in the panel."""
    plugin = _plugin.current()
    if plugin is not None:
        plugin.update(settings)


@_guarded
def script_save(settings: Any) -> None:
    """OBS is about to write the settings."""
    plugin = _plugin.current()
    if plugin is not None:
        plugin.save(settings)


@_guarded
def script_properties() -> Any:
    """OBS wants the panel."""
    plugin = _plugin.current()
    return plugin.properties() if plugin is not None else None

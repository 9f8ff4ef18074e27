"""Which agencies there are: the folders that hold a `connector.py`. Adding one is adding a folder."""

import pkgutil
from collections import abc
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

import connectors as package
from connectors.base import Connector, Mapping

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from connectors.transports.rest import GatewayClient

    Build = Callable[[Path, abc.Mapping[str, GatewayClient]], Starlette]


@cache
def connectors() -> abc.Mapping[str, type[Connector]]:
    """Every agency's connector by agency code. Raises TypeError for a folder whose connector does not fit."""
    return MappingProxyType(discover(package.__path__, package.__name__))


def discover(paths: Sequence[str], prefix: str) -> dict[str, type[Connector]]:
    """The connectors of the package `prefix` at `paths`; TypeError unless each has one, and of its name."""
    return {
        agency: _only_connector(agency, import_module(f"{prefix}.{agency}.connector"))
        for agency in _agencies(paths, prefix, "connector")
    }


def mapping_for(dataset_id: str) -> Mapping:
    """The provider's mapping of a dataset. Raises KeyError when no agency provides it."""
    for connector in connectors().values():
        for mapping in connector.provides:
            if mapping.dataset == dataset_id:
                return mapping
    raise KeyError(dataset_id)


class _Simulators(abc.Mapping[str, "Build"]):
    """Each agency's `simulator.build`, its module imported when it is asked for and not before."""

    def __getitem__(self, agency: str) -> "Build":
        if agency not in set(self):
            raise KeyError(agency)
        build: Build = import_module(f"{package.__name__}.{agency}.simulator").build
        return build

    def __iter__(self) -> Iterator[str]:
        return iter(_agencies(package.__path__, package.__name__, "simulator"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


SIMULATORS: abc.Mapping[str, "Build"] = _Simulators()


def _agencies(paths: Sequence[str], prefix: str, module: str) -> list[str]:
    folders = sorted(found.name for found in pkgutil.iter_modules(paths) if found.ispkg)
    return [name for name in folders if find_spec(f"{prefix}.{name}.{module}") is not None]


def _only_connector(agency: str, module: ModuleType) -> type[Connector]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Connector) and value.__module__ == module.__name__
    ]
    if len(found) != 1 or found[0].agency != agency:
        raise TypeError(f"{module.__name__} must define one connector, whose agency is {agency!r}")
    return found[0]

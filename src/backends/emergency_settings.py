"""The settings of emergencies, by the names and units that S1 gave them: milliseconds, days, bytes, percent.

flag (``--set NAME=VALUE``) > environment > profile > user file > system file > default. In files the names stand in
lower case under ``[emergency]``. In debug mode what nobody set is looked at more often, and more is logged.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from backends.configuration import ConfigurationFault, Layer, layers
from core.emergency_rules import Rules
from core.faults import sentence
from opsgate.order import BUDGET_S, Level

_UNIT: Final = "unit"


def _ms(default: int, lowest: int, highest: int, says: str) -> Any:
    return Field(default, ge=lowest, le=highest, description=says, json_schema_extra={_UNIT: "ms"})


def _switch(default: bool, says: str) -> Any:
    return Field(default, description=says, json_schema_extra={_UNIT: "true or false"})


class EmergencySettings(BaseSettings):
    """What holds for emergencies where these are decided, in S1's units; what ends in ``_s`` is in seconds."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", case_sensitive=False)

    emergency_stop_enabled: bool = _switch(True, "whether triggers and alerts may stop; a person always may")
    trigger_detection_interval: int = _ms(5000, 100, 3_600_000, "between two sweeps of triggers")
    health_monitoring_interval: int = _ms(10_000, 100, 3_600_000, "between two looks at the health of a service")
    immediate_stop_timeout: int = _ms(5000, 100, 600_000, "within which an immediate stop must be verified")
    graceful_stop_timeout: int = _ms(60_000, 100, 3_600_000, "the same for every other level, with all its tiers")
    max_concurrent_stops: int = Field(
        10, ge=1, le=1000, description="triggers' stops that drive services at once", json_schema_extra={_UNIT: "stops"}
    )
    auto_recovery_enabled: bool = _switch(True, "whether a trigger that says so may recover by itself")
    recovery_validation_timeout: int = _ms(30_000, 100, 3_600_000, "within which a recovery's checks must pass")
    post_recovery_monitoring_duration: int = _ms(300_000, 0, 86_400_000, "for which what was recovered is watched")
    enable_notifications: bool = _switch(True, "whether anybody is notified")
    notification_channels: Annotated[tuple[str, ...], NoDecode] = Field(
        ("system", "email", "webhook"),
        description="the channels that are told, by their names",
        json_schema_extra={_UNIT: "names"},
    )
    enable_detailed_logging: bool = _switch(True, "whether the keeper logs what it does, or only what goes wrong")
    retain_event_history: int = Field(
        30, ge=1, le=36_500, description="for which the journal keeps events", json_schema_extra={_UNIT: "days"}
    )
    max_memory_usage: int = Field(
        536_870_912, ge=1 << 20, description="of the keeper, above which it warns", json_schema_extra={_UNIT: "bytes"}
    )
    max_cpu_usage: int = Field(
        80, ge=1, le=100, description="of the host, above which the keeper warns", json_schema_extra={_UNIT: "percent"}
    )

    @field_validator("notification_channels", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = value.split(",")
        if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
            return tuple(dict.fromkeys(name.strip() for name in value if name.strip()))
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What it is made of is given: which layer wins is settled, and said, by `resolve`."""
        return (init_settings,)

    @property
    def trigger_detection_interval_s(self) -> float:
        """Seconds between two sweeps of triggers."""
        return self.trigger_detection_interval / 1000

    @property
    def health_monitoring_interval_s(self) -> float:
        """Seconds between two looks at the health of a service."""
        return self.health_monitoring_interval / 1000

    @property
    def recovery_validation_timeout_s(self) -> float:
        """Seconds within which a recovery's checks must pass."""
        return self.recovery_validation_timeout / 1000

    @property
    def post_recovery_monitoring_s(self) -> float:
        """Seconds for which what was recovered is watched."""
        return self.post_recovery_monitoring_duration / 1000

    def rules(self) -> Rules:
        """What of it the engine decides by."""
        graceful_s = self.graceful_stop_timeout / 1000
        budgets: dict[Level, float] = dict.fromkeys(BUDGET_S, graceful_s)
        return Rules(
            budgets_s=budgets | {"immediate": self.immediate_stop_timeout / 1000},
            automatic_stops=self.emergency_stop_enabled,
            automatic_recovery=self.auto_recovery_enabled,
            validation_timeout_s=self.recovery_validation_timeout_s,
            monitor_s=self.post_recovery_monitoring_s,
        )


NAMES: Final = tuple(name.upper() for name in EmergencySettings.model_fields)
"""The names of the variables, in S1's order."""

DEBUG: Final[Mapping[str, Any]] = {
    "trigger_detection_interval": 1000,
    "health_monitoring_interval": 2000,
    "enable_detailed_logging": True,
}
"""What debug mode says where nobody else says anything."""


class Row(NamedTuple):
    """One setting as it is shown."""

    name: str
    value: Any
    unit: str
    origin: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings that hold, and for each where its value came from."""

    settings: EmergencySettings
    origins: Mapping[str, str]
    debug: bool = False

    @property
    def log_level(self) -> int:
        """How much the keeper, or the server, logs."""
        return (
            logging.DEBUG if self.debug else logging.INFO if self.settings.enable_detailed_logging else logging.WARNING
        )

    def rows(self) -> list[Row]:
        """Each by its name, value, unit and origin, in S1's order."""
        return [
            Row(name.upper(), getattr(self.settings, name), unit_of(name), self.origins.get(name, "default"))
            for name in EmergencySettings.model_fields
        ]


def resolve(
    flags: Sequence[str] = (),
    *,
    environ: Mapping[str, str] | None = None,
    files: Sequence[Path] | None = None,
    profile: str | None = None,
    debug: bool = False,
) -> Resolved:
    """The settings that hold. ``flags`` are given as ``NAME=VALUE``.

    Raises `ConfigurationFault` where any layer is wrong, even where a stronger one decides: what is wrong today decides
    tomorrow.
    """
    environ = os.environ if environ is None else environ
    found = [_of_flags(flags), _of_environment(environ)]
    found += [_known(layer) for layer in layers("emergency", environ=environ, files=files, profile=profile)]
    if debug:
        found.append(Layer("debug mode", DEBUG))
    for layer in found:
        _validated(layer.values, layer.origin)
    origins = {name: layer.origin for layer in reversed(found) for name in layer.values}
    values = {name: layer.values[name] for layer in reversed(found) for name in layer.values}
    settings = _validated(values, "all layers together")
    if settings.immediate_stop_timeout > settings.graceful_stop_timeout:
        raise ConfigurationFault(
            f"IMMEDIATE_STOP_TIMEOUT ({settings.immediate_stop_timeout} ms, {origins.get('immediate_stop_timeout')})"
            f" is longer than GRACEFUL_STOP_TIMEOUT ({settings.graceful_stop_timeout} ms,"
            f" {origins.get('graceful_stop_timeout', 'default')}): an immediate stop is the shorter one"
        )
    return Resolved(settings, origins, debug)


def unit_of(name: str) -> str:
    """The unit of a setting."""
    extra = EmergencySettings.model_fields[name].json_schema_extra
    assert isinstance(extra, dict), "each field says its unit"
    return str(extra[_UNIT])


def _of_flags(flags: Sequence[str]) -> Layer:
    values = {}
    for flag in flags:
        name, equals, value = flag.partition("=")
        if not equals:
            raise ConfigurationFault(f"--set {ascii(flag)[:60]}: write NAME=VALUE")
        values[name.strip().lower()] = value.strip()
    return _known(Layer("flag", values))


def _of_environment(environ: Mapping[str, str]) -> Layer:
    found = {name: environ[name.upper()] for name in EmergencySettings.model_fields if environ.get(name.upper())}
    return Layer("environment", found)


def _known(layer: Layer) -> Layer:
    for name in layer.values:
        if name not in EmergencySettings.model_fields:
            near = difflib.get_close_matches(name, EmergencySettings.model_fields, n=1)
            meant = f"did you mean {near[0]}?" if near else f"use one of {', '.join(EmergencySettings.model_fields)}"
            raise ConfigurationFault(f"{layer.origin}: {ascii(name)[:60]} is no setting; {meant}")
    return layer


def _validated(values: Mapping[str, Any], origin: str) -> EmergencySettings:
    try:
        return EmergencySettings(**values)
    except ValidationError as error:
        name = str(error.errors(include_url=False)[0]["loc"][0])
        unit = unit_of(name) if name in EmergencySettings.model_fields else ""
        said = sentence(error)
        raise ConfigurationFault(f"{origin}: {name.upper()}{said.removeprefix(name)}, in {unit}") from None

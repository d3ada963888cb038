"""The settings of emergencies: S1's names and units, which layer decides, and what they change."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.configuration import ConfigurationFault
from backends.emergency_settings import NAMES, Resolved, resolve
from tests.cli.shell import Shell

S1 = {
    "EMERGENCY_STOP_ENABLED": (True, "true or false"),
    "TRIGGER_DETECTION_INTERVAL": (5000, "ms"),
    "HEALTH_MONITORING_INTERVAL": (10_000, "ms"),
    "IMMEDIATE_STOP_TIMEOUT": (5000, "ms"),
    "GRACEFUL_STOP_TIMEOUT": (60_000, "ms"),
    "MAX_CONCURRENT_STOPS": (10, "stops"),
    "AUTO_RECOVERY_ENABLED": (True, "true or false"),
    "RECOVERY_VALIDATION_TIMEOUT": (30_000, "ms"),
    "POST_RECOVERY_MONITORING_DURATION": (300_000, "ms"),
    "ENABLE_NOTIFICATIONS": (True, "true or false"),
    "NOTIFICATION_CHANNELS": (("system", "email", "webhook"), "names"),
    "ENABLE_DETAILED_LOGGING": (True, "true or false"),
    "RETAIN_EVENT_HISTORY": (30, "days"),
    "MAX_MEMORY_USAGE": (512 * 1024 * 1024, "bytes"),
    "MAX_CPU_USAGE": (80, "percent"),
}


def resolved(folder: Path, *flags: str, user: str = "", system: str = "", debug: bool = False, **env: str) -> Resolved:
    """What holds with these layers."""
    paths = folder / "user.toml", folder / "system.toml"
    for path, text in zip(paths, (user, system), strict=True):
        path.write_text(text)
    return resolve(flags, environ=env, files=paths, debug=debug)


def row(found: Resolved, name: str) -> tuple[object, str]:
    return next((row.value, row.origin) for row in found.rows() if row.name == name)


def test_every_variable_of_s1_is_there_with_its_unit_and_its_default() -> None:
    found = resolve(environ={}, files=())

    assert {row.name: (row.value, row.unit) for row in found.rows()} == S1
    assert {row.origin for row in found.rows()} == {"default"}
    assert tuple(S1) == NAMES


def test_flag_beats_environment_beats_profile_beats_user_file_beats_system_file(tmp_path: Path) -> None:
    table = "max_concurrent_stops = {}\nmax_cpu_usage = {}\nretain_event_history = {}\nimmediate_stop_timeout = {}\n"
    profile = "[profiles.p.emergency]\nmax_concurrent_stops = 3\nmax_cpu_usage = 30\nretain_event_history = 3\n"
    user, system = (
        profile + "[emergency]\n" + table.format(2, 20, 2, 2000),
        "[emergency]\nauto_recovery_enabled = false",
    )

    found = resolved(
        tmp_path,
        "MAX_CONCURRENT_STOPS=5",
        user=user,
        system=system,
        MAX_CONCURRENT_STOPS="4",
        MAX_CPU_USAGE="40",
        OPSCONSOLE_PROFILE="p",
    )

    assert row(found, "MAX_CONCURRENT_STOPS") == (5, "flag")
    assert row(found, "MAX_CPU_USAGE") == (40, "environment")
    assert row(found, "RETAIN_EVENT_HISTORY") == (3, f"{tmp_path / 'user.toml'} [profiles.p.emergency]")
    assert row(found, "IMMEDIATE_STOP_TIMEOUT") == (2000, f"{tmp_path / 'user.toml'} [emergency]")
    assert row(found, "AUTO_RECOVERY_ENABLED") == (False, f"{tmp_path / 'system.toml'} [emergency]")
    assert row(found, "GRACEFUL_STOP_TIMEOUT") == (60_000, "default")


def test_debug_mode_looks_more_often_unless_somebody_says_how_often(tmp_path: Path) -> None:
    found = resolved(tmp_path, debug=True, HEALTH_MONITORING_INTERVAL="3000")

    assert row(found, "TRIGGER_DETECTION_INTERVAL") == (1000, "debug mode")
    assert row(found, "HEALTH_MONITORING_INTERVAL") == (3000, "environment")
    assert row(resolved(tmp_path), "TRIGGER_DETECTION_INTERVAL") == (5000, "default")


@pytest.mark.parametrize(
    ("flag", "user", "environment", "sentence"),
    [
        ("", "", ("IMMEDIATE_STOP_TIMEOUT", "5s"), r"environment: IMMEDIATE_STOP_TIMEOUT \('5s'\): give a whole .*ms"),
        ("", "", ("EMERGENCY_STOP_ENABLED", "perhaps"), r"EMERGENCY_STOP_ENABLED \('perhaps'\): give true or false"),
        ("", "", ("MAX_CPU_USAGE", "120"), r"MAX_CPU_USAGE \('120'\): give a number up to 100, in percent"),
        (
            "IMEDIATE_STOP_TIMEOUT=1",
            "",
            ("", ""),
            r"flag: 'imediate_stop_timeout' is no setting; did you mean immediate",
        ),
        ("MAX_CPU_USAGE", "", ("", ""), r"write NAME=VALUE"),
        (
            "",
            "[emergency]\nmax_cpu = 3",
            ("", ""),
            r"user.toml \[emergency\]: 'max_cpu' is no setting; did you mean max",
        ),
        ("", "[emergency]\nmax_cpu_usage = 0", ("MAX_CPU_USAGE", "9"), r"user.toml \[emergency\]: MAX_CPU_USAGE \(0\)"),
        ("", "emergency = 3", ("", ""), r"emergency is a table"),
        (
            "IMMEDIATE_STOP_TIMEOUT=90000",
            "",
            ("", ""),
            r"90000 ms, flag\) is longer than GRACEFUL_STOP_TIMEOUT \(60000",
        ),
    ],
)
def test_what_is_wrong_in_any_layer_is_said_with_its_place_and_its_unit(
    tmp_path: Path, flag: str, user: str, environment: tuple[str, str], sentence: str
) -> None:
    file = tmp_path / "user.toml"
    file.write_text(user)

    with pytest.raises(ConfigurationFault, match=sentence):
        resolve([flag] if flag else [], environ=dict([environment]), files=[file])


def test_config_show_says_the_value_the_unit_and_where_it_comes_from(
    ops: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETAIN_EVENT_HISTORY", "7")

    rows = {row["setting"]: row for row in ops.ok("config", "show", "--set", "MAX_CPU_USAGE=50", "-o", "json").json}

    assert (rows["RETAIN_EVENT_HISTORY"]["value"], rows["RETAIN_EVENT_HISTORY"]["unit"]) == (7, "days")
    assert rows["RETAIN_EVENT_HISTORY"]["origin"] == "environment"
    assert (rows["MAX_CPU_USAGE"]["value"], rows["MAX_CPU_USAGE"]["origin"]) == (50, "flag")


@pytest.mark.parametrize("command", [("config", "show"), ("config", "validate"), ("serve", "--port", "0"), ("keeper",)])
def test_nothing_starts_on_a_setting_that_is_none(
    ops: Shell, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("GRACEFUL_STOP_TIMEOUT", "a minute")

    answer = ops(*command)

    assert answer.code == 2
    assert "environment: GRACEFUL_STOP_TIMEOUT ('a minute'): give a whole number, in ms" in answer.err

"""Options before environment before defaults, and what is out of range."""

from __future__ import annotations

from typing import Any

import pytest

from gibswatch.errors import UsageError
from gibswatch.settings import DEFAULT_BASE_URL, Settings, read_settings


def test_defaults() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert settings.base_url == DEFAULT_BASE_URL
    assert settings.dates_in_flight == 10


def test_option_goes_before_environment_before_default() -> None:
    environment = {"GIBSWATCH_CONNECTIONS": "8", "GIBSWATCH_ATTEMPTS": "5"}
    settings = read_settings(environment, connections=4, attempts=None)
    assert (settings.connections, settings.attempts) == (4, 5)


def test_each_type_is_read_from_the_environment() -> None:
    settings = read_settings(
        {
            "GIBSWATCH_BASE_URL": "http://127.0.0.1:8080",
            "GIBSWATCH_TILE_TIMEOUT_S": "2.5",
            "GIBSWATCH_CA_BUNDLE": "ca.pem",
            "GIBSWATCH_DATES_IN_FLIGHT": "",
        }
    )
    assert settings.base_url == "http://127.0.0.1:8080"
    assert settings.tile_timeout_s == 2.5
    assert settings.ca_bundle == "ca.pem"
    assert settings.dates_in_flight == 10


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIBSWATCH_CONNECTIONS", "7")
    assert read_settings().connections == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [("CONNECTIONS", "many"), ("CONNECTIONS", "1.5"), ("TILE_TIMEOUT_S", "soon")],
)
def test_a_variable_that_is_no_number(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"GIBSWATCH_{name}='{value}' is not a number"):
        read_settings({f"GIBSWATCH_{name}": value})


@pytest.mark.parametrize(
    "options",
    [
        {"connections": 0},
        {"dates_in_flight": -1},
        {"attempts": 0},
        {"connect_timeout_s": 0.0},
        {"tile_timeout_s": -1.0},
        {"tile_timeout_s": float("nan")},
        {"tile_timeout_s": float("inf")},
        {"tile_deadline_s": 0.0},
        {"run_deadline_s": -1.0},
        {"retry_after_cap_s": float("nan")},
        {"bandwidth_mbit_s": -50.0},
        {"bandwidth_mbit_s": float("inf")},
        {"requests_per_s": -1.0},
        {"ramp_up_s": -0.1},
    ],
)
def test_numbers_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="give "):
        read_settings({}, **options)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gibs.earthdata.nasa.gov",
        "ftp://host",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "http://host:99999",
        "http://host:port",
        "http://name:secret@host",
        "http://host?key=1",
        "http://host#part",
        "http://a host",
        "http://host/\n",
        "http://....",
        "http://" + 70 * "a",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError, match="is not an address"):
        Settings(base_url=url)


def test_an_unknown_option_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError):
        read_settings({}, speed=3)


def test_zero_is_no_limit_where_there_can_be_none() -> None:
    names = (
        "run_deadline_s",
        "retry_after_cap_s",
        "bandwidth_mbit_s",
        "requests_per_s",
        "ramp_up_s",
    )
    settings = read_settings({f"GIBSWATCH_{name.upper()}": "0" for name in names})
    assert [getattr(settings, name) for name in names] == [0.0] * 5


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"connections": 0}, r"--connections \(GIBSWATCH_CONNECTIONS\) is 0: give 1 or more"),
        ({"connections": 10**23}, r"--connections \(.*\) is 10{23}: give 10000 or less"),
        ({"bandwidth_mbit_s": -1.0}, r"--bandwidth \(GIBSWATCH_BANDWIDTH_MBIT_S\) is -1.0: .*0 \("),
        ({"attempts": 0}, "^GIBSWATCH_ATTEMPTS is 0: "),
        ({"requests_per_s": -2.0}, r"^GIBSWATCH_REQUESTS_PER_S is -2.0: .* 0 \(no limit\)"),
    ],
)
def test_a_message_names_what_to_change(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        read_settings({}, **options)


def test_the_catalogue_file_is_a_setting() -> None:
    assert Settings().catalogue_file is None
    assert read_settings({"GIBSWATCH_CATALOGUE_FILE": "/x.json"}).catalogue_file == "/x.json"

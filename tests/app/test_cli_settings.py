"""Settings: options over variables over the file; what is wrong is named."""

from pathlib import Path

import pytest

from diaodu.kernel import config
from diaodu.kernel.config import Settings, SettingsInvalid, SettingsUnreadable


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "diaodu.toml"
    path.write_text('port = 1\nhost = "0.0.0.0"\nworkers = 3\n[systems]\nbilling = "billing.example:9000"\n')
    return path


@pytest.mark.usefixtures("file")
def test_options_beat_variables_and_those_beat_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIAODU_PORT", "2")
    monkeypatch.setenv("DIAODU_WORKERS", "4")
    monkeypatch.setenv("DIAODU_SYSTEMS__SMS", "127.0.0.1:7")
    monkeypatch.setenv("DIAODU_HUB_ALLOW", "a.example, b.example")
    found = config.load(port=5, workers=None)
    assert (found.port, found.workers, found.host) == (5, 4, "0.0.0.0")
    assert found.systems.model_dump() == {
        "network": "simulator", "billing": "billing.example:9000", "sla": "simulator", "sms": "127.0.0.1:7",
    }  # fmt: skip
    assert found.hub_allow == {"a.example", "b.example"}


def test_a_child_process_gets_the_same_settings_by_variables(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = config.load(file, database_url="host=x", language="zh", hub_allow="c.example")
    file.unlink()
    for name, value in told.environment().items():
        monkeypatch.setenv(name, value)
    assert config.load().model_dump() == told.model_dump()


def test_all_that_is_wrong_is_told_at_once(file: Path) -> None:
    file.write_text('ports = 1\nlog_level = "loud"\n[systems]\nnetwork = "nowhere"\nsms = "x:99999"\n')
    with pytest.raises(SettingsInvalid) as caught:
        config.load(file, port=70000)
    named = [line.split(":")[0].strip() for line in caught.value.message("zh").splitlines()[1:]]
    assert sorted(named) == ["log_level", "port", "ports", "systems.network", "systems.sms"]


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_said_to_be_so(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsUnreadable) as caught:
        config.load(file)
    assert str(file) in caught.value.message("en")


def test_every_setting_is_described() -> None:
    described = {**Settings.model_fields, **config.Systems.model_fields}
    assert [name for name, field in described.items() if not field.description] == []

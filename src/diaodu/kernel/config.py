"""The settings of an installation: options of the command line over DIAODU_* variables over a TOML file."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from diaodu.kernel.errors import Rejected

PREFIX = "DIAODU_"
FILE = Path("diaodu.toml")
SIMULATOR = "simulator"
WORKERS_MAX = 64
PARTS_MAX = 256  # what the low 8 bits of an id can say
LogLevel = Literal["debug", "info", "warning", "error"]
_ADDRESS = re.compile(r"^(\[[0-9a-fA-F:]+\]|[^\s:]+):(\d{1,5})$")


class SettingsInvalid(Rejected):
    """400: settings that cannot be used; all of their problems at once."""

    code, status = "kernel.settings-invalid", 400
    en = "The settings are wrong:\n{problems}"
    zh = "配置有误：\n{problems}"


class SettingsUnreadable(Rejected):
    """400: the file of settings is missing or is no TOML."""

    code, status = "kernel.settings-unreadable", 400
    en = "The settings file {path} cannot be read: {reason}"
    zh = "无法读取配置文件 {path}：{reason}"


class Systems(BaseModel):
    """Where the other systems listen: ``host:port``, or ``simulator`` for one that ``serve`` starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    network: str = Field(default=SIMULATOR, description="Network management: OLT, AAA, IMS, IPTV and ITMS elements.")
    billing: str = Field(default=SIMULATOR, description="The billing system.")
    sla: str = Field(default=SIMULATOR, description="The archive of service levels.")
    sms: str = Field(default=SIMULATOR, description="The gateway of short messages.")

    @field_validator("*")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value != SIMULATOR and not (match := _ADDRESS.match(value)):
            raise ValueError(f"neither host:port nor {SIMULATOR}")
        if value != SIMULATOR and match and not 1 <= int(match[2]) <= 65535:
            raise ValueError("the port is not in 1..65535")
        return value


class Settings(BaseSettings):
    """What may be chosen; every field is also the variable ``DIAODU_<NAME>`` (``DIAODU_SYSTEMS__BILLING``)."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, frozen=True, extra="forbid"
    )
    database_url: str | None = Field(
        default=None,
        description="PostgreSQL >= 15, as a URI or key=value; without it the embedded one in data_dir is used.",
    )
    data_dir: Path = Field(default=Path("var"), description="The embedded database and the simulators' state.")
    host: str = Field(default="127.0.0.1", description="The address that the web server listens on.")
    port: int = Field(
        default=8080, ge=0, le=65535, description="The port that the web server listens on; 0 = any free one."
    )
    public_url: str | None = Field(
        default=None,
        pattern="^https?://",
        description="Scheme, host and port as clients see them, when a proxy stands before.",
    )
    workers: int = Field(default=2, ge=0, le=WORKERS_MAX, description="How many worker processes serve starts.")
    parts: int = Field(
        default=16,
        ge=1,
        le=PARTS_MAX,
        description="Partitions of orders; fixed by init, an upper bound of the workers.",
    )
    systems: Systems = Field(default=Systems(), description="Where the other systems listen.")
    hub_allow: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(), description="Hosts beyond loopback that events may be delivered to, separated by commas."
    )
    log_level: LogLevel = Field(
        default="info", description="The least level that is logged: debug, info, warning, error."
    )
    language: Literal["zh", "en"] | None = Field(default=None, description="Of the command line: zh, en; none = both.")

    @field_validator("hub_allow", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [h for h in re.split(r"[,\s]+", value) if h] if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where values come from, the strongest first."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def environment(self) -> dict[str, str]:
        """These settings as variables, for a child process that shall have exactly them."""
        found: dict[str, str] = {}
        for name, value in self.model_dump(mode="json").items():
            entries = value.items() if isinstance(value, dict) else [("", value)]
            for key, item in entries:
                text = ",".join(item) if isinstance(item, list) else "" if item is None else str(item)
                found[f"{PREFIX}{name}{'__' if key else ''}{key}".upper()] = text
        return found


def load(path: Path | None = None, **options: Any) -> Settings:
    """The settings of ``path`` (else of ./diaodu.toml if it is there) under the variables under ``options``.

    An option that is None was not given. SettingsUnreadable, SettingsInvalid.
    """
    source = path or (FILE if FILE.is_file() else None)
    if path is not None and not path.is_file():
        raise SettingsUnreadable(path=path, reason="no such file")

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=source)

    try:
        return FromFile(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        problems = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']} ({e['input']!r})" for e in error.errors()]
        raise SettingsInvalid(problems="\n".join(problems)) from error
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise SettingsUnreadable(path=source, reason=error) from error

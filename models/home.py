"""The folder that holds everything of one installation, and the secrets that are generated into it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SECRETS_FILE = "secrets.json"
SECRET_NAMES = (
    "SECRET_KEY",
    "SECURITY_PASSWORD_SALT",
    "TRACE_KEY",
    "ID_KEY",
    "THROTTLE_KEY",
    "METRICS_TOKEN",
    "SAMPLE_KEY",
)


class HomeUnusable(Exception):
    """The home folder cannot be written; carries a message for the administrator."""


def home_path() -> Path:
    """The folder of this installation: `LAMPLIGHTER_HOME`, else `instance/` in the checkout."""
    return Path(os.environ.get("LAMPLIGHTER_HOME") or CHECKOUT / "instance").expanduser().absolute()


def prepare_home(home: Path) -> Path:
    """Make the home folder where it is missing, closed to other users, and prove that it can be written."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = home / f".probe-{secrets.token_hex(4)}"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        raise HomeUnusable(
            f"数据目录 {home} 不能写入({error.strerror})。"
            "请检查目录权限和磁盘，或把环境变量 LAMPLIGHTER_HOME 指到另一个可写的目录。"
        ) from error
    return home


def load_secrets(home: Path) -> dict[str, str]:
    """The secrets of this installation, 32 random bytes in hex each; what is missing is generated once."""
    found = _read(home)
    if all(name in found for name in SECRET_NAMES):
        return found
    with open(prepare_home(home) / ".secrets.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _read(home)
        missing = {name: secrets.token_hex(32) for name in SECRET_NAMES if name not in found}
        if missing:
            _write(home, found | missing)
        return found | missing


def _read(home: Path) -> dict[str, str]:
    try:
        return dict(json.loads((home / SECRETS_FILE).read_text()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise HomeUnusable(
            f"密钥文件 {home / SECRETS_FILE} 读不出来({error})。"
            "请从备份中恢复这个文件，不要新建：旧的登录和校验都靠它。"
        ) from error


def _write(home: Path, values: dict[str, str]) -> None:
    draft = home / f".secrets-{os.getpid()}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(values, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(handle)
    draft.replace(home / SECRETS_FILE)

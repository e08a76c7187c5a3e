"""Exchange files (交换文件) between the inner network and the machine outside: sealed, so that only a holder of the key
reads or makes them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services import Refused

VARIABLE = "LAMPLIGHTER_EXCHANGE_KEY"
KEY_FILE = "exchange.key"
MAGIC = b"LAMPX1"
NONCE = 12
LARGEST = 2**30  # bytes of one file, packed or not


def load_key(home: Path) -> bytes:
    """The shared key of both machines: 64 hex digits in the environment, else in the home's `exchange.key`."""
    path = home / KEY_FILE
    text = os.environ.get(VARIABLE, "") or (path.read_text(encoding="ascii", errors="replace") if path.exists() else "")
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Refused(
            "没有可用的交换密钥。请用 openssl rand -hex 32 生成一个，两台机器各存一份到 %(path)s"
            "（或环境变量 %(name)s），不要放进交换文件。",
            path=path,
            name=VARIABLE,
        )
    return key


def derived(key: bytes, purpose: str) -> bytes:
    """A key of its own for each purpose."""
    return hmac.new(key, f"lamplighter|{purpose}".encode(), hashlib.sha256).digest()


def hashed(key: bytes, purpose: str, text: str) -> str:
    """A keyed hash: whoever lacks the key can neither make nor test one."""
    return hmac.new(derived(key, purpose), text.encode(), hashlib.sha256).hexdigest()


def seal(key: bytes, kind: str, content: Mapping[str, Any]) -> bytes:
    """Content packed and sealed with AES-256-GCM; `kind` says what it is for, and is sealed with it."""
    packed = zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), 6)
    nonce = secrets.token_bytes(NONCE)
    return MAGIC + nonce + AESGCM(derived(key, f"file|{kind}")).encrypt(nonce, packed, MAGIC + kind.encode())


def unseal(key: bytes, kind: str, data: bytes) -> dict[str, Any]:
    """What was sealed; refused when it was made with another key, for something else, or changed on its way."""
    try:
        if not data.startswith(MAGIC) or len(data) > LARGEST:
            raise InvalidTag
        nonce, body = data[len(MAGIC) : len(MAGIC) + NONCE], data[len(MAGIC) + NONCE :]
        packed = AESGCM(derived(key, f"file|{kind}")).decrypt(nonce, body, MAGIC + kind.encode())
    except (InvalidTag, ValueError) as error:
        raise Refused("这个交换文件打不开：不是这一种文件、密钥不同，或传送中损坏。请重新导出后再传一次。") from error
    return dict(json.loads(zlib.decompressobj().decompress(packed, LARGEST)))


def write(path: Path, data: bytes) -> None:
    """Put a file where it belongs, whole or not at all, for its owner only."""
    if path.is_dir() or not path.name or not path.parent.is_dir():
        raise Refused("写不了 %(path)s。请给出一个已有目录里的文件名。", path=path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read(path: Path) -> bytes:
    """A file's bytes; refused where there is none."""
    if not path.is_file():
        raise Refused("没有文件 %(path)s。请核对文件名和目录。", path=path)
    if path.stat().st_size > LARGEST:
        raise Refused("文件 %(path)s 太大，不是交换文件。", path=path)
    return path.read_bytes()

"""Exchange files (交换文件) between the inner network and the machine outside: sealed, so that only a holder of the key
reads or makes them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.words import N_
from services import Refused

VARIABLE = "LAMPLIGHTER_EXCHANGE_KEY"
KEY_FILE = "exchange.key"
MAGIC, MAGIC_PARTS = b"LAMPX1", b"LAMPX2"
NONCE = 12
LARGEST = 2**26  # bytes of one part, packed or not
SPOILT = N_("这个交换文件打不开：不是这一种文件、密钥不同，或传送中损坏。请重新导出后再传一次。")


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
    nonce = secrets.token_bytes(NONCE)
    return MAGIC + nonce + _cipher(key, kind).encrypt(nonce, _packed(content), MAGIC + kind.encode())


def unseal(key: bytes, kind: str, data: bytes) -> dict[str, Any]:
    """What was sealed; refused when it was made with another key, for something else, or changed on its way."""
    try:
        if not data.startswith(MAGIC):
            raise InvalidTag
        nonce, body = data[len(MAGIC) : len(MAGIC) + NONCE], data[len(MAGIC) + NONCE :]
        return _unpacked(_cipher(key, kind).decrypt(nonce, body, MAGIC + kind.encode()))
    except (InvalidTag, ValueError) as error:
        raise Refused(SPOILT) from error


def seal_parts(key: bytes, kind: str, parts: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """A file in sealed parts, made and read one at a time however long it is; none can be left out, moved or added:
    each is sealed with its number, and with whether it is the last."""
    stream = secrets.token_bytes(NONCE - 4)
    yield MAGIC_PARTS + stream
    for number, (part, is_last) in enumerate(_marked(parts)):
        sealed = _cipher(key, kind).encrypt(stream + number.to_bytes(4), _packed(part), _about(kind, is_last))
        yield bytes([is_last]) + len(sealed).to_bytes(4) + sealed


def unseal_parts(key: bytes, kind: str, path: Path) -> Iterator[dict[str, Any]]:
    """The parts of such a file in order; refused where one of them is not what was sealed."""
    if not path.is_file():
        raise Refused("没有文件 %(path)s。请核对文件名和目录。", path=path)
    with path.open("rb") as file:
        head = file.read(len(MAGIC_PARTS) + NONCE - 4)
        if not head.startswith(MAGIC_PARTS):
            raise Refused(SPOILT)
        stream, number, is_last = head[len(MAGIC_PARTS) :], 0, False
        while not is_last:
            is_last, sealed = _frame(file)
            try:
                packed = _cipher(key, kind).decrypt(stream + number.to_bytes(4), sealed, _about(kind, is_last))
            except (InvalidTag, ValueError) as error:
                raise Refused(SPOILT) from error
            yield _unpacked(packed)
            number += 1
        if file.read(1):
            raise Refused(SPOILT)


def write(path: Path, pieces: Iterable[bytes]) -> int:
    """Put a file where it belongs, whole or not at all, for its owner only; returns its size in bytes."""
    if path.is_dir() or not path.name or not path.parent.is_dir():
        raise Refused("写不了 %(path)s。请给出一个已有目录里的文件名。", path=path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            size = sum(file.write(piece) for piece in pieces)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return size


def _marked(parts: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Each part with whether it is the last."""
    waiting: Mapping[str, Any] | None = None
    for part in parts:
        if waiting is not None:
            yield waiting, False
        waiting = part
    yield waiting if waiting is not None else {}, True


def _frame(file: BinaryIO) -> tuple[bool, bytes]:
    head = file.read(5)
    size = int.from_bytes(head[1:])
    sealed = file.read(size) if len(head) == 5 and size <= LARGEST else b""
    if not sealed or len(sealed) < size:
        raise Refused(SPOILT)
    return head[0] == 1, sealed


def _cipher(key: bytes, kind: str) -> AESGCM:
    return AESGCM(derived(key, f"file|{kind}"))


def _about(kind: str, is_last: bool) -> bytes:
    return MAGIC_PARTS + bytes([is_last]) + kind.encode()


def _packed(content: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def _unpacked(packed: bytes) -> dict[str, Any]:
    return dict(json.loads(zlib.decompressobj().decompress(packed, LARGEST)))

"""One stored value: its name among all others, and the seal that tells whether it is still what was written."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["MAX_PAYLOAD", "SEAL_BYTES", "name_entry", "seal", "unseal"]

MAX_PAYLOAD = 16 << 20
"""Most bytes of one value; a longer one is not stored."""
SEAL_BYTES = 16


def name_entry(kind: str, generation: str, key: str) -> str:
    """Return the stored name of a value, 40 hexadecimal digits.

    Args:
        kind: What the value is, e.g. `decision`.
        generation: The nebula that wrote it; another one does not find it.
        key: The content that the value was computed from.
    """
    return blake2b(f"{kind}|{generation}|{key}".encode(), digest_size=20).hexdigest()


def seal(kind: str, name: str, generation: str, payload: bytes) -> bytes:
    """Put 16 bytes of BLAKE2b (RFC 7693) over the value and where it belongs before the value."""
    return _digest(kind, name, generation, payload) + payload


def unseal(kind: str, name: str, generation: str, sealed: object) -> bytes | None:
    """Return the value, or None when anything about it is not as it was sealed.

    The seal finds accidents, and values that stand in another's place. Whoever can write the store
    can also seal: it is no signature.
    """
    if not isinstance(sealed, bytes) or not SEAL_BYTES <= len(sealed) <= MAX_PAYLOAD + SEAL_BYTES:
        return None
    payload = sealed[SEAL_BYTES:]
    return payload if _digest(kind, name, generation, payload) == sealed[:SEAL_BYTES] else None


def _digest(kind: str, name: str, generation: str, payload: bytes) -> bytes:
    state = blake2b(f"{kind}|{name}|{generation}|".encode(errors="replace"), digest_size=SEAL_BYTES)
    state.update(payload)
    return state.digest()

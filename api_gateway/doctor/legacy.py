"""Does the legacy app use paths that the edge would keep for the API? It is asked; GET and HEAD change nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import httpx2

from api_gateway.doctor.symptom import Symptom


def legacy_paths(url: str, prefix: str) -> Iterator[Symptom]:
    """`prefix`: what the edge would keep, `/api`. What legacy says of a path that cannot be there is what "no" is."""
    try:
        with httpx2.Client(base_url=url, timeout=5, follow_redirects=False) as client:
            nothing = _answer(client, f"/{secrets.token_hex(8)}")
            asked = [prefix, f"{prefix}/", f"{prefix}/{secrets.token_hex(8)}", f"{prefix}/v1", f"{prefix}/docs"]
            used = [(path, answer) for path in asked if not _is_no(answer := _answer(client, path), nothing)]
    except httpx2.HTTPError as error:
        message = f"the legacy app does not answer: {type(error).__name__}"
        yield Symptom("legacy_paths", "error", message, "Start it, or give the right --legacy-url.")
        return
    if used:
        told = ", ".join(f"{path} ({status})" for path, (status, _) in used)
        fix = 'Choose another prefix: [api] prefix = "/…" in banyan.toml.'
        yield Symptom("legacy_paths", "error", f"the legacy app answers under {prefix} itself: {told}", fix)
    else:
        yield Symptom("legacy_paths", "ok", f"the legacy app has nothing under {prefix}")


def _answer(client: httpx2.Client, path: str) -> tuple[int, str]:
    """Status, and where it leads: a login or a catch-all says the same of every path."""
    answer = client.get(path)
    target = answer.headers.get("location", "").partition("?")[0]
    return answer.status_code, target.replace(path.strip("/"), "…") or str(_rounded(len(answer.content)))


def _rounded(size: int) -> int:
    """Pages that quote the path they were asked for differ by a few bytes."""
    return size // 256


def _is_no(answer: tuple[int, str], nothing: tuple[int, str]) -> bool:
    status, told = answer
    if status in (404, 410):
        return True
    same_size = told == nothing[1] or (told.isdigit() and nothing[1].isdigit() and abs(int(told) - int(nothing[1])) < 2)
    return status == nothing[0] and same_size

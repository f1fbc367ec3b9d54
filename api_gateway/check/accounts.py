"""Scopes that banyan.toml gives to accounts, and to whom an issuer vouches for, against those of the contract."""

from __future__ import annotations

from collections.abc import Iterable

from api_gateway.check.disagreement import Disagreement
from api_gateway.check.subject import Subject

_BETWEEN = "banyan.toml and the contract"


def given_scopes(subject: Subject) -> dict[str, frozenset[str]]:
    """By `accounts.NAME` or `issuers.NAME`."""
    configuration = subject.project.configuration
    found = {f"accounts.{name}": frozenset(source.scopes) for name, source in configuration.accounts.items()}
    for name, issuer in configuration.issuers.items():
        mapped = (scope for scopes in issuer.scope_map.values() for scope in scopes)
        found[f"issuers.{name}"] = frozenset([*issuer.scopes, *mapped])
    return found


def unknown_scopes(subject: Subject) -> Iterable[Disagreement]:
    """A misspelled one gives nobody anything; one of yesterday's gives it to nobody any more."""
    if subject.contract is None:
        return
    known = subject.contract.scopes()
    for place, scopes in given_scopes(subject).items():
        for scope in sorted(scopes - set(known)):
            yield Disagreement(
                code="scope_unknown",
                severity="warning",
                between=_BETWEEN,
                message=f"[{place}] gives the scope {scope}, which no resource or operation asks for.",
                advice=f"Known are: {', '.join(sorted(known))}.",
                file="banyan.toml",
                details={"source": place, "scope": scope},
            )
